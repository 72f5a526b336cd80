cdef class Core:
    cdef public object challenges, clock, log, new_id, tree, trusted, _nowhere
