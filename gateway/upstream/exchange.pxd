from gateway.http.message cimport RequestHead, ResponseHead
from gateway.net.paced_protocol cimport PacedProtocol
from gateway.protocol.content cimport ContentReader

cdef object log
cdef object _IDLE, _HEAD, _BODY, _TUNNEL, _CLOSED, _LENGTH_FRAMING, _CHUNKED_FRAMING, _CLOSE_FRAMING
cdef object parse_response, write_request, encode_content


cdef class UpstreamConnection(PacedProtocol):
    cdef public object home, state, _sink
    cdef public Py_ssize_t exchanges
    cdef public bint pooled
    cdef public RequestHead _request
    cdef public bytes _buffer
    cdef public ContentReader _content
    cdef public bint _until_close, _request_chunked, _request_done, _reusable, _continued
    cdef public Py_ssize_t _informational, _received, _sent
    cdef public object _deadlines
    cpdef _head_received(self, bytes data)
    cpdef _read_content(self, ContentReader reader, bytes data)
    cpdef _body_received(self, bytes data)
    cpdef _finish(self)
    cpdef send_request(self, sink, RequestHead head, bytes target, bytes host, bytes fields, bytes data, bint end)
