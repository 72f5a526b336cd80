cimport cython
from gateway.http.message cimport RequestHead
from gateway.http.prepared cimport PreparedAnswer
from gateway.resources.static_cache cimport Entry
from gateway.resources.static_ready cimport Ready


cdef class FileEntry(Entry):
    cdef public tuple _codings, _names, _state
    cdef public dict ready
    @cython.locals(codings=tuple, ready=Ready)
    cpdef Ready choose(self, RequestHead head)


cdef class PageEntry(Entry):
    cdef public tuple identity
    cdef public PreparedAnswer answer


cdef class MovedEntry(Entry):
    cdef public bytes path


cdef class MissingEntry(Entry):
    pass
