"""The opening handshake between client and app: fidelity both ways."""

from __future__ import annotations

import pytest
from twisted.logger import capturedLogs

from gateway.errors import ConnectionRefused, ResponseTimeout
from gateway.http import fields as field_lines
from gateway.resources.websocket_registry import OpenSockets
from gateway.units import Seconds
from tests.support.relayed import ACCEPT, KEY, Relayed
from tests.support.streams import response_head
from tests.support.websocket import TEXT, frame

PHOENIX = (
    b"Cookie: _app_key=SFMyNTY; other=\xff",
    b"Origin: https://example.com",
    b"Authorization: Basic dTpw",
    b"User-Agent: Mozilla/5.0",
    b"x-requested-with: test",
    b"Sec-WebSocket-Protocol: phoenix, base64url.bearer.phx.dG9rZW4",
    b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
)


def test_the_app_sees_the_clients_own_lines_and_a_fresh_key() -> None:
    """Cookie, Origin, Authorization, x-*, subprotocols, extensions and User-Agent pass in order, byte for byte."""
    socket = Relayed(*PHOENIX, target=b"/live/websocket?vsn=2.0.0&_csrf_token=a%2Fb")
    lines = socket.fields.split(b"\r\n")
    assert lines[2:-1] == list(PHOENIX)
    assert field_lines.get(socket.fields, b"sec-websocket-version") == b"13"
    assert field_lines.get_all(socket.fields, b"sec-websocket-key") == [b"AAAAAAAAAAAAAAAAAAAAAA=="]
    assert socket.request.head.target == b"/live/websocket?vsn=2.0.0&_csrf_token=a%2Fb"


def test_the_client_sees_the_apps_101_with_the_answer_to_its_own_key() -> None:
    """Set-Cookie lines, extensions, subprotocol and other fields of the 101 stay, octets that are not ASCII too."""
    lines = (
        b"Set-Cookie: a=1; Path=/",
        b"Set-Cookie: b=\xe9\x85; Path=/",
        b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover",
        b"Sec-WebSocket-Protocol: phoenix",
        b"X-App: 1",
    )
    socket = Relayed(*PHOENIX).switch(*lines)
    assert socket.stream.status == 101
    assert socket.stream.head is not None
    assert socket.stream.head.upgrade == b"websocket"
    sent = socket.stream.head.fields.split(b"\r\n")
    assert [line for line in sent if line in lines] == list(lines)
    assert socket.stream.get_all(b"sec-websocket-accept") == [ACCEPT]
    assert len(sent) == len(lines) + 2


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 426, 500, 503])
def test_any_other_answer_goes_to_the_client_untouched(status: int) -> None:
    """403 of check_origin, 401 and the rest arrive with fields and content."""
    socket = Relayed()
    head = b"HTTP/1.1 %d Whatever\r\nWWW-Authenticate: Basic\r\nX-App: 1\r\nContent-Length: 9\r\n" % status
    socket.sink.send_head(response_head(head), b"for", False)
    socket.sink.send_data(b"bidden", True)
    assert socket.stream.status == status
    assert socket.stream.get(b"www-authenticate") == b"Basic"
    assert socket.stream.body == b"forbidden"
    assert socket.stream.ended
    assert socket.over
    assert socket.logged.error is None


def test_informational_answers_and_trailers_pass() -> None:
    """Before the switch the exchange is an ordinary one."""
    socket = Relayed()
    socket.sink.send_informational(response_head(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n"))
    socket.sink.send_head(response_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"), b"a", False)
    socket.sink.pause_body()
    assert socket.stream.paused
    socket.sink.resume_body()
    socket.sink.send_trailers(b"X-End: 1\r\n")
    assert len(socket.stream.informational) == 1
    assert socket.stream.trailers == b"X-End: 1\r\n"


@pytest.mark.parametrize(
    ("lines", "accept"),
    [
        ((b"Sec-WebSocket-Protocol: other",), None),
        ((b"Sec-WebSocket-Extensions: x-other",), None),
        ((), b"AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ((), b"short"),
        ((b"Sec-WebSocket-Accept: " + ACCEPT,), None),
    ],
)
def test_a_wrong_101_is_502_and_the_app_is_dropped(lines: tuple[bytes, ...], accept: bytes | None) -> None:
    """A client could not use such a socket, so it is an invalid response."""
    socket = Relayed(*PHOENIX).switch(*lines, accept=accept)
    assert socket.stream.status == 502
    assert socket.exchange.error is not None
    assert socket.over


@pytest.mark.parametrize(("error", "status"), [(ConnectionRefused("no"), 502), (ResponseTimeout("slow"), 504)])
def test_an_app_that_does_not_answer_is_an_ordinary_error(error: Exception, status: int) -> None:
    """A slow app is a 504, not a silent end."""
    socket = Relayed()
    socket.sink.fail(error)  # type: ignore[arg-type]
    assert socket.stream.status == status


def test_a_limit_reached_meanwhile_is_refused_at_the_switch() -> None:
    """Many handshakes at once cannot pass the limit together."""
    sockets = OpenSockets(lambda: Seconds(0), bytes)
    first = Relayed(sockets=sockets, connections_per_client=1)
    second = Relayed(sockets=sockets, connections_per_client=1)
    assert first.switch().stream.status == 101
    assert second.switch().stream.status == 429
    assert second.exchange.error is not None
    assert len(sockets) == 1


def test_frames_that_the_client_sent_early_are_relayed() -> None:
    """What the front end kept until the switch comes while the 101 is being sent."""
    socket = Relayed()
    early = frame(TEXT, b"early", masked=True)
    send_head = socket.stream.send_head

    def send_head_and_flush(*arguments: object) -> None:
        send_head(*arguments)  # type: ignore[arg-type]
        socket.client_sends(early)

    socket.stream.send_head = send_head_and_flush  # type: ignore[method-assign]
    socket.switch(data=frame(TEXT, b"hello"))
    assert socket.exchange.sent == early
    assert socket.stream.body == frame(TEXT, b"hello")


def refused(socket: Relayed) -> list[str]:
    with capturedLogs() as events:
        socket.sink.send_head(response_head(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n"), b"", True)
    return [event["log_format"].format(**event) for event in events]


def test_a_403_to_a_foreign_origin_is_explained_once() -> None:
    """The log says which line to write in the app, with the site's names and the origin; no secret is in it."""
    lines = (b"Origin: https://shop.example.org:8443", b"Cookie: secret", b"Sec-WebSocket-Protocol: t.secret")
    socket = Relayed(*lines)
    (message,) = refused(socket)
    assert message == (
        "example.com: the app refused a WebSocket with 403, and its Origin https://shop.example.org:8443 is none of "
        "the site's names. If that page may connect, write in the app's config/runtime.exs, in the endpoint's options: "
        'check_origin: ["https://example.com", "https://shop.example.org:8443"]'
    )
    assert "secret" not in message
    assert refused(Relayed(*lines, sockets=socket.sockets)) == []


@pytest.mark.parametrize("lines", [(), (b"Origin: https://example.com",), (b"Origin: null",)])
def test_a_403_for_another_reason_is_not_explained(lines: tuple[bytes, ...]) -> None:
    """Where the Origin is the site's own, the app had another reason."""
    assert refused(Relayed(*lines)) == []


def test_the_key_of_the_client_never_goes_up() -> None:
    """The upstream handshake is our own."""
    assert KEY not in Relayed().fields
