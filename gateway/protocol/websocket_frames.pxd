cimport cython

cdef int BAD, CLOSE, CLOSING, CONTROL, ENDS, PASSED, PONG, STARTS
cdef object _STRICT, _LENIENT, _CLOSED


cdef class FramePipe:
    cdef public bint masked, output_open
    cdef public object input
    cdef public tuple events
    cdef int _mask_bit, _header
    cdef bint _inside, _sealed
    cdef bytes _kinds, _held, _pending
    cdef unsigned long long _max_frame, _max_message, _message, _rest
    # Lengths are below 2^63 where they are added up, so no sum passes 2^64.
    @cython.locals(size=cython.ulonglong, position=cython.ulonglong, start=cython.ulonglong, payload=cython.ulonglong,
                   extended=cython.ulonglong, end=cython.ulonglong, length=cython.ulonglong, message=cython.ulonglong,
                   kind=cython.int, parts=list)
    cpdef bytes receive_data(self, bytes data)
    cpdef bint _is_own(self, bytes data, Py_ssize_t payload, Py_ssize_t end)
    cpdef bytes _content(self, bytes data, Py_ssize_t payload, Py_ssize_t end)
    cpdef _skip(self, bytes data)


cpdef _length_violation(bytes data, Py_ssize_t position, Py_ssize_t extended)
