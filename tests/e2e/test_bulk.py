"""Large content between sockets, and from files, on either reactor: all that holds for small content holds for it."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.net.pipes import KEPT
from tests.e2e.conftest import StartGateway
from tests.support.ports import refuses
from tests.support.proc import kinds, kinds_at_rest
from tests.support.raw_http import RawHTTP
from tests.support.recorder import Play, RecordingUpstream
from tests.support.twistd import Twistd
from tests.support.waiting import eventually

pytestmark = pytest.mark.e2e

SITE = "app.test"
SIZE = 12_000_000
BODY = bytes(range(256)) * 8 + b"".join(n.to_bytes(4, "big") for n in range(SIZE // 4 - 512))
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE
GET = f"GET /big HTTP/1.1\r\nHost: {SITE}\r\n\r\n".encode()
WHOLE = Play((HEAD + BODY,), closes=False)
SOCKET = "socket:[]"


@pytest.fixture
def app() -> Iterator[RecordingUpstream]:
    recorder = RecordingUpstream()
    recorder.forget(WHOLE)
    yield recorder
    recorder.close()


def serve(start_gateway: StartGateway, app: RecordingUpstream, more: str = "", **keywords: object) -> Twistd:
    site = f'proxy = {{ to = {app.port}, connect_timeout = "60s"{more} }}\nhttps = "off"\n'
    return start_gateway({SITE: site}, **keywords)


def sockets(gateway: Twistd) -> int:
    return kinds(gateway.process.pid).count(SOCKET)


def sockets_at_rest(gateway: Twistd) -> int:
    return kinds_at_rest(gateway.process.pid).count(SOCKET)


def logged(gateway: Twistd, count: int) -> list[dict[str, object]]:
    """The lines of the access log, once there are so many."""

    def lines() -> list[dict[str, object]]:
        whole = [line for line in gateway.process.text().splitlines(keepends=True) if line.endswith("\n")]
        return [json.loads(line) for line in whole if line.startswith("{")]

    eventually(lambda: len(lines()) >= count, gateway.process.text)
    return lines()


def read(client: socket.socket, size: int) -> bytes:
    """Read exactly so much, or to the end."""
    got = bytearray()
    while len(got) < size and (piece := client.recv(min(1_000_000, size - len(got)))):
        got += piece
    return bytes(got)


def read_to_the_end(client: socket.socket) -> tuple[int, bool]:
    """Read all that comes; tells how much, and whether it ended with a reset."""
    count = 0
    try:
        while piece := client.recv(1_000_000):
            count += len(piece)
    except ConnectionResetError:
        return count, True
    return count, False


JSON_LOG = '[log]\nformat = "json"\n'


def test_content_arrives_whole_again_and_again(start_gateway: StartGateway, app: RecordingUpstream) -> None:
    """Every octet arrives in order, the log counts them, and both connections carry the next exchange."""
    gateway = serve(start_gateway, app, settings=JSON_LOG)
    with RawHTTP(gateway.port) as client:
        for _ in range(3):
            assert client.get("/big", SITE).body == BODY
        app.play = Play((b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsmall",), closes=False)
        assert client.get("/", SITE).body == b"small"
    assert app.accepted == 1
    assert [line["bytes_out"] for line in logged(gateway, 4)] == [SIZE, SIZE, SIZE, 5]


def test_pipelined_requests_and_head(start_gateway: StartGateway, app: RecordingUpstream) -> None:
    """Answers come in order behind each other; one to HEAD has no content."""
    gateway = serve(start_gateway, app)
    with RawHTTP(gateway.port) as client:
        client.send(GET * 3)
        for _ in range(3):
            assert client.answer().body == BODY
        app.play = Play((HEAD,), closes=False)
        client.send(GET.replace(b"GET", b"HEAD"))
        assert client.answer("HEAD").field(b"content-length") == b"%d" % SIZE
        app.play = WHOLE
        client.send(GET.replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert client.answer().body == BODY
        assert client.closed()


def test_content_in_pieces(start_gateway: StartGateway, app: RecordingUpstream) -> None:
    """What an app sends now is passed on now, however little it is."""
    gateway = serve(start_gateway, app)
    parts = (HEAD, BODY[:10], BODY[10:200_000], BODY[200_000:])
    app.forget(Play(parts, closes=False))
    with RawHTTP(gateway.port) as client:
        client.send(GET)
        head = read(client.socket, 1)
        assert head == b"H"
        app.go_on()
        assert client.socket.recv(20, socket.MSG_PEEK)
        client._left = head
        assert client.answer().body == BODY


def test_a_client_that_reads_slowly(start_gateway: StartGateway, app: RecordingUpstream) -> None:
    """It costs no memory, delays nobody, and gets all of it in the end."""
    gateway = serve(start_gateway, app)
    with RawHTTP(gateway.port) as slow, RawHTTP(gateway.port) as client:
        app.play = Play((b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsmall",), closes=False)
        client.get("/", SITE)
        before = gateway.process.peak_memory()
        app.play = WHOLE
        slow.send(GET)
        assert read(slow.socket, 1) == b"H"
        slow._left = b"H"
        app.play = Play((b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsmall",), closes=False)
        for _ in range(20):
            assert client.get("/", SITE).body == b"small"
        assert gateway.process.peak_memory() < before + 8_000_000
        assert slow.answer().body == BODY
        assert slow.get("/", SITE).body == b"small"


@pytest.mark.parametrize("reset", [False, True], ids=["closes", "resets"])
def test_a_client_that_leaves(start_gateway: StartGateway, app: RecordingUpstream, reset: bool) -> None:
    """The app's connection is given up, nothing stays open, and the next client is served."""
    gateway = serve(start_gateway, app, settings=JSON_LOG)
    before = sockets_at_rest(gateway)
    for octets in (1, 100_000, 500_000):  # little enough that the rest does not fit into buffers of the kernel
        client = RawHTTP(gateway.port)
        client.send(GET)
        read(client.socket, octets)
        if reset:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.socket.close()
        eventually(lambda: sockets(gateway) <= before)
        app.wait_until_ended()
    assert all(int(str(line["bytes_out"])) < SIZE and line["reason"] for line in logged(gateway, 3))
    with RawHTTP(gateway.port) as after:
        assert after.get("/big", SITE).body == BODY


@pytest.mark.parametrize("sent", [200_000, 5_000_000])
def test_an_app_that_dies(start_gateway: StartGateway, app: RecordingUpstream, sent: int) -> None:
    """The client gets what came and cannot take it for whole."""
    gateway = serve(start_gateway, app, settings=JSON_LOG)
    before = sockets_at_rest(gateway)
    app.forget(Play((HEAD + BODY[:sent],), closes=True))
    with RawHTTP(gateway.port) as client:
        client.send(GET)
        count, _ = read_to_the_end(client.socket)
        assert count < SIZE
    eventually(lambda: sockets(gateway) <= before)
    (line,) = logged(gateway, 1)
    assert line["status"] == 200
    assert line["reason"]


def test_an_app_that_stalls(start_gateway: StartGateway, app: RecordingUpstream) -> None:
    """Content that stands still for longer than the app may take is cut."""
    gateway = serve(start_gateway, app, ', idle_timeout = "1s"', settings=JSON_LOG)
    app.forget(Play((HEAD + BODY[:5_000_000], BODY[5_000_000:]), closes=False))
    with RawHTTP(gateway.port) as client:
        client.send(GET)
        count, _ = read_to_the_end(client.socket)
        assert count < SIZE
    (line,) = logged(gateway, 1)
    assert "stood still" in gateway.process.text() or line["reason"]


def test_a_client_that_stalls(start_gateway: StartGateway, app: RecordingUpstream, tmp_path: Path) -> None:
    """A client that reads nothing for too long is cut, whether an app or a file feeds it."""
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "big").write_bytes(BODY)
    file_site = f'static = "{tmp_path}/www"\nhttps = "off"\n'
    app_site = f'proxy = {{ to = {app.port}, connect_timeout = "60s" }}\nhttps = "off"\n'
    settings = '[limits]\nwrite_idle = "2s"\n' + JSON_LOG
    gateway = start_gateway({SITE: app_site, "file.test": file_site}, settings=settings)
    with RawHTTP(gateway.port) as first, RawHTTP(gateway.port) as second:
        first.send(GET)
        second.send(GET.replace(SITE.encode(), b"file.test"))
        for line in logged(gateway, 2):
            assert (line["bytes_out"] < SIZE, line["reason"]) == (True, "client_timeout")


def test_octets_behind_the_content(start_gateway: StartGateway, app: RecordingUpstream) -> None:
    """They reach nobody, and the connection they came on is not used again."""
    gateway = serve(start_gateway, app)
    app.forget(Play((HEAD + BODY + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",), closes=False))
    with RawHTTP(gateway.port) as client:
        for number in range(4):
            assert client.get("/big", SITE).body == BODY
            assert app.accepted == number + 1


def test_a_stop_in_the_middle(start_gateway: StartGateway, app: RecordingUpstream) -> None:
    """What is under way when the gateway is stopped arrives whole."""
    gateway = serve(start_gateway, app)
    with RawHTTP(gateway.port) as client:
        client.send(GET)
        client._left = read(client.socket, 1)
        os.kill(gateway.process.pid, signal.SIGTERM)
        eventually(lambda: refuses(gateway.port), gateway.process.text)
        assert client.answer().body == BODY
        assert client.closed()
    eventually(lambda: not gateway.process.running, gateway.process.text)
    assert gateway.process.stop() == -signal.SIGTERM
    assert "Traceback" not in gateway.process.text()


def test_nothing_is_left_open(start_gateway: StartGateway, app: RecordingUpstream, tmp_path: Path) -> None:
    """Many large answers side by side, from app and file, leave no descriptor behind but a few empty pipes."""
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "big").write_bytes(BODY)
    file_site = f'static = "{tmp_path}/www"\nhttps = "off"\n'
    gateway = start_gateway(
        {
            SITE: f'proxy = {{ to = {app.port}, connect_timeout = "60s", max_idle = 0 }}\nhttps = "off"\n',
            "file.test": file_site,
        }
    )
    before = sockets_at_rest(gateway)
    clients = [RawHTTP(gateway.port) for _ in range(12)]
    for number, client in enumerate(clients):
        client.send(GET.replace(SITE.encode(), (SITE, "file.test")[number % 2].encode()))
    for client in clients:
        assert client.answer().body == BODY
        client.socket.close()
    eventually(lambda: sockets(gateway) <= before, lambda: kinds(gateway.process.pid))
    pid = gateway.process.pid
    eventually(lambda: not any(kind.endswith("big") for kind in kinds(pid)), lambda: kinds(pid))
    eventually(lambda: kinds(pid).count("pipe:[]") <= 2 * (KEPT + 2), lambda: kinds(pid))  # two more are Python's own
