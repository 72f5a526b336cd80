"""gateway.demo.socket: the echo."""

from __future__ import annotations

from tests.support.demo import DemoConnection

_HANDSHAKE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
_MASKED_HI = b"\x81\x82\x00\x00\x00\x00hi"


def test_echo() -> None:
    """After the handshake it greets, and each message comes back."""
    demo = DemoConnection()
    answer = demo.ask("/socket", *_HANDSHAKE)
    assert answer.startswith("HTTP/1.1 101 ")
    assert "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer
    assert "hello from the demo app" in answer
    demo.transport.clear()
    demo.send(_MASKED_HI)
    assert demo.transport.value() == b"\x81\x02hi"


def test_first_subprotocol_is_taken() -> None:
    """Of the subprotocols offered the first is chosen."""
    answer = DemoConnection().ask("/socket", *_HANDSHAKE, "Sec-WebSocket-Protocol: second, first")
    assert "\r\nSec-WebSocket-Protocol: second\r\n" in answer


def test_compression_where_it_is_offered() -> None:
    """permessage-deflate is agreed to, anything else is not."""
    offers = "Sec-WebSocket-Extensions: x-unknown, permessage-deflate; client_max_window_bits"
    answer = DemoConnection().ask("/socket", *_HANDSHAKE, offers)
    assert "\r\nSec-WebSocket-Extensions: permessage-deflate" in answer
    assert "Extensions" not in DemoConnection().ask("/socket", *_HANDSHAKE)
