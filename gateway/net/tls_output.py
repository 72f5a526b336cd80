"""What a TLS connection has to send and OpenSSL has not taken yet, and when the system sends what OpenSSL wrote.

Messages of the handshake that need no answer, and close_notify, are records of their own. TCP holds them back (tcp(7),
TCP_CORK) until what follows is there: tickets leave with the first answer, the last answer with close_notify and FIN.
"""

from __future__ import annotations

import socket
from typing import Final

from OpenSSL import SSL

from gateway.units import ByteCount

RECORD: Final = ByteCount(16_384)
"""Octets that a record holds at most (RFC 8446 §5.1)."""

_CORK: int = getattr(socket, "TCP_CORK", 0)  # Linux has it


class Output:
    """Octets on their way into records.

    Args:
        sock: Where records go; None if it is no TCP socket.

    Attributes:
        size: How many there are.
        blocked: Whether OpenSSL took only a part: the same octets have to be offered again first, once the socket takes
            more (SSL_write(3)).
        held: Whether the system holds back what does not fill a segment.
    """

    __slots__ = ("_pieces", "_rest", "_sock", "blocked", "held", "size")

    def __init__(self, sock: socket.socket | None) -> None:
        self.size = 0
        self.blocked = False
        self.held = False
        self._sock = sock if _CORK else None
        self._pieces: list[bytes] = []
        self._rest: bytes | memoryview = b""

    def add(self, data: bytes) -> None:
        """Append octets."""
        self._pieces.append(data)
        self.size += len(data)

    def send(self, tls: SSL.Connection) -> None:
        """Give OpenSSL all it takes; small pieces leave together.

        Raises:
            SSL.WantWriteError: The socket takes no more for now.
            SSL.Error: The connection is gone.
        """
        data = self._rest or self._take()
        self._rest = b""
        self.blocked = False
        try:
            while data:
                sent = tls.send(data)
                self.size -= sent
                data = data[sent:] or self._take()
        except SSL.WantWriteError:
            self._rest = data
            self.blocked = True
            raise

    def hold(self) -> None:
        """Hold back what does not fill a segment; the system does so for 200 ms at most."""
        if self._sock is not None and not self.held:
            self.held = True
            self._sock.setsockopt(socket.IPPROTO_TCP, _CORK, True)

    def let_go(self) -> None:
        """Send what is held back."""
        if self._sock is not None and self.held:
            self.held = False
            self._sock.setsockopt(socket.IPPROTO_TCP, _CORK, False)

    def drop(self) -> None:
        """Forget all."""
        self.size = 0
        self.blocked = False
        self._pieces = []
        self._rest = b""

    def _take(self) -> bytes | memoryview:
        """Join what was added; what leaves as several records is not copied for each of them."""
        pieces = self._pieces
        if not pieces:
            return b""
        whole = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces = []
        return whole if len(whole) <= RECORD else memoryview(whole)
