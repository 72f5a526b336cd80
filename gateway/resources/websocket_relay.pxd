from gateway.resources.websocket_side cimport Side


cdef class Relay:
    cdef public Side client, upstream
    cdef public object site, address, deadline, entropy
    cdef public bint heard
    cdef public int code
    cdef object _exchange, _request, _settings, _sockets, _quiet_since
    cdef int _pings
