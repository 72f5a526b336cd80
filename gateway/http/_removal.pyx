"""Field lines dropped from a block in C, in one pass; many names at once are left to plain Python."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memchr, memcpy

from gateway.http import removal

cdef enum:
    FEW = 8

cdef object plain = removal.without


cdef bint begins_with(const unsigned char* line, Py_ssize_t length, const unsigned char* name, Py_ssize_t size) noexcept:
    """Tell whether a line's name is this one, which is written in lower case."""
    cdef Py_ssize_t at
    cdef unsigned char octet
    if length <= size or line[size] != 58:
        return False
    for at in range(size):
        octet = line[at]
        if 65 <= octet <= 90:
            octet += 32
        if octet != name[at]:
            return False
    return True


def without(bytes block not None, frozenset names not None):
    """Drop every line whose name, in lower case, is among `names`, as `removal.without` does."""
    cdef const unsigned char* wanted[FEW]
    cdef Py_ssize_t sizes[FEW]
    cdef const unsigned char* at = <const unsigned char*>PyBytes_AS_STRING(block)
    cdef const unsigned char* end = at + PyBytes_GET_SIZE(block)
    cdef const unsigned char* stop
    cdef const unsigned char* kept = at
    cdef char* out = NULL
    cdef Py_ssize_t size = 0
    cdef int count = 0, each
    cdef bytes name, found
    if len(names) > FEW:
        return plain(block, names)
    for name in names:
        wanted[count] = <const unsigned char*>PyBytes_AS_STRING(name)
        sizes[count] = PyBytes_GET_SIZE(name)
        count += 1
    found = None
    while at < end:
        stop = <const unsigned char*>memchr(at, 10, end - at)
        stop = end if stop == NULL else stop + 1
        for each in range(count):
            if begins_with(at, stop - at, wanted[each], sizes[each]):
                if found is None:
                    found = PyBytes_FromStringAndSize(NULL, end - kept)
                    out = PyBytes_AS_STRING(found)
                memcpy(out + size, kept, at - kept)
                size += at - kept
                kept = stop
                break
        at = stop
    if found is None:
        return block
    memcpy(out + size, kept, end - kept)
    return PyBytes_FromStringAndSize(out, size + (end - kept))
