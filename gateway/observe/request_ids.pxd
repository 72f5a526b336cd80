cdef class RequestIds:
    cdef public object _entropy
    cdef public list _lines
