cimport cython
from gateway.http.message cimport RequestHead, ResponseHead
from gateway.net.paced_protocol cimport PacedProtocol
from gateway.protocol.content cimport ContentReader

cdef object log, parse_response
cdef object BODY, HEAD, IDLE, TUNNEL, _LENGTH_FRAMING, _CLOSE_FRAMING


cdef class HTTP1Responses(PacedProtocol):
    cdef public object home, state, _sink
    cdef public Py_ssize_t exchanges
    cdef public bint pooled
    cdef public RequestHead _request
    cdef public bytes _buffer
    cdef public ContentReader _content
    cdef public bint _until_close, _request_chunked, _request_done, _reusable, _continued
    cdef public Py_ssize_t _informational, _received, _sent
    cdef public object _deadlines
    @cython.locals(request=RequestHead, head=ResponseHead, reader=ContentReader, content=bytes, end=bint, trailers=bytes)
    cpdef _head_received(self, bytes data)
    @cython.locals(content=bytes, trailers=bytes)
    cpdef _read_content(self, ContentReader reader, bytes data)
    @cython.locals(reader=ContentReader, content=bytes, end=bint, trailers=bytes)
    cpdef _body_received(self, bytes data)
    cpdef _finish(self)
