"""gateway.demo.streams: answers that take a while."""

from __future__ import annotations

import hashlib

from gateway.demo.streams import PATTERN
from tests.support.demo import DemoConnection


def test_events_come_one_by_one() -> None:
    """The first event is there at once, the next one a pause later, and the last one ends the stream."""
    demo = DemoConnection()
    first = demo.ask("/events?count=2&every=500")
    assert "event 1 of 2" in first
    assert "event 2 of 2" not in first
    demo.clock.advance(0.4)
    assert demo.answered() == first
    demo.clock.advance(0.2)
    assert "event 2 of 2" in demo.answered()
    assert demo.answered().endswith("0\r\n\r\n")


def test_numbers_that_are_none() -> None:
    """Senseless numbers fall back to ten events, a second apart."""
    demo = DemoConnection()
    assert "event 1 of 10\n" in demo.ask("/events?count=many&every=-1")
    demo.clock.advance(1)
    assert "event 2 of 10\n" in demo.answered()


def test_events_end_with_the_client() -> None:
    """A client that goes leaves no timer behind."""
    demo = DemoConnection()
    demo.ask("/events")
    demo.lose()
    demo.clock.advance(5)
    assert "event 2" not in demo.answered()


def test_download_of_any_size() -> None:
    """`/bytes/SIZE` sends exactly that many bytes of the pattern, a block each time there is room."""
    demo = DemoConnection()
    size = 2 * len(PATTERN) + 3
    demo.ask(f"/bytes/{size}")
    sizes = [_content(demo)]
    while sizes[-1] < size:
        demo.transport.producer.resumeProducing()
        sizes.append(_content(demo))
        assert sizes[-1] > sizes[-2]
    assert sizes == [len(PATTERN), 2 * len(PATTERN), size]
    head, _, body = demo.transport.value().partition(b"\r\n\r\n")
    assert b"Content-Length: %d\r\n" % size in head + b"\r\n"
    assert hashlib.sha256(body).digest() == hashlib.sha256(PATTERN * 2 + PATTERN[:3]).digest()


def test_nothing_is_downloaded_by_head() -> None:
    """HEAD and a size of 0 bring a head alone."""
    demo = DemoConnection()
    assert demo.ask("/bytes/5", method="HEAD").endswith("\r\n\r\n")
    assert demo.ask("/bytes/0").endswith("\r\n\r\n")


def _content(demo: DemoConnection) -> int:
    return len(demo.transport.value().partition(b"\r\n\r\n")[2])
