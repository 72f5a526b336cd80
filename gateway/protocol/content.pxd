cimport cython

cdef object _LENGTH, _CHUNKED, _CLOSE


cdef class ContentReader:
    cdef public object _limits, _framing, _decoder
    cdef public Py_ssize_t _left
    cdef public bint done
    cdef public bytes rest, trailers
    cpdef begin(self, framing, Py_ssize_t length)
    @cython.locals(left=Py_ssize_t)
    cpdef receive(self, bytes data)
    cpdef forget(self)
