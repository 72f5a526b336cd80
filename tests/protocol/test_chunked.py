"""The chunked coding, section by section of RFC 9112 §7.1 and RFC 9110 §6.5."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ProtocolError
from gateway.protocol.chunked import ChunkedDecoder, encode_chunk, encode_last_chunk
from gateway.protocol.http1_fields import HeadLimits
from gateway.units import ByteCount

LIMITS = HeadLimits(size=ByteCount(200), count=3)


def decode(*packets: bytes, limits: HeadLimits = LIMITS) -> tuple[bytes, ChunkedDecoder]:
    decoder = ChunkedDecoder(limits)
    return feed(decoder, list(packets)), decoder


def feed(decoder: ChunkedDecoder, packets: list[bytes]) -> bytes:
    return b"".join([decoder.receive(packet) for packet in packets])


def refuse(data: bytes, status: int = 400, limits: HeadLimits = LIMITS) -> None:
    """Check that `data` is refused whole and octet by octet, and that the decoder refuses more afterwards."""
    for packets in ([data], [bytes([octet]) for octet in data]):
        decoder = ChunkedDecoder(limits)
        with pytest.raises(ProtocolError) as caught:
            feed(decoder, packets)
        assert caught.value.status == status
        assert not decoder.done
        with pytest.raises(ProtocolError):
            decoder.receive(b"1\r\na\r\n")


class TestChunkedCoding:
    """RFC 9112 §7.1."""

    def test_content_of_several_chunks(self) -> None:
        """Chunks in one packet come out as one content."""
        content, decoder = decode(b"5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n")
        assert (content, decoder.done, decoder.rest, decoder.trailers) == (b"hello world", True, b"", b"")

    def test_one_octet_at_a_time(self) -> None:
        """Content and end are found however the input is split."""
        content, decoder = decode(*(bytes([octet]) for octet in b"A\r\n0123456789\r\n00\r\nX: y\r\n\r\n"))
        assert (content, decoder.done, decoder.trailers) == (b"0123456789", True, b"X: y\r\n")

    def test_rest_is_kept(self) -> None:
        """Octets after the end belong to the next message."""
        content, decoder = decode(b"1\r\na\r\n0\r\n\r\nGET /", b" HTTP/1.1\r\n")
        assert (content, decoder.rest) == (b"a", b"GET / HTTP/1.1\r\n")

    def test_packet_inside_a_large_chunk_passes_uncopied(self) -> None:
        """Data of a large chunk is handed on as the very object that came."""
        decoder = ChunkedDecoder(LIMITS)
        assert decoder.receive(b"100000\r\n") == b""
        packet = b"x" * 65536
        assert decoder.receive(packet) is packet

    @pytest.mark.parametrize("size", [b"7fffffffffffffff", b"8000000000000000", b"ffffffffffffffff"])
    def test_a_chunk_that_will_never_end(self, size: bytes) -> None:
        """A size that no machine can hold is a size like any other: what comes of the chunk passes."""
        content, decoder = decode(b"2\r\nab\r\n" + size + b"\r\ncd", b"ef")
        assert content == b"abcdef"
        assert not decoder.done

    def test_chunk_ends_at_packet_border(self) -> None:
        """The CRLF after chunk data may come in its own packets."""
        content, decoder = decode(b"3\r\n", b"abc", b"\r", b"\n0\r", b"\n\r", b"\nrest")
        assert (content, decoder.done, decoder.rest) == (b"abc", True, b"rest")

    @pytest.mark.parametrize("size", [b"a", b"A", b"0a", b"000000000000000a"])
    def test_size_in_hexadecimal(self, size: bytes) -> None:
        """Either case and leading zeros up to 16 digits are taken."""
        assert decode(size + b"\r\n0123456789\r\n0\r\n\r\n")[0] == b"0123456789"

    @pytest.mark.parametrize(
        "size",
        [
            b"",
            b" 5",
            b"5 ",
            b"5\t",
            b"+5",
            b"-5",
            b"0x5",
            b"5h",
            b"5_0",
            b"5.0",
            b"5,5",
            b"5 5",
            b"\xef\xbc\x95",
            b"00000000000000005",
            b"10000000000000005",
            b"f" * 40,
        ],
    )
    def test_malformed_size(self, size: bytes) -> None:
        """A chunk size is 1 to 16 hexadecimal digits and nothing else."""
        refuse(size + b"\r\nhello\r\n0\r\n\r\n")

    @pytest.mark.parametrize(
        "data",
        [
            b"5\nhello\r\n0\r\n\r\n",
            b"5\rhello\r\n0\r\n\r\n",
            b"5\r\r\nhello\r\n0\r\n\r\n",
            b"5\x00\r\nhello\r\n0\r\n\r\n",
            b"5\r\nhello\n0\r\n\r\n",
            b"5\r\nhello0\r\n\r\n",
            b"5\r\nhello!\r\n0\r\n\r\n",
            b"5\r\nhello\rX0\r\n\r\n",
            b"5\r\nhello\r\n\r\n0\r\n\r\n",
            b"5\r\nhell\r\n0\r\n\r\n",
            b"0\n\n",
            b"0\r\n\n",
            b"0\r\nX: y\n\r\n",
            b"0\r\nX: y\rZ: z\r\n\r\n",
        ],
    )
    def test_line_ends_are_crlf(self, data: bytes) -> None:
        """Bare CR, bare LF and data of another length than announced are refused."""
        refuse(data)

    def test_unfinished_content_is_not_done(self) -> None:
        """Without the blank line after the last chunk the content is incomplete."""
        for data in (b"5\r\nhello\r\n", b"5\r\nhello\r\n0", b"0\r\n", b"0\r\n\r", b"0\r\nX: y\r\n"):
            assert not decode(data)[1].done


class TestChunkExtensions:
    """RFC 9112 §7.1.1."""

    @pytest.mark.parametrize(
        "extension",
        [b";a", b";a=b", b" ; a = b", b';a="b;c\\"\xff"', b";a;b=c;d", b";\ta\t=\tb", b";chunk-signature=00ff"],
    )
    def test_dropped(self, extension: bytes) -> None:
        """Well-formed extensions are ignored."""
        assert decode(b"5" + extension + b"\r\nhello\r\n0" + extension + b"\r\n\r\n")[0] == b"hello"

    @pytest.mark.parametrize(
        "extension",
        [
            b";",
            b";;a",
            b";a=",
            b";=b",
            b";a b",
            b";a=b c",
            b';a="b',
            b';a="b"c',
            b";a\x00",
            b";a\x0b",
            b";a\nb",
            b";a=b ",
        ],
    )
    def test_malformed(self, extension: bytes) -> None:
        """An extension that breaks the grammar is refused, bare LF and controls above all."""
        refuse(b"5" + extension + b"\r\nhello\r\n0\r\n\r\n")

    def test_one_over_the_limit(self) -> None:
        """An endless extension is refused before its end comes."""
        refuse(b"5;" + b"a" * 200)

    def test_all_together_over_the_limit(self) -> None:
        """Many small extensions are bounded as a sum."""
        refuse(b"1;aaaaaaaaa\r\nx\r\n" * 21)

    def test_up_to_the_limit(self) -> None:
        """Extensions of exactly the limit pass."""
        assert decode(b"1;aaaaaaaaa\r\nx\r\n" * 20 + b"0\r\n\r\n")[0] == b"x" * 20


class TestTrailerSection:
    """RFC 9110 §6.5; RFC 9112 §7.1.2."""

    def test_end_to_end_fields_are_kept(self) -> None:
        """Trailer lines come out as they came."""
        assert decode(b"0\r\nGrpc-Status: 0\r\nX-Sum:\tab \r\n\r\n")[1].trailers == b"Grpc-Status: 0\r\nX-Sum:\tab \r\n"

    @pytest.mark.parametrize(
        "name",
        [
            b"Content-Length",
            b"Transfer-Encoding",
            b"Host",
            b"Connection",
            b"Trailer",
            b"TE",
            b"Upgrade",
            b"Authorization",
            b"Cookie",
            b"Set-Cookie",
            b"X-Forwarded-For",
            b"x_forwarded_for",
            b"Forwarded",
            b"Via",
            b"Proxy",
            b"Content-Type",
            b"Content-Encoding",
            b"Content-Range",
            b"Cache-Control",
            b"If-Match",
            b"Expect",
            b"Location",
            b"X-Request-Id",
            b"Remote_User",
        ],
    )
    def test_forbidden_fields_are_dropped(self, name: bytes) -> None:
        """Framing, routing, authentication and control fields never come out of a trailer section (§6.5.1)."""
        decoder = decode(b"0\r\n" + name + b": 1\r\nX: y\r\n\r\n")[1]
        assert (decoder.done, decoder.trailers) == (True, b"X: y\r\n")

    @pytest.mark.parametrize(
        "line",
        [b"X", b": y", b"X : y", b" X: y", b"\tfolded", b"X\x00: y", b"X: y\x00", b"X: \x7f", b"X(: y", b"\xff: y"],
    )
    def test_malformed_line(self, line: bytes) -> None:
        """Trailers obey the rules of field lines (RFC 9112 §5)."""
        refuse(b"0\r\nA: b\r\n" + line + b"\r\n\r\n")

    def test_nothing_before_the_end(self) -> None:
        """Trailers are there only once their section is complete."""
        decoder = decode(b"0\r\nX: y\r\n")[1]
        assert decoder.trailers == b""
        decoder.receive(b"\r\n")
        assert (decoder.done, decoder.trailers) == (True, b"X: y\r\n")

    def test_too_many_fields(self) -> None:
        """One trailer line over the count limit answers 431."""
        refuse(b"0\r\n" + b"X: y\r\n" * 4, 431)
        assert decode(b"0\r\n" + b"X: y\r\n" * 3 + b"\r\n")[1].done

    def test_too_large(self) -> None:
        """One octet over the size limit answers 431, before the line is complete."""
        refuse(b"0\r\nX: " + b"y" * 198, 431)
        refuse(b"0\r\nX: " + b"y" * 91 + b"\r\nY: " + b"y" * 100 + b"\r\n\r\n", 431)
        assert decode(b"0\r\nX: " + b"y" * 195 + b"\r\n\r\n")[1].done


CHUNKS = st.lists(st.binary(min_size=1, max_size=40), max_size=6)
MUTATIONS = st.lists(st.tuples(st.integers(0, 400), st.sampled_from(b'\r\n 0;:=aG"\x00\t')), max_size=2)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def outcome(packets: list[bytes]) -> tuple[bytes | None, bool, bytes, bytes]:
    try:
        content, decoder = decode(*packets)
    except ProtocolError:
        return None, False, b"", b""
    return content, decoder.done, decoder.rest, decoder.trailers


@given(CHUNKS, st.lists(st.integers(0, 10_000), max_size=8), st.binary(max_size=5))
def test_decoding_undoes_encoding(chunks: list[bytes], cuts: list[int], rest: bytes) -> None:
    """What the encoder writes, the decoder reads back, for any split."""
    wire = b"".join(map(encode_chunk, chunks)) + encode_last_chunk(b"X: y\r\n") + rest
    assert outcome(split(wire, cuts)) == (b"".join(chunks), True, rest, b"X: y\r\n")


@given(CHUNKS, MUTATIONS, st.lists(st.integers(0, 10_000), max_size=8))
def test_any_split_gives_the_same(chunks: list[bytes], mutations: list[tuple[int, int]], cuts: list[int]) -> None:
    """A split never changes what damaged input means."""
    wire = bytearray(b"".join(map(encode_chunk, chunks)) + b"1;a=b\r\nx\r\n" + encode_last_chunk(b"X: y\r\n") + b"rest")
    for position, octet in mutations:
        wire[position % len(wire)] = octet
    data = bytes(wire)
    assert outcome(split(data, cuts)) == outcome([data])


def test_empty_content_is_not_the_last_chunk() -> None:
    """Encoding nothing writes nothing, so that content cannot end by accident."""
    assert encode_chunk(b"") == b""
    assert encode_chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
    assert encode_last_chunk() == b"0\r\n\r\n"
