cdef class Resource:
    pass
