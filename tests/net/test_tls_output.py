from __future__ import annotations

import pytest
from OpenSSL import SSL

from gateway.net.tls_output import Output


class Narrow:
    """OpenSSL's side of a connection that takes a record of four octets at a time, and only so many in all."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.taken: list[bytes] = []
        self.offered = b""

    def send(self, data: memoryview) -> int:
        assert bytes(data).startswith(self.offered), "other octets than before"
        if self.room < 4 and len(data) > self.room:
            self.offered = bytes(data)
            raise SSL.WantWriteError
        self.offered = b""
        piece = bytes(data[:4])
        self.room -= len(piece)
        self.taken.append(piece)
        return len(piece)


def test_small_pieces_leave_together() -> None:
    """What was written in one turn is one record."""
    output, tls = Output(None), Narrow(100)
    for piece in (b"a", b"b", b"cd", b"e"):
        output.add(piece)
    assert output.size == 5
    output.send(tls)
    assert (tls.taken, output.size, output.blocked) == ([b"abcd", b"e"], 0, False)


def test_the_same_octets_are_offered_again() -> None:
    """What a full socket refused is offered again unchanged, before what was added since."""
    output, tls = Output(None), Narrow(6)
    output.add(b"abcdefgh")
    with pytest.raises(SSL.WantWriteError):
        output.send(tls)
    assert (output.size, output.blocked) == (4, True)
    output.add(b"ij")
    with pytest.raises(SSL.WantWriteError):
        output.send(tls)
    tls.room = 100
    output.send(tls)
    assert (b"".join(tls.taken), output.size, output.blocked) == (b"abcdefghij", 0, False)


def test_dropping() -> None:
    """Nothing is left of what is dropped."""
    output, tls = Output(None), Narrow(0)
    output.add(b"abcdef")
    with pytest.raises(SSL.WantWriteError):
        output.send(tls)
    output.drop()
    output.send(tls)
    assert (tls.taken, output.size, output.blocked) == ([], 0, False)
