cimport cython
from gateway.http.message cimport RequestHead

cdef unsigned long long VIA


cpdef bytes add_host(bytes lines, bytes host)


cdef class Via:
    cdef public dict _alone
    cdef public bytes _pseudonym
    @cython.locals(alone=bytes)
    cpdef bytes line(self, RequestHead head)
