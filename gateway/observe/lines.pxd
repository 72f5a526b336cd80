cdef class Combined:
    cdef public Stamp _stamp
    cdef public Texts _texts


cdef class JSON:
    cdef public Stamp _stamp
    cdef public Texts _texts


cdef class Stamp:
    cdef public object _form, _wall_clock
    cdef public bytes text
    cdef public double until
    cpdef renew(self, double now)


cdef class Texts:
    cdef public object _escape
    cdef public dict _known
    cpdef of(self, head)
