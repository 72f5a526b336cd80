"""What a TLS connection has to send and OpenSSL has not taken yet."""

from __future__ import annotations

from typing import Final

from OpenSSL import SSL

from gateway.units import ByteCount

RECORD: Final = ByteCount(16_384)
"""Octets that a record holds at most (RFC 8446 §5.1)."""


class Output:
    """Octets on their way into records.

    Attributes:
        size: How many there are.
        blocked: Whether OpenSSL took only a part: the same octets have to be offered again first, once the socket takes
            more (SSL_write(3)).
    """

    __slots__ = ("_pieces", "_rest", "blocked", "size")

    def __init__(self) -> None:
        self.size = 0
        self.blocked = False
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
