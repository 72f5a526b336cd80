from gateway.protocol.websocket_frames cimport FramePipe


cdef class Side:
    cdef public FramePipe pipe
    cdef public Side far
    cdef public object relay, outlet, due, _leg
    cdef public bint ended, gone, blocked
