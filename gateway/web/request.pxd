cimport cython
from gateway.http.message cimport RequestHead, ResponseHead
from gateway.http.prepared cimport FinishedAnswer, PreparedAnswer

cdef object DISCARD, add_host, _NOWHERE


cdef class Request:
    cdef public RequestHead head
    cdef public object stream, upstream, location, recovery, lease, client, runtime, error, state, upstream_name, _path
    cdef public bint secure
    cdef public bytes forwarded, id_line
    cdef public double received, leased, first_byte, finished
    cdef public int status, retries
    cdef public long long bytes_in, bytes_out
    cpdef bytes forwarded_fields(self)
    cpdef send_head(self, ResponseHead head, bytes data, bint end)
    cpdef send_data(self, bytes data, bint end)
    @cython.locals(finished=FinishedAnswer, whole=bint)
    cpdef answer_prepared(self, PreparedAnswer answer)
    cpdef finish(self, error)
