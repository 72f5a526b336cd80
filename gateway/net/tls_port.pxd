cdef object log
cdef int _BURST, _STORM


cdef class TLSPort:
    cdef public object _loop, _sock, _factory, _server, _host, _turn, _retry
    cdef public int _found
