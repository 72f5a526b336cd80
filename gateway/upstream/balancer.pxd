cdef class Lease:
    cdef public object upstream, name


cdef class Balancer:
    cdef public tuple _upstreams
    cdef public Py_ssize_t _turn
