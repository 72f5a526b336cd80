"""Content behind heads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ProtocolError
from gateway.http.message import Framing
from gateway.protocol.content import ContentReader
from gateway.protocol.http1_fields import HeadLimits

CHUNKED = b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nChecksum: 1\r\n\r\n"


def read(reader: ContentReader, data: bytes, cuts: list[int]) -> bytes:
    """Feed `data` split at `cuts`, and give the content."""
    content = b""
    ends = sorted({cut % (len(data) + 1) for cut in cuts} | {len(data)})
    for start, end in zip([0, *ends], ends, strict=False):
        if reader.done:
            reader.rest += data[start:end]
        else:
            content += reader.receive(data[start:end])
    return content


def test_content_that_passes_by() -> None:
    """What did not come through here counts as well, where the length is known."""
    reader = ContentReader(HeadLimits())
    assert reader.left == 0
    reader.begin(Framing.LENGTH, 10)
    reader.receive(b"012")
    assert reader.left == 7
    reader.skip(5)
    assert reader.left == 2
    assert reader.receive(b"89rest") == b"89"
    assert (reader.done, reader.left, reader.rest) == (True, 0, b"rest")
    reader.begin(Framing.LENGTH, 4)
    reader.skip(4)
    assert not reader.done
    assert (reader.receive(b""), reader.done) == (b"", True)
    for framing in (Framing.CHUNKED, Framing.CLOSE):
        reader.begin(framing, 0)
        assert reader.left == 0


@pytest.mark.parametrize(
    ("framing", "length", "octets", "trailers"),
    [(Framing.LENGTH, 5, b"abcde", b""), (Framing.CHUNKED, 0, CHUNKED, b"Checksum: 1\r\n")],
)
@given(cuts=st.lists(st.integers(0, 100)), rest=st.binary(max_size=20))
def test_any_split(framing: Framing, length: int, octets: bytes, trailers: bytes, cuts: list[int], rest: bytes) -> None:
    """Any split gives the same content, trailers and rest (RFC 9112 §6.3)."""
    reader = ContentReader(HeadLimits())
    reader.begin(framing, length)
    assert read(reader, octets + rest, cuts) == b"abcde"
    assert (reader.done, reader.trailers, reader.rest) == (True, trailers, rest)


def test_until_close() -> None:
    """Content that ends with the connection is never complete here."""
    reader = ContentReader(HeadLimits())
    reader.begin(Framing.CLOSE, 0)
    assert reader.receive(b"abc") == b"abc"
    assert not reader.done


def test_none() -> None:
    """Where there is no content, all that comes is rest."""
    reader = ContentReader(HeadLimits())
    reader.begin(Framing.NONE, 0)
    assert reader.receive(b"abc") == b""
    assert (reader.done, reader.rest) == (True, b"abc")


def test_nothing_is_kept() -> None:
    """After `forget` nothing of the message is held."""
    reader = ContentReader(HeadLimits())
    reader.begin(Framing.CHUNKED, 0)
    reader.receive(CHUNKED + b"rest")
    reader.forget()
    assert (reader.rest, reader.trailers, reader.done) == (b"", b"", True)


def test_broken_chunks() -> None:
    """Broken framing is an error (RFC 9112 §7.1)."""
    reader = ContentReader(HeadLimits())
    reader.begin(Framing.CHUNKED, 0)
    with pytest.raises(ProtocolError):
        reader.receive(b"zz\r\n")
