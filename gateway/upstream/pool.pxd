cdef class Upstream:
    cdef public object _endpoint, _factory, _max_idle, host, limits, name, pipes, sweeper
    cdef public list _idle
    cdef public Py_ssize_t in_flight
    cdef public bint retired
    cpdef take_idle(self, bint surely_alive)
