cimport cython
from gateway.http.forwarding cimport Via
from gateway.http.message cimport RequestHead
from gateway.resources.connecting cimport Attempt
from gateway.upstream.balancer cimport Balancer, Lease
from gateway.upstream.exchange cimport UpstreamConnection
from gateway.web.request cimport Request
from gateway.web.resource cimport Resource

cdef unsigned long long UPGRADE
cdef object strip_prefix, IDEMPOTENT


cdef class ProxyResource(Resource):
    cdef public object _clock, _websocket, _names, _request_start, _hand_over, _sockets, _intercept, _sticky
    cdef public Balancer _balancer
    cdef public Via _via
    cdef public tuple _edits
    cdef public bint _forwarded
    cdef public bytes _prefix, _prefix_line
    cdef public Py_ssize_t _retries
    @cython.locals(head=RequestHead, lease=Lease, target=bytes, fields=bytes)
    cpdef render(self, Request request, bytes data=*, bint end=*)
    @cython.locals(attempt=Attempt)
    cpdef start(self, Request request, UpstreamConnection connection, bytes data, bint end)
    @cython.locals(head=RequestHead, block=bytes, lines=bytes)
    cpdef bytes fields(self, Request request)
