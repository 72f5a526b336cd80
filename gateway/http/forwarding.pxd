cimport cython
from gateway.http.message cimport RequestHead

cdef unsigned long long VIA


cdef class Via:
    cdef public dict _alone
    cdef public bytes _pseudonym
    @cython.locals(alone=bytes)
    cpdef bytes line(self, RequestHead head)
