from gateway.http.message cimport ResponseHead


cdef class BlockEdits:
    cdef public frozenset dropped
    cdef public bytes lines
    cdef public unsigned long long known, mask
    cdef public tuple others
    cpdef bytes apply(self, bytes block, unsigned long long known)


cdef class _Folded:
    cdef public object _before, added
    cdef public BlockEdits _edits
    cpdef tuple _edited(self, bytes lines, unsigned long long known)
    cpdef tuple _choose(self, ResponseHead head)
