"""Messages between the leader and its workers."""

from __future__ import annotations

import json

import pytest

from gateway.workers.messages import (
    Answer,
    BadMessage,
    Begin,
    Certificate,
    Cut,
    Figures,
    FromLeader,
    FromWorker,
    Health,
    Leaving,
    Said,
    Serve,
    Serves,
    Sticky,
    Stop,
    Token,
    read_leaders,
    read_workers,
    write,
)


@pytest.mark.parametrize(
    "said",
    [
        Begin(
            version="1",
            folder="sites",
            via="gateway-1",
            sockets=(((3, 4), ()),),
            config=b"\x80\xff",
        ),
        Sticky(key=b"\xff" * 32),
        Serve(generation=7, files=("a", "ä")),
        Certificate(name="a.org", chain=b"# \xe4\n---", key=b"k", renewed=True),
        Token(token=b"t", answer=b"t.x"),
        Stop(),
        Cut(),
        Health(down=frozenset({"a.org 127.0.0.1:4000/health"})),
    ],
)
def test_the_leader_is_understood(said: FromLeader) -> None:
    """What the leader says arrives as it is, octets that are no text too."""
    assert read_leaders(write(said)) == said


@pytest.mark.parametrize(
    "said",
    [
        Serves(generation=1, failed=("a",)),
        Figures(connections=1, lost=0, clients={"2001:db8::/64": 1}),
        Said(level="warn", text="line\nline"),
        Answer(number=3),
        Leaving(),
    ],
)
def test_workers_are_understood(said: FromWorker) -> None:
    """What a worker says arrives as it is."""
    assert read_workers(write(said)) == said


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"kind": "sites", "sites": "gASVAA=="}',
        b'{"kind": "figures", "connections": -1, "lost": 0}',
        b'{"kind": "figures", "connections": "1", "lost": 0}',
        b'{"kind": "figures", "connections": 1, "lost": 0, "more": 1}',
        b'{"kind": "said", "level": "debug", "text": ""}',
        b'{"kind": "answer"}',
        json.dumps({"kind": "figures", "connections": 1, "lost": 0, "clients": {"x" * 101: 1}}).encode(),
        json.dumps({"kind": "said", "level": "warn", "text": "x" * 20_001}).encode(),
    ],
)
def test_a_worker_may_say_nothing_else(data: bytes) -> None:
    """A worker that a client took over can say numbers and short texts alone: no pickle reaches the leader."""
    with pytest.raises(BadMessage):
        read_workers(data)


def test_secrets_are_not_shown() -> None:
    """A message in a traceback does not show keys."""
    assert "hidden" not in repr(Certificate(name="a", chain=b"", key=b"hidden", renewed=False))
    assert "hidden" not in repr(Token(token=b"hidden", answer=b"hidden"))
    begin = Begin(version="1", folder="a", via="b", sockets=(), config=b"hidden")
    assert "hidden" not in repr(begin)
    assert "hidden" not in repr(Sticky(key=b"hidden"))
