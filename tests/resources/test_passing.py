"""What response sinks have in common that stand in front of another."""

from __future__ import annotations

import pytest

from gateway.errors import ResponseIncomplete
from gateway.resources.passing import PassingSink
from tests.support.sinks import RecordingSink
from tests.support.streams import RecordingStream, response_head

EARLY = response_head(b"HTTP/1.1 103 Early Hints\r\n\r\n")
HEAD = response_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")


class Replacing(PassingSink):
    """Lets another answer take the place of the one that comes."""

    def replace(self) -> None:
        self._replaced = True


@pytest.fixture
def behind() -> RecordingSink:
    return RecordingSink()


def test_all_of_a_response_passes(behind: RecordingSink) -> None:
    """Heads, content and trailers reach the sink behind, each as it was."""
    sink = PassingSink(behind)
    sink.send_informational(EARLY)
    sink.send_head(HEAD, b"a", False)
    sink.send_data(b"b", False)
    sink.send_trailers(b"X-Sum: 1\r\n")
    assert (behind.informational, behind.status, behind.data) == ([103], 200, b"ab")
    assert (behind.trailers, behind.ended) == (b"X-Sum: 1\r\n", True)


def test_the_end_passes(behind: RecordingSink) -> None:
    """Content that ends, ends behind it too."""
    sink = PassingSink(behind)
    sink.send_head(HEAD, b"", False)
    sink.send_data(b"all", True)
    assert (behind.data, behind.ended) == (b"all", True)


def test_an_error_passes(behind: RecordingSink) -> None:
    """Who waits for a response learns that none will come."""
    error = ResponseIncomplete("the app closed in the middle of its response")
    PassingSink(behind).fail(error)
    assert behind.error is error


def test_back_pressure_passes(behind: RecordingSink) -> None:
    """An app that reads slowly stops the client through it, and lets it go on."""
    sink = PassingSink(behind)
    sink.pause_body()
    assert behind.paused
    sink.resume_body()
    assert not behind.paused


def test_large_content_may_go_past_it(behind: RecordingSink) -> None:
    """Content that nobody looks at goes from socket to socket, if the sink behind takes it so."""
    assert PassingSink(behind).bulk() is None
    behind.bulk_sink = RecordingStream()
    assert PassingSink(behind).bulk() is behind.bulk_sink


def test_nothing_of_a_replaced_answer_passes(behind: RecordingSink) -> None:
    """Behind the answer that took its place come neither content nor trailers nor an error of the first one."""
    behind.bulk_sink = RecordingStream()
    sink = Replacing(behind)
    sink.replace()
    sink.send_data(b"the app's", False)
    sink.send_trailers(b"X-Sum: 1\r\n")
    sink.fail(ResponseIncomplete("the app closed in the middle of its response"))
    assert sink.bulk() is None
    assert (behind.data, behind.trailers, behind.ended, behind.error) == (b"", b"", False, None)
