"""What is gathered, when it is handed on, and what is skipped."""

from __future__ import annotations

import pytest

from tests.support.logged import Logged
from tests.support.streams import Reply
from tests.support.transports import World

GET = b"GET %b HTTP/1.1\r\nHost: example.com\r\n\r\n"


def ask(logged: Logged, *targets: bytes) -> list[str]:
    client = logged.world.client()
    for target in targets:
        client.receive(GET % target)
    return [line["path"] for line in logged.combined()]


def test_lines_wait_for_the_timer() -> None:
    """Nothing is handed on line by line; a flush hands on all, and nothing where there is nothing."""
    logged = Logged(World(Reply()))
    for _ in range(3):
        logged.world.client().receive(GET % b"/")
    assert logged.batches == []
    logged.log.flush()
    logged.log.flush()
    assert [len(batch) for batch in logged.batches] == [3]


def test_many_lines_do_not_wait() -> None:
    """Past a number of octets the lines are handed on, whatever the timer does."""
    logged = Logged(World(Reply()))
    client = logged.world.client()
    while not logged.batches:
        client.receive(GET % b"/")
    size = sum(len(line) for _, line in logged.batches[0])
    assert 64_000 <= size < 65_000


def test_skipped_paths() -> None:
    """Exact paths and those below a prefix, with any query."""
    logged = Logged(World(Reply()), skip=("/health", "/assets/*"))
    assert ask(logged, b"/health", b"/health?x", b"/assets/", b"/assets/a.js?b", b"/a") == ["/a"]


@pytest.mark.parametrize(
    "target", [b"/healthy", b"/health/", b"/assets", b"/assets/%2e%2e/admin", b"/a/health", b"/assets/.env"]
)
def test_not_skipped(target: bytes) -> None:
    """Neither what only looks like it, nor what may mean another path than it says."""
    logged = Logged(World(Reply()), skip=("/health", "/assets/*"))
    assert ask(logged, target) == [target.decode()]
