from gateway.http.message cimport RequestHead
from gateway.server.http1 cimport HTTP1Connection


cdef class SecureConnection(HTTP1Connection):
    cdef public bytes server_name
    cdef public object _certificates
    cpdef _handle(self, RequestHead head, bytes data, bint end)
