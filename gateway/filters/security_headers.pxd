from gateway.http.message cimport ResponseHead


cdef class _Prepared:
    cdef public tuple _fields
    cdef public frozenset _dropped
    cdef public unsigned long long _mask, _policies
    cdef public dict _chosen
    cdef public object added
    cpdef tuple _choose(self, ResponseHead head)
