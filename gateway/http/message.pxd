cdef class RequestHead:
    cdef public bytes method
    cdef public bytes target
    cdef public int version
    cdef public bytes host, hostname
    cdef public bytes raw
    cdef public bytes fields
    cdef public unsigned long long known
    cdef public object framing
    cdef public object content_length
    cdef public bint keep_alive
    cdef public bytes upgrade
    cdef public bint expects_continue
    cdef public Py_ssize_t size


cdef class ResponseHead:
    cdef public int status
    cdef public bytes reason, fields
    cdef public unsigned long long known
    cdef public object framing, content_length
    cdef public bint keep_alive
    cdef public bytes upgrade
    cdef public Py_ssize_t size
