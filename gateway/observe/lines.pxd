cimport cython
from gateway.http.message cimport RequestHead
from gateway.web.request cimport Request

cdef object combined, is_plain, json, usual_field
cdef object mask, strftime, gmtime
cdef dict _words
cdef unsigned long long REFERER, USER_AGENT
cdef int _MAX_FIELD, _MAX_TARGET


cdef class Combined:
    cdef public Stamp _stamp
    cdef public Texts _texts
    @cython.locals(ended=double, stamp=Stamp)
    cpdef bytes line(self, Request request)


cdef class JSON:
    cdef public Stamp _stamp
    cdef public Texts _texts
    @cython.locals(ended=double, stamp=Stamp)
    cpdef bytes line(self, Request request)


cdef class Stamp:
    cdef public object _form, _wall_clock
    cdef public bytes text
    cdef public double until
    cpdef bytes renew(self, double now)


cdef class Texts:
    cdef public object _escape
    cdef public dict _known
    @cython.locals(raw=bytes, target=bytes, known=cython.ulonglong, referer=bytes, agent=bytes, cleaned=dict)
    cpdef tuple of(self, RequestHead head)


cpdef bytes _upstream(Request request)
cpdef bytes _word(name)
