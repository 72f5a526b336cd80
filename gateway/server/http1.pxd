cimport cython
from gateway.http.message cimport RequestHead, ResponseHead
from gateway.http.prepared cimport FinishedAnswer
from gateway.server.http1_requests cimport HTTP1Requests

cdef object DISCARD, write_response, write_finished, encode_content
cdef object BODY, IDLE, LINGER, TUNNEL, WAIT
cdef unsigned long long DATE, TE


cdef class HTTP1Connection(HTTP1Requests):
    cpdef _handle(self, RequestHead head, bytes data, bint end)
    @cython.locals(request=RequestHead, octets=bytes)
    cpdef send_head(self, ResponseHead head, bytes extra, bytes data, bint end)
    @cython.locals(request=RequestHead, usual=bint)
    cpdef send_finished(self, FinishedAnswer answer, bytes extra, bint whole)
    cpdef _exchange_over(self)
