"""HTTP semantics (RFC 9110): pure data and functions, no sockets, no clock."""
