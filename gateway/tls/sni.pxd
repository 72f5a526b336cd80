cdef class ServerNames:
    cdef object __weakref__
    cdef public object first, _profile, _protocols, _nothing
    cdef public dict _keys, _contexts, _challenges
    cdef public set _renewed, _served
