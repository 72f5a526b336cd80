from gateway.upstream.pool cimport Upstream


cdef class Lease:
    cdef public Upstream upstream
    cdef public object name
    cpdef release(self, error)


cdef class Balancer:
    cdef public tuple _upstreams
    cdef public Py_ssize_t _turn
    cpdef Lease checkout(self, tried=*, wished=*)
