"""Certificates and challenges that every worker has."""

from __future__ import annotations

from gateway.tls.responders import challenge_certificate
from gateway.tls.sni import ServerNames
from gateway.workers.link import Link
from gateway.workers.messages import FromLeader, FromWorker, read_leaders, read_workers
from gateway.workers.mirror import Audience, MirroredNames, MirroredTokens, reflect
from tests.support.transports import FakeTransport

ONE = challenge_certificate("a.org", "one")
TWO = challenge_certificate("a.org", "two")


class Reflection:
    """A worker's certificates and tokens, behind a link."""

    def __init__(self) -> None:
        self.names = ServerNames()
        self.tokens: dict[bytes, bytes] = {}
        self.link: Link[FromWorker] = Link(read_workers, print, print)
        self._wire = FakeTransport(self.link)
        self._ear: Link[FromLeader] = Link(read_leaders, self._hear, print)

    def _hear(self, said: FromLeader) -> None:
        reflect(said, self.names, self.tokens)

    def listen(self) -> None:
        self._ear.dataReceived(self._wire.take())


def test_certificates() -> None:
    """What the leader shows, workers show; what it shows no more, they do not either."""
    audience, worker = Audience(), Reflection()
    names = MirroredNames(audience)
    audience.join(worker.link)
    names.put("a.org", ONE)
    worker.listen()
    assert worker.names.find("a.org") == ONE
    assert not worker.names.has_renewed("a.org")
    names.put("a.org", TWO)
    worker.listen()
    assert worker.names.find("a.org") == TWO
    assert worker.names.has_renewed("a.org")
    names.remove("a.org")
    worker.listen()
    assert worker.names.find("a.org") is None


def test_challenges() -> None:
    """Answers to both kinds of challenges come and go in workers as in the leader."""
    audience, worker = Audience(), Reflection()
    names, tokens = MirroredNames(audience), MirroredTokens(audience)
    audience.join(worker.link)
    names.set_challenge("a.org", ONE)
    tokens[b"t"] = b"t.x"
    worker.listen()
    assert list(worker.names._challenges) == [b"a.org"]
    assert worker.tokens == {b"t": b"t.x"}
    names.clear_challenge("a.org")
    assert tokens.pop(b"t", None) == b"t.x"
    worker.listen()
    assert worker.names._challenges == {}
    assert worker.tokens == tokens == {}


def test_who_comes_late() -> None:
    """A new worker gets all there is, also whether a certificate was renewed."""
    audience, worker = Audience(), Reflection()
    names, tokens = MirroredNames(audience), MirroredTokens(audience)
    names.put("a.org", ONE, renewed=True)
    names.put("b.org", TWO)
    names.set_challenge("c.org", TWO)
    tokens[b"t"] = b"t.x"
    worker.link.say(*names.everything(), *tokens.everything())
    worker.listen()
    assert worker.names.find("a.org") == ONE
    assert worker.names.has_renewed("a.org")
    assert worker.names.find("b.org") == TWO
    assert not worker.names.has_renewed("b.org")
    assert list(worker.names._challenges) == [b"c.org"]
    assert worker.tokens == tokens


def test_ticket_keys_change_everywhere() -> None:
    """When the leader's ticket key is old, so are those of workers."""
    audience, worker = Audience(), Reflection()
    names = MirroredNames(audience)
    audience.join(worker.link)
    before = worker.names.first
    names.rotate()
    worker.listen()
    assert worker.names.first is not before


def test_who_left() -> None:
    """A worker that goes is told nothing more."""
    audience, worker = Audience(), Reflection()
    names = MirroredNames(audience)
    audience.join(worker.link)
    audience.leave(worker.link)
    audience.leave(worker.link)
    names.put("a.org", ONE)
    worker.listen()
    assert worker.names.find("a.org") is None
