cimport cython
from gateway.http.message cimport RequestHead
from gateway.http.prepared cimport PreparedAnswer
from gateway.web.request cimport Request

cdef unsigned long long CONDITIONAL, RANGE, _ASKS
cdef object _NOT_MODIFIED, _FAILED, evaluate


cdef class Ready:
    cdef public bytes _coding, _content_type, body
    cdef public tuple _fields
    cdef public long long _size
    cdef public PreparedAnswer _unchanged, _whole
    cdef public object _validators, file
    @cython.locals(head=RequestHead)
    cpdef answer(self, Request request, disk)
