cimport cython
from gateway.http.message cimport RequestHead, ResponseHead
from gateway.http.prepared cimport FinishedAnswer

cdef object _LENGTH, _CHUNKED, _NO_CONTENT, encode_content
cdef dict _STARTS
cdef unsigned long long TE

@cython.locals(start=bytes, head=ResponseHead)
cpdef bytes write_finished(FinishedAnswer answer, bytes extra, bint whole)

cpdef bytes write_request(RequestHead head, bytes target, bytes host, bytes fields, bytes data, bint end)

@cython.locals(status=int, chunked=bint, framing=bytes)
cpdef tuple write_response(
    ResponseHead head, bytes extra, bytes data, bint end, bytes method, bint http11, bint persistent
)
