from gateway.http.message cimport RequestHead
from gateway.server.http1 cimport HTTP1Connection


cdef class SecureConnection(HTTP1Connection):
    cdef public bytes server_name
    cdef public object _certificates, _serve
    cpdef _check(self, stream, RequestHead head, bytes data, bint end)
