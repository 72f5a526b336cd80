cdef class Output:
    cdef public Py_ssize_t size
    cdef public bint blocked, held
    cdef public list _pieces
    cdef public object _rest, _sock
    cpdef add(self, bytes data)
    cpdef send(self, tls)
    cpdef hold(self)
    cpdef let_go(self)
    cpdef drop(self)
    cpdef _take(self)
