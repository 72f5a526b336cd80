from gateway.http.message cimport ResponseHead


cdef class PreparedAnswer:
    cdef public object _status, _fields, _content_length
    cdef public bytes data
    cdef public FinishedAnswer plain, secure


cdef class FinishedAnswer:
    cdef public ResponseHead head
    cdef public int status
    cdef public bytes lines, data, start, framing
    cdef public object place, added
