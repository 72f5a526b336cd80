"""Responses made beforehand."""

from __future__ import annotations

from gateway.http.prepared import FinishedAnswer, PreparedAnswer
from gateway.units import ByteCount


def test_heads_are_of_their_own() -> None:
    """Each exchange gets a head that it may edit."""
    answer = PreparedAnswer(200, ((b"ETag", b'"x"'),), ByteCount(7), b"content")
    one, other = answer.head(), answer.head()
    one.add(b"X-More", b"1")
    assert (other.status, other.fields, other.content_length) == (200, b'ETag: "x"\r\n', 7)


def test_a_finished_answer() -> None:
    """It has the status of its head, and nothing written yet."""
    head = PreparedAnswer(304, ()).head()
    finished = FinishedAnswer(head, b"A: b\r\n", b"", 1, 2)
    assert (finished.status, finished.start, finished.framing) == (304, b"", b"")
