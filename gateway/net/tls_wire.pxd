from gateway.net.draining cimport Draining
from gateway.net.tls_output cimport Output
from gateway.net.tls_turn cimport Turn

cdef object _GREETING, _HANDSHAKE, _OPEN, _DRAINING, _CLOSED


cdef class TLSWire:
    cdef public object state, _loop, _sock, _tls, _look
    cdef public Draining _draining
    cdef public Turn _turn
    cdef public Output _output
    cdef public int _fd
    cdef public bint disconnecting
    cdef public bint _awaiting_room, _peer_done, _reading, _scheduled, _write_closed
    cpdef on_open(self)
    cpdef on_data(self, bytes data)
    cpdef on_end_of_data(self)
    cpdef on_sent(self)
    cpdef on_lost(self, reason)
    cpdef send(self, bytes data)
    cpdef flush(self)
    cpdef fail(self, problem)
    cpdef bint _read(self) except *
