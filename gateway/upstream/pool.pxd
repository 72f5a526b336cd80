cdef class Upstream:
    cdef public object _factory, _max_idle, check, endpoint, host, limits, name, pipes, sweeper
    cdef public list _idle
    cdef public Py_ssize_t in_flight
    cdef public bint down, retired
    cpdef take_idle(self, bint surely_alive)
