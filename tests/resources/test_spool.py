"""Uploads collected before the application is asked."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from gateway.http.forwarding import Via
from gateway.protocol.chunked import ChunkedDecoder
from gateway.protocol.http1_fields import HeadLimits
from gateway.resources.proxy import ProxyResource
from gateway.resources.spool import SpoolResource
from gateway.units import ByteCount
from gateway.upstream.balancer import Balancer
from tests.support.transports import FakeTransport, World

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HEAD = b"POST /up HTTP/1.1\r\nHost: example.com\r\n"


def spooling(limit: int = 1_000_000, max_body: int = 0) -> World:
    """A gateway whose only location spools."""
    world = World(max_body=max_body)
    world.location.leaf = SpoolResource(world.location.leaf, ByteCount(limit), world.clock)
    return world


def upload(world: World, length: int, data: bytes = b"") -> FakeTransport:
    client = world.client()
    client.receive(HEAD + b"Content-Length: %d\r\n\r\n%b" % (length, data))
    return client


def sent(world: World) -> tuple[bytes, bytes]:
    """What the upstream got: head and content."""
    head, _, content = world.endpoint.last.take().partition(b"\r\n\r\n")
    return head, content


def test_the_upstream_is_asked_when_the_content_is_complete() -> None:
    """A slow upload costs the application nothing until it is there as a whole."""
    world = spooling()
    client = upload(world, 6, b"abc")
    assert world.endpoint.accepted == []
    client.receive(b"def")
    head, content = sent(world)
    assert b"Content-Length: 6" in head
    assert content == b"abcdef"
    world.endpoint.last.receive(OK)
    assert client.take().endswith(b"\r\n\r\nok")
    assert len(world.log.finished) == 1


def test_a_request_without_content_passes() -> None:
    """Nothing to collect: the application is asked at once."""
    world = spooling()
    client = world.client()
    client.receive(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
    assert sent(world)[0].startswith(b"GET / ")
    world.endpoint.last.receive(OK)
    client.receive(HEAD + b"Content-Length: 3\r\n\r\nabc")
    assert sent(world)[1] == b"abc"


def test_a_chunked_upload_is_sent_with_its_length() -> None:
    """A whole content has a known length, which weak back ends want."""
    world = spooling()
    client = world.client()
    client.receive(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    client.receive(b"2\r\nde\r\n0\r\n\r\n")
    head, content = sent(world)
    assert b"Content-Length: 5" in head
    assert b"chunked" not in head.lower()
    assert content == b"abcde"


def test_trailers_follow_the_content() -> None:
    """A chunked upload with a trailer section stays chunked, for that has no other place."""
    world = spooling()
    client = world.client()
    client.receive(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    client.receive(b"0\r\nChecksum: 1\r\n\r\n")
    head, content = sent(world)
    assert b"Transfer-Encoding: chunked" in head
    assert content == b"3\r\nabc\r\n0\r\nChecksum: 1\r\n\r\n"


def test_large_content_comes_back_from_the_file() -> None:
    """What went to disk arrives byte for byte, and others have their turn meanwhile."""
    world = spooling(4_000_000)
    body = bytes(range(256)) * 12_000
    client = upload(world, len(body))
    client.receive(body, 100_000)
    content = sent(world)[1]
    assert 1_000_000 < len(content) < 1_200_000
    world.clock.advance(0)
    assert content + world.endpoint.last.take() == body
    world.endpoint.last.receive(OK)
    assert client.take().endswith(b"ok")


def test_a_slow_upstream_stops_the_feeding(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is read from the file than the application takes."""
    write = FakeTransport.write

    def write_to_a_slow_peer(transport: FakeTransport, data: bytes) -> None:
        write(transport, data)
        if len(transport.written) > 150_000:
            transport.stall()

    monkeypatch.setattr(FakeTransport, "write", write_to_a_slow_peer)
    world = spooling(4_000_000)
    body = b"x" * 900_000
    client = upload(world, len(body))
    client.receive(body, 100_000)
    upstream = world.endpoint.last
    got = sent(world)[1]
    while len(got) < len(body):
        upstream.drain()
        world.clock.advance(0)
        more = upstream.take()
        assert 0 < len(more) < 250_000
        got += more
    assert got == body
    upstream.receive(OK)
    assert client.take().endswith(b"ok")


def test_content_over_the_limit_streams_from_there() -> None:
    """At most `buffer` octets are kept; what follows waits for the application and is then passed on in order."""
    world = spooling(100_000)
    world.endpoint.waiting = True
    client = upload(world, 300_000, b"a" * 90_000)
    assert world.endpoint.accepted == []
    client.receive(b"b" * 20_000)
    assert not client.reading
    client.receive(b"c" * 10_000)
    world.endpoint.accept()
    world.clock.advance(0)
    assert client.reading
    assert sent(world)[1] == b"a" * 90_000 + b"b" * 20_000 + b"c" * 10_000
    client.receive(b"d" * 180_000)
    assert world.endpoint.last.take() == b"d" * 180_000
    world.endpoint.last.receive(OK)
    assert client.take().endswith(b"ok")


def test_a_stalled_upstream_keeps_the_client_stopped_beyond_the_limit() -> None:
    """Once the kept content is sent, the application's back-pressure reaches the client itself."""
    world = spooling(100_000)
    client = upload(world, 300_000, b"a" * 90_000)
    client.receive(b"b" * 20_000)
    upstream = world.endpoint.last
    assert client.reading
    upstream.stall()
    assert not client.reading
    upstream.drain()
    assert client.reading


def test_trailers_behind_content_over_the_limit() -> None:
    """What comes although the client was stopped is sent in its order, the trailer section last."""
    world = spooling(4)
    world.endpoint.waiting = True
    client = world.client()
    client.receive(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    client.receive(b"3\r\ndef\r\n")
    client.receive(b"1\r\ng\r\n0\r\nChecksum: 1\r\n\r\n")
    world.endpoint.accept()
    world.clock.advance(0)
    decoder = ChunkedDecoder(HeadLimits())
    assert decoder.receive(sent(world)[1]) == b"abcdefg"
    assert (decoder.done, decoder.trailers) == (True, b"Checksum: 1\r\n")


def test_the_gateway_answers_an_expectation_itself() -> None:
    """The client is told to go on at once, and the application never sees the expectation."""
    world = spooling()
    client = world.client()
    client.receive(HEAD + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    assert client.take() == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert world.endpoint.accepted == []
    client.receive(b"abc")
    assert b"Expect" not in sent(world)[0]


def test_content_over_max_body_is_refused() -> None:
    """The body limit holds while content is collected, and nothing reaches the application."""
    world = spooling(max_body=5)
    client = world.client()
    client.receive(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    client.receive(b"3\r\nabc\r\n")
    assert client.take().startswith(b"HTTP/1.1 413 ")
    assert world.endpoint.accepted == []


@pytest.mark.parametrize("fed", [False, True])
def test_the_file_is_gone_with_the_client(fed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that leaves takes its temporary file along, before and while the application is fed."""
    files = []
    make = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def remember(**options: str) -> object:
        files.append(make(prefix=options["prefix"]))
        return files[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", remember)
    world = spooling()
    world.endpoint.waiting = True
    client = upload(world, 200_000, b"x" * 150_000)
    if fed:
        client.receive(b"x" * 50_000)
    assert [file.closed for file in files] == [False]
    client.lose()
    assert [file.closed for file in files] == [True]
    assert list(tmp_path.iterdir()) == []
    assert world.log.finished[0].status == 0


def test_an_early_answer_ends_the_feeding() -> None:
    """An application that refuses half-way is not fed any further."""
    world = spooling(4_000_000)
    client = upload(world, 900_000, b"x" * 899_999)
    world.endpoint.waiting = True
    client.receive(b"x")
    world.endpoint.accept()
    world.clock.advance(0)
    assert len(world.log.finished) == 0
    upstream = world.endpoint.last
    upstream.receive(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
    assert client.take().startswith(b"HTTP/1.1 413 ")
    assert len(world.log.finished) == 1


def test_an_unreachable_upstream_is_answered_after_the_upload() -> None:
    """What goes wrong once the content is there is answered like anywhere else."""
    world = spooling()
    world.endpoint.refuse()
    client = upload(world, 200_000, b"x" * 199_999)
    client.receive(b"x")
    assert client.take().startswith(b"HTTP/1.1 503 ")
    assert world.log.finished[0].error is not None


def test_a_request_that_went_round_in_a_loop() -> None:
    """What the leaf refuses once the content is there is answered too."""
    world = spooling()
    client = world.client()
    client.receive(HEAD + b"Via: 1.1 gw\r\nContent-Length: 3\r\n\r\n")
    client.receive(b"abc")
    assert client.take().startswith(b"HTTP/1.1 508 ")


def test_a_full_disk_is_answered() -> None:
    """Where the file cannot be written the client is told to come again, and the log says why."""
    world = spooling()
    with pytest.MonkeyPatch.context() as patch:

        def no_space(**_options: str) -> object:
            raise OSError(28, "No space left on device")

        patch.setattr(tempfile, "TemporaryFile", no_space)
        client = upload(world, 200_000, b"x" * 150_000)
    assert client.take().startswith(b"HTTP/1.1 503 ")
    error = world.log.finished[0].error
    assert error is not None
    assert error.reason == "spool_failed"
    assert "No space left" in str(error)


def test_a_second_upstream_takes_over() -> None:
    """A connection that fails is tried elsewhere with the whole content."""
    world = World(upstreams=2)
    world.location.leaf = SpoolResource(
        ProxyResource(Balancer(world.upstreams), clock=world.now, via=Via("gw"), sockets=world.sockets),
        ByteCount(1_000_000),
        world.clock,
    )
    world.endpoints[1].refuse()
    client = upload(world, 200_000, b"x" * 199_999)
    client.receive(b"x")
    assert sent(world)[1] == b"x" * 200_000
