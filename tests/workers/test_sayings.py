"""What workers say to the operator."""

from __future__ import annotations

from twisted.logger import Logger, LogLevel, LogPublisher
from twisted.python.failure import Failure

from gateway.units import Seconds
from gateway.workers.link import Link
from gateway.workers.messages import FromLeader, FromWorker, Said, read_leaders, read_workers
from gateway.workers.sayings import Repeater, Sayings
from tests.support.transports import FakeTransport


class Operator:
    """A worker's log, read at the leader's end."""

    def __init__(self) -> None:
        self.said: list[FromWorker] = []
        self.sayings = Sayings()
        link: Link[FromLeader] = Link(read_leaders, print, print)
        self.wire = FakeTransport(link)
        self.sayings.link = link
        publisher = LogPublisher(self.sayings)
        self.log = Logger("worker", observer=publisher)

    def read(self) -> list[FromWorker]:
        said: list[FromWorker] = []
        Link(read_workers, said.append, print).dataReceived(self.wire.take())
        return said


def test_warnings_are_passed_on() -> None:
    """Warnings and errors reach the leader, with their tracebacks; what is less does not."""
    operator = Operator()
    operator.log.info("a")
    operator.log.warn("{what} is wrong", what="all")
    try:
        raise ValueError("deep")
    except ValueError:
        operator.log.failure("bug", Failure())
    first, second = operator.read()
    assert first == Said(level="warn", text="all is wrong")
    assert isinstance(second, Said)
    assert second.level == "critical"
    assert second.text.startswith("bug\n")
    assert "ValueError: deep" in second.text


def test_no_end_of_words() -> None:
    """Long sentences are shortened, and where the leader does not keep up, nothing is said."""
    operator = Operator()
    operator.log.error("x" * 50_000)
    (said,) = operator.read()
    assert isinstance(said, Said)
    assert len(said.text) < 11_000
    operator.wire.high_water = 1
    operator.log.error("one")
    operator.log.error("two")
    assert operator.read() == [Said(level="error", text="one")]
    Sayings()({"log_level": LogLevel.error, "log_format": "before there is a link"})


def test_the_same_is_said_once(said: list[str]) -> None:
    """What the leader or another worker has just said is not repeated; later it is."""
    now = [0.0]
    repeater = Repeater(lambda: Seconds(now[0]))
    repeater({"log_level": LogLevel.warn, "log_format": "known"})
    repeater({"log_level": LogLevel.info, "log_format": "news"})
    for number, text in ((1, "known"), (1, "news"), (2, "news"), (2, "other")):
        repeater.repeat(number, Said(level="warn", text=text))
    now[0] = 11.0
    repeater.repeat(2, Said(level="error", text="news"))
    for number in range(2000):
        repeater.repeat(1, Said(level="info", text=str(number)))
    assert len(repeater._said) == 1000
    assert said[:3] == ["worker 1: news", "worker 2: other", "worker 2: news"]
