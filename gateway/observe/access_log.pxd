from gateway.web.request cimport Request


cdef class AccessLog:
    cdef public object _write, _line
    cdef public Py_ssize_t _limit, _gathered
    cdef public list _lines
    cdef public bint _skip
    cdef public object _skipped, _skipped_prefixes
    cpdef exchange_finished(self, Request request)
