cimport cython
from gateway.http.message cimport RequestHead
from gateway.web.request cimport Request


cdef class Entry:
    cdef public double until
    cdef public bint used, opened
    cdef public Py_ssize_t weight
    cdef public bytes key
    cdef public dict shelf


cdef class Shelf:
    cdef public object _cache
    cdef public dict _entries
    @cython.locals(entry=Entry, target=bytes)
    cpdef Entry find(self, Request request)
    @cython.locals(entry=Entry)
    cpdef Entry fresh(self, bytes key, double now)
