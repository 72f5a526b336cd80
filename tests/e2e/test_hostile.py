"""Both hostile corpora against the whole gateway, over real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import h11
import pytest

from tests.corpora.hostile_requests import HOSTILE_REQUESTS
from tests.corpora.hostile_responses import HOSTILE_RESPONSES, HostileResponse, Outcome
from tests.corpora.tamed_requests import TAMED_REQUESTS
from tests.e2e.conftest import StartGateway
from tests.support.ports import HOST
from tests.support.recorder import PLAIN, Play, RecordingUpstream
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.e2e

MARKER = b"GET /marker HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"


@pytest.fixture
def upstream() -> Iterator[RecordingUpstream]:
    recorder = RecordingUpstream()
    yield recorder
    recorder.close()


def before(upstream: RecordingUpstream) -> dict[str, str]:
    """A site before the upstream, which connects however long that takes."""
    return {"example.com": f'proxy = {{ to = {upstream.port}, connect_timeout = "60s" }}\n'}


def converse(port: int, data: bytes) -> tuple[bytes, bool]:
    """Send `data` and read until the gateway closes.

    Returns:
        What came, and whether the end was clean.
    """
    got = b""
    with socket.create_connection((HOST, port), PATIENCE) as client:
        try:
            client.sendall(data)
            while piece := client.recv(65536):
                got += piece
        except (ConnectionResetError, BrokenPipeError):
            return got, False
    return got, True


def read(got: bytes, method: bytes = b"GET") -> tuple[int, bytes, bool, bytes]:
    """Read the first final response as a strict client does.

    Returns:
        Status, content, whether it is complete, and what follows it.
    """
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method=method, target="/", headers=[("host", "reader")]))
    reader.send(h11.EndOfMessage())
    reader.receive_data(got)
    while isinstance(head := reader.next_event(), h11.InformationalResponse):
        pass
    assert isinstance(head, h11.Response), got[:200]
    content = b""
    while isinstance(event := reader.next_event(), h11.Data):
        content += event.data
    return head.status_code, content, isinstance(event, h11.EndOfMessage), reader.trailing_data[0]


def test_hostile_requests(start_gateway: StartGateway, upstream: RecordingUpstream) -> None:
    """Each is answered with its status and nothing else, the connection closes, and nothing reaches the upstream."""
    gateway = start_gateway(before(upstream))
    wrong = []
    for entry in HOSTILE_REQUESTS:
        data = entry.data
        if entry.above_parser:
            data = data.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        got, _ = converse(gateway.port, data)
        status, _, complete, rest = read(got)
        if (status, complete, rest) != (entry.status, True, b""):
            wrong.append(f"{entry.name}: {status} instead of {entry.status}, complete {complete}, then {rest!r}")
    assert wrong == []
    assert read(converse(gateway.port, MARKER)[0])[0] == 200
    assert upstream.accepted == 1
    assert upstream.received().startswith(b"GET /marker HTTP/1.1\r\n")


def test_tamed_requests(start_gateway: StartGateway, upstream: RecordingUpstream) -> None:
    """Each reaches the upstream once, and only in the form that cannot be misread."""
    gateway = start_gateway(before(upstream))
    for entry in TAMED_REQUESTS:
        upstream.forget()
        with socket.create_connection((HOST, gateway.port), PATIENCE) as client:
            client.sendall(entry.data)
            got = b""
            while not got.endswith(b"ok"):
                piece = client.recv(65536)
                assert piece, f"{entry.name}: {got!r}"
                got += piece
        assert read(got)[0] == 200, entry.name
        upstream.wait_until_ended()
        assert upstream.accepted == 1, entry.name
        sent = upstream.received().lower()
        assert [octets for octets in entry.present if octets not in sent] == [], entry.name
        assert [octets for octets in entry.absent if octets in sent] == [], entry.name


def test_hostile_responses(start_gateway: StartGateway, upstream: RecordingUpstream) -> None:
    """Each gives a 502, a cut or a clean answer, and its connection is never used again.

    A cut may overtake the octets before it, so the client need not see the head.
    """
    gateway = start_gateway(before(upstream))
    for entry in HOSTILE_RESPONSES:
        upstream.forget(Play(entry.parts, entry.closes))
        got, clean = ask(gateway.port, entry, upstream)
        assert [octets for octets in entry.absent if octets in got.lower()] == [], entry.name
        if entry.outcome is Outcome.CUT:
            assert got[:13] in (b"HTTP/1.1 200 ", b""), entry.name
            assert not clean or not is_complete(got), entry.name
        else:
            status, content, complete, rest = read(got, entry.method)
            assert complete, entry.name
            assert rest == b"", entry.name
            assert status == (entry.refused_with if entry.outcome is Outcome.REFUSED else entry.status), entry.name
            assert entry.outcome is Outcome.REFUSED or content == entry.body, entry.name
        upstream.forget(PLAIN)
        assert read(converse(gateway.port, MARKER)[0])[1] == b"ok", entry.name
        assert upstream.accepted == 1, entry.name


def ask(port: int, entry: HostileResponse, upstream: RecordingUpstream) -> tuple[bytes, bool]:
    """Ask for a hostile answer; its further parts come once the client has seen content of the first."""
    request = entry.method + b" / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"
    got = b""
    with socket.create_connection((HOST, port), PATIENCE) as client:
        client.sendall(request)
        try:
            while piece := client.recv(65536):
                got += piece
                if b"begin" in got:
                    upstream.go_on()
        except ConnectionResetError:
            return got, False
    return got, True


def is_complete(got: bytes) -> bool:
    """Tell whether a strict client would take an answer for whole."""
    try:
        return read(got)[2]
    except h11.RemoteProtocolError:
        return False
