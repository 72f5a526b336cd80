from gateway.http.message cimport RequestHead
from gateway.net.paced_protocol cimport PacedProtocol
from gateway.protocol.content cimport ContentReader

cdef object log, DISCARD, parse_request, skip_blank_lines
cdef object BODY, CLOSED, IDLE, LINGER, TUNNEL, WAIT, _NONE_FRAMING


cdef class HTTP1Requests(PacedProtocol):
    cdef public object front, peer, local_port, handler, state
    cdef public bint secure, trusted
    cdef public bytes forwarded
    cdef public RequestHead head
    cdef public Py_ssize_t exchanges, body_octets
    cdef public bint awaits_continue
    cdef public object _parse_limits
    cdef public bytes _buffer
    cdef public ContentReader _content
    cdef public bint _feeding, _keep_alive, _chunked, _responding, _broken, _client_done, _over
    cdef public object _deadlines
    cpdef _feed(self, bytes data)
    cpdef _begin(self, RequestHead head, bytes data)
    cpdef _handle(self, RequestHead head, bytes data, bint end)
    cpdef _read_content(self, ContentReader reader, bytes data)
    cpdef _body_received(self, bytes data)
