from gateway.http.message cimport RequestHead, ResponseHead

cdef object _LENGTH, _CHUNKED
cdef unsigned long long TE

cpdef bytes write_request(RequestHead head, bytes target, bytes host, bytes fields, bytes data, bint end)
