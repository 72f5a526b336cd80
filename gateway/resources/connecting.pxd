cdef class Attempt:
    cdef public bytes data, target, fields
    cdef public bint end
    cdef public object sink
