from gateway.web.resource cimport Resource


cdef class LocationResource(Resource):
    cdef public object leaf, errors, site, added, added_secure, added_renewed, renewed, max_body, setting, when
    cdef public bytes prefix
    cdef public bint exact
    cdef public tuple filters


cdef class SiteResource(Resource):
    cdef public list _by_length
    cdef public object _only, _otherwise, name


cdef class VirtualHosts(Resource):
    cdef public dict _hosts, _wildcards
    cdef public object _fallback
