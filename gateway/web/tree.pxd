cimport cython
from gateway.http.message cimport RequestHead, ResponseHead
from gateway.http.prepared cimport FinishedAnswer, PreparedAnswer
from gateway.web.request cimport Request
from gateway.web.resource cimport Resource


cdef class LocationResource(Resource):
    cdef public Resource leaf
    cdef public object errors, site, added, added_secure, added_renewed, renewed, max_body, setting, when
    cdef public bytes prefix
    cdef public bint exact
    cdef public tuple asking, editing
    cdef public bint _constant
    cdef public object _mark
    cpdef render(self, Request request, bytes data=*, bint end=*)
    @cython.locals(done=FinishedAnswer, secure=bint)
    cpdef FinishedAnswer finish_prepared(self, Request request, PreparedAnswer answer)
    cdef object _added_now(self, Request request)
    cpdef bytes finish_head(self, Request request, ResponseHead head)


cdef class SiteResource(Resource):
    cdef public list _by_length
    cdef public LocationResource _only, _otherwise
    cdef public object name
    @cython.locals(location=LocationResource, target=bytes)
    cpdef LocationResource find(self, Request request)
    @cython.locals(location=LocationResource, prefix=bytes)
    cpdef LocationResource _longest(self, bytes path, Request request)
    @cython.locals(location=LocationResource, target=bytes)
    cpdef render(self, Request request, bytes data=*, bint end=*)


cdef class VirtualHosts(Resource):
    cdef public dict _hosts, _wildcards
    cdef public Resource _fallback
    @cython.locals(hostname=bytes, site=Resource)
    cpdef render(self, Request request, bytes data=*, bint end=*)
