cimport cython
from gateway.resources.static_answer cimport FileAnswers
from gateway.resources.static_cache cimport Entry, Shelf
from gateway.web.request cimport Request
from gateway.web.resource cimport Resource


cdef class StaticResource(Resource):
    cdef public FileAnswers _answers
    cdef public Shelf _shelf
    cdef public bytes _root, _prefix
    cdef public bint _spa, _listing, _untrusted
    cdef public object _clean
    @cython.locals(entry=Entry)
    cpdef render(self, Request request, bytes data=*, bint end=*)
