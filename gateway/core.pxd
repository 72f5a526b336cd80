from gateway.http.message cimport RequestHead
from gateway.web.request cimport Request
from gateway.web.resource cimport Resource


cdef class Core:
    cdef public object challenges, clock, log, new_id, trusted, _nowhere
    cdef public Resource tree
    cpdef handle(self, stream, RequestHead head, bytes data, bint end)
