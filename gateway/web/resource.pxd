from gateway.web.request cimport Request


cdef class Resource:
    cpdef render(self, Request request, bytes data=*, bint end=*)
