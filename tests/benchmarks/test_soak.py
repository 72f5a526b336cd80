"""The soak's judgement: what it takes for a leak, a wrong log or an answer of another's."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.soak.follow import Follower, unexpected
from benchmarks.soak.report import Outcome, report
from benchmarks.soak.tally import Logged, Tally, compare
from benchmarks.soak.watch import Reading, left_over, trend
from benchmarks.soak.wire import Answer, WrongError
from benchmarks.soak.world import expect, expect_echo

_MB = 2**20
_LINE = (
    '127.0.0.2 - - [22/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "{agent}" host=app.test '
    "id={id} in=0 ms=1.00 upstream=- upstream_ms=- retries=0 held_ms=0 socket={socket} code=- tls=- reason=-\n"
)


def _logged(*ids: int) -> Logged:
    logged = Logged()
    for each in ids:
        logged.add(each)
    return logged


def _tally(kind: str, *ids: int) -> Tally:
    tally = Tally()
    for each in ids:
        tally.answered(kind, 200, each)
    return tally


def test_log_with_the_same_requests_agrees() -> None:
    """One line for each answer, in any order, is what must be there."""
    assert compare(_tally("a", 1, 2**127, 3), {"a": _logged(3, 1, 2**127)}) == []


@pytest.mark.parametrize("lines", [(1,), (1, 2, 2), (1, 3), ()])
def test_log_with_other_requests_does_not(lines: tuple[int, ...]) -> None:
    """A line missing, doubled, or of another request is found."""
    assert len(compare(_tally("a", 1, 2), {"a": _logged(*lines)})) == 1


def test_lines_of_nobody_are_found() -> None:
    """A line of a kind of client that never asked is found."""
    assert len(compare(Tally(), {"a": _logged(1)})) == 1


@pytest.mark.parametrize(("lines", "wrong"), [(1, 0), (2, 0), (3, 0), (0, 1), (4, 1)])
def test_requests_given_up_may_have_a_line(lines: int, wrong: int) -> None:
    """Where clients leave there are at least the lines of the answers, and at most those of all requests."""
    tally = _tally("a", 7)
    tally.abandoned("a")
    tally.abandoned("a")
    assert len(compare(tally, {"a": _logged(*range(lines))})) == wrong


def test_many_findings_are_counted_not_kept() -> None:
    """A soak that goes wrong in every answer ends with a report that can be read."""
    tally = Tally()
    for _ in range(1000):
        tally.found("wrong")
    assert len(tally.findings) + tally.more_findings == 1000
    assert len(tally.findings) < 100


def test_memory_that_only_warms_up_is_flat() -> None:
    """What grows in the first half alone is no leak."""
    readings = [Reading(second, min(second, 100) * _MB) for second in range(300)]
    line = trend(readings)
    assert abs(line.growth) < line.allowed


def test_memory_that_goes_up_and_down_is_flat() -> None:
    """Large answers under way come and go."""
    readings = [Reading(second, 80 * _MB + second % 7 * _MB) for second in range(300)]
    line = trend(readings)
    assert abs(line.growth) < line.allowed


def test_memory_that_grows_is_not() -> None:
    """A hundred octets a request at 1000 requests a second are found within ten minutes."""
    readings = [Reading(second, 80 * _MB + second * 100_000) for second in range(600)]
    line = trend(readings)
    assert line.growth > line.allowed
    assert Outcome(Tally(), [], readings, 1.0, 10, 600.0).failed
    assert not Outcome(Tally(), [], readings, 1.0, 10, 20.0).failed


def test_few_readings_tell_nothing() -> None:
    """A run too short for a line is flat."""
    assert trend([]).growth == trend([Reading(1, 5), Reading(2, 500)]).growth == 0


def test_descriptors_left_over_are_named() -> None:
    """What is open beyond the base is named with its number; logs come and go with their rotation."""
    base = Counter({"socket": 4, "/etc/hosts": 1})
    now = Counter({"socket": 6, "/srv/large": 1, "/logs/app.test.log": 1, "/logs/app.test.log (deleted)": 1})
    assert left_over(base, now) == ["1 /srv/large", "2 socket"]


def test_log_is_read_through_rotations(tmp_path: Path) -> None:
    """Lines are counted once, in whatever pieces and files they come; openings of WebSockets are not."""
    log = tmp_path / "app.test.log"
    follower = Follower(tmp_path)
    first = _LINE.format(agent="soak-a", id="0a", socket="-")
    log.write_text(first + first[:50])
    follower.read()
    with log.open("a") as more:
        more.write(first[50:] + _LINE.format(agent="-", id="ff", socket="open"))
    log.rename(tmp_path / "app.test.log.1")
    follower.read()
    log.write_text(_LINE.format(agent="-", id="ff", socket="close"))
    follower.read()
    follower.read()
    follower.close()
    assert follower.logged == {"a": Logged(2, 20), "-": Logged(1, 255)}
    assert follower.odd == []


def test_lines_of_another_form_are_found(tmp_path: Path) -> None:
    """A line that is none of the access log's is told."""
    (tmp_path / "app.test.log").write_text("half a line\n")
    follower = Follower(tmp_path)
    follower.read()
    follower.close()
    assert follower.odd == [b"half a line\n"]


def test_known_sentences_are_expected() -> None:
    """What is said of applications that fail is expected, and so is what was said before; a traceback is not."""
    text = (
        b"2026-11-22T14:18:40+0000 [gateway.service#warn] 127.0.0.1:38543 refused the connection: is it running?\n"
        b"2026-11-22T14:18:40+0000 [gateway.service#warn] worker 1: header over 16384 octets or 100 fields (RFC 6585)\n"
        b"2026-11-22T14:18:41+0000 [gateway.service#info] serving 6 sites\n"
        b"2026-11-22T14:18:42+0000 [gateway.server.http1#critical] what a client sent could not be handled\n"
        b"\tTraceback (most recent call last):\n"
    )
    known = (b"[gateway.service#info] serving 6 sites",)
    assert [line.rpartition("] ")[2].strip() for line in unexpected(text, known)] == [
        "what a client sent could not be handled",
        "Traceback (most recent call last):",
    ]


def test_echo_of_another_request_is_refused() -> None:
    """An answer counts only with the token of its own request, and the request id of its own head."""
    body = b"GET /echo HTTP/1.1\r\nX-Token: 12\r\nX-Request-Id: 00ff\r\n\r\n"
    expect_echo(Answer(200, b"", body, True, 255), b"12")
    with pytest.raises(WrongError, match="another one's answer"):
        expect_echo(Answer(200, b"", body, True, 255), b"1")
    with pytest.raises(WrongError, match="request id"):
        expect_echo(Answer(200, b"", body, True, 254), b"12")


def test_difference_is_shown_by_its_place() -> None:
    """Content that differs is told by where it begins to."""
    expect("page", b"abc", b"abc")
    with pytest.raises(WrongError, match="3 octets instead of 4, other from 2 on: b'x'"):
        expect("page", b"abx", b"abcd")


def test_report_ends_with_the_verdict() -> None:
    """The last line says whether anything was found."""
    good = Outcome(_tally("a", 1), [], [], 0.9, 10, 60.0)
    assert report(good).endswith("\nnothing found")
    bad = Outcome(_tally("a", 1), ["left open: 1 socket"], [], 0.9, 10, 60.0)
    assert report(bad).endswith("\nFOUND: left open: 1 socket\nfailed")
