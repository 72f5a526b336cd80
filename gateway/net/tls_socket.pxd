from gateway.net.tls_wire cimport TLSWire

cdef object log


cdef class TLSSocket(TLSWire):
    cdef public object _peer, _producer, protocol
    cdef public bint _paused, connected
