cimport cython

@cython.locals(kept=list, line=bytes)
cpdef bytes without(bytes block, frozenset names)
