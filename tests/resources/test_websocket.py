"""Which requests become a WebSocket, and what refuses them before the app is asked."""

from __future__ import annotations

import pytest

from gateway.errors import GatewayError, GatewayStopping, HTTPError
from gateway.http.message import RequestHead
from gateway.resources.websocket import WebSocket, open_websocket
from gateway.resources.websocket_registry import OpenSockets
from gateway.units import Seconds
from gateway.web.request import Request
from tests.support.relayed import HANDSHAKE
from tests.support.streams import FakeRuntime, RecordingStream, get, location


def request(head: RequestHead) -> Request:
    return Request(RecordingStream(), head, FakeRuntime(), location())


def sockets() -> OpenSockets:
    return OpenSockets(lambda: Seconds(0))


def test_an_ordinary_request_is_left_alone() -> None:
    """Without an upgrade there is nothing to open."""
    assert open_websocket(request(get(b"/")), WebSocket(), sockets()) is None
    assert open_websocket(request(get(b"/", b"Connection: Upgrade", b"Upgrade: h2c")), WebSocket(), sockets()) is None


def test_only_websocket_goes_up_of_a_list_of_protocols() -> None:
    """The exchange is told one protocol, whatever else the client could speak."""
    asking = request(get(b"/", *HANDSHAKE, b"Upgrade: h2c"))
    assert open_websocket(asking, WebSocket(), sockets()) is not None
    assert asking.head.upgrade == b"websocket"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (get(b"/", *HANDSHAKE, method=b"POST"), 400),
        (get(b"/", *HANDSHAKE[:3]), 400),
        (get(b"/", *HANDSHAKE[:2], HANDSHAKE[3], b"Sec-WebSocket-Version: 8"), 426),
    ],
)
def test_a_broken_upgrade_is_refused(head: RequestHead, status: int) -> None:
    """The client is to blame, and the app is never asked."""
    with pytest.raises(GatewayError) as caught:
        open_websocket(request(head), WebSocket(), sockets())
    assert caught.value.status == status


def test_limits_refuse_before_the_app_is_asked() -> None:
    """No socket may be opened where none is allowed, nor while the gateway stops."""
    asking = request(get(b"/", *HANDSHAKE))
    with pytest.raises(HTTPError):
        open_websocket(asking, WebSocket(connections=0), sockets())
    stopping = sockets()
    stopping.close_all()
    with pytest.raises(GatewayStopping):
        open_websocket(asking, WebSocket(), stopping)


def test_defaults_fit_phoenix() -> None:
    """Frames up to Bandit's 8 MB, and an idle limit above Phoenix's own 60 s."""
    limits = WebSocket()
    assert limits.max_frame == limits.max_message == 8_000_000
    assert limits.idle > 60
    assert limits.ping < limits.idle
