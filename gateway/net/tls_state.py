"""How a TLS connection of ours stands, and what strangers to TLS are told.

state       meaning                                           next
GREETING    nothing has come yet                              HANDSHAKE, DRAINING, CLOSED
HANDSHAKE   OpenSSL shakes hands                              OPEN, DRAINING, CLOSED
OPEN        octets both ways                                  DRAINING, CLOSED
DRAINING    our close_notify is sent; what comes is dropped   CLOSED
CLOSED      the socket is closed
"""

from __future__ import annotations

from enum import Enum
from typing import Final

PLAIN_HTTP: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 65\r\nConnection: close\r\n\r\n"
    b"This port speaks HTTPS: the address has to begin with https:// .\n"
)
"""Answer to plain HTTP."""


class State(Enum):
    """See the table in the module's docstring."""

    GREETING = "greeting"
    HANDSHAKE = "handshake"
    OPEN = "open"
    DRAINING = "draining"
    CLOSED = "closed"
