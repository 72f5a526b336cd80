cimport cython


cdef class ChunkedDecoder:
    cdef public bint done
    cdef public bytes rest, trailers, _pending
    cdef public object _limits, _state
    cdef public object _left  # of up to 16 hexadecimal digits: more than a C integer holds
    cdef public Py_ssize_t _extensions, _section, _count
    cdef public list _trailers
    cpdef bytes receive(self, bytes data)
    @cython.locals(parts=list)
    cpdef bytes _decode(self, bytes data)
