cimport cython
from gateway.resources.static_cache cimport Entry, Shelf
from gateway.resources.static_entries cimport FileEntry, MovedEntry, PageEntry
from gateway.resources.static_ready cimport Ready
from gateway.web.request cimport Request


cdef class FileAnswers:
    cdef public object _cache, _disk, _tags, _wall_clock
    @cython.locals(ready=Ready, file=FileEntry, page=PageEntry)
    cpdef bint answer_from(self, Entry entry, Request request) except -1
