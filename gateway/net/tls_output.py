"""What a TLS connection has to send and OpenSSL has not taken yet."""

from __future__ import annotations

from OpenSSL import SSL


class Output:
    """Octets on their way into records.

    Attributes:
        size: How many there are.
        blocked: Whether OpenSSL took only a part and waits for the socket.
    """

    __slots__ = ("_pieces", "_rest", "size")

    def __init__(self) -> None:
        self.size = 0
        self._pieces: list[bytes] = []
        self._rest: memoryview | None = None

    @property
    def blocked(self) -> bool:
        """Whether the same octets have to be offered again first, once the socket takes more (SSL_write(3))."""
        return self._rest is not None

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
        data, self._rest = self._rest, None
        while data is not None or self._pieces:
            if data is None:
                data = memoryview(self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces))
                self._pieces = []
            try:
                while data:
                    sent = tls.send(data)
                    self.size -= sent
                    data = data[sent:]
            except SSL.WantWriteError:
                self._rest = data
                raise
            data = None

    def drop(self) -> None:
        """Forget all."""
        self.size = 0
        self._pieces = []
        self._rest = None
