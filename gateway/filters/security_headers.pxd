cimport cython
from gateway.http.message cimport ResponseHead


cdef class _Prepared:
    cdef public tuple _fields
    cdef public frozenset _dropped
    cdef public unsigned long long _guard, _mask, _policies
    cdef public dict _chosen, _present
    cdef public object added
    @cython.locals(known=cython.ulonglong, present=cython.ulonglong, names=frozenset)
    cpdef tuple _choose(self, ResponseHead head)
