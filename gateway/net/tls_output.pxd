cdef class Output:
    cdef public Py_ssize_t size
    cdef public bint blocked
    cdef public list _pieces
    cdef public object _rest
    cpdef add(self, bytes data)
    cpdef send(self, tls)
    cpdef drop(self)
    cpdef _take(self)
