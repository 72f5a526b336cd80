"""The answer of all redirects."""

from __future__ import annotations

from gateway.web.moved import Moved
from tests.support.streams import exchange, get, location


def test_a_redirect_has_no_content_and_keeps_the_connection() -> None:
    """Location, status, and a length of 0; nothing closes the connection."""
    stream = exchange(location(Moved(b"/new", 307)), get(b"/old", method=b"POST"), data=b"x=1")
    assert stream.head is not None
    assert (stream.status, stream.body, stream.ended) == (307, b"", True)
    assert (stream.head.content_length, stream.head.keep_alive) == (0, True)
    assert stream.get_all(b"location") == [b"/new"]
