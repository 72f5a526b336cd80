from gateway.http.message cimport RequestHead
from gateway.upstream.http1_responses cimport HTTP1Responses

cdef object write_request, encode_content
cdef object CLOSED, HEAD, IDLE, TUNNEL, _CHUNKED_FRAMING


cdef class UpstreamConnection(HTTP1Responses):
    cpdef _finish(self)
    cpdef send_request(self, sink, RequestHead head, bytes target, bytes fields, bytes data, bint end)
