cdef class PacedProtocol:
    cdef object __weakref__
    cdef public object transport, _transport, _write
    cdef public bint reading_paused, writing_paused
    cpdef pause_reading(self)
    cpdef resume_reading(self)
