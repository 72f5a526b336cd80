cimport cython
from gateway.http.message cimport RequestHead

cdef unsigned long long CONDITIONAL
cdef object _PROCEED, _NOT_MODIFIED, _FAILED, parse_http_date

@cython.locals(conditions=dict, reads=bint)
cpdef evaluate(RequestHead head, validators)

@cython.locals(raw=bytes, lower=bytes, at=Py_ssize_t, end=Py_ssize_t, colon=Py_ssize_t, found=dict)
cdef dict _conditions(RequestHead head)

@cython.locals(value=bytes)
cdef bint _any_matches(list values, bytes etag, bint weak)

cdef object _changed_since(values, validators)
