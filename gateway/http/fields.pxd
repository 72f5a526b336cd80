cimport cython

cdef int _FEW


@cython.locals(kept=list, line=bytes, lower=bytes, mark=bytes, start=Py_ssize_t, end=Py_ssize_t)
cpdef bytes without(bytes block, frozenset names)
