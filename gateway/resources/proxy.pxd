from gateway.web.resource cimport Resource

cdef unsigned long long UPGRADE
cdef object strip_prefix, Attempt, IDEMPOTENT


cdef class ProxyResource(Resource):
    cdef public object _balancer, _clock, _via, _websocket, _names, _request_start, _hand_over, _sockets, _intercept
    cdef public tuple _edits
    cdef public bint _forwarded
    cdef public bytes _prefix, _prefix_line
    cdef public Py_ssize_t _retries
    cpdef start(self, request, connection, bytes data, bint end)
    cpdef bytes fields(self, request)
