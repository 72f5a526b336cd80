cdef class Draining:
    cdef public object _sock, _done, _timer
    cdef public Py_ssize_t _dropped
    cpdef stop(self)
    cpdef readable(self)
