cdef class Turn:
    cdef public object loop
    cdef public list _waiting
    cpdef add(self, wire)
