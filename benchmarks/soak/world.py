"""What every client of the soak is given, and the rules that every answer is held to."""

from __future__ import annotations

import itertools
import ssl
import time
from dataclasses import dataclass

from benchmarks.contenders.base import ADDED_FIELDS
from benchmarks.soak.tally import Tally
from benchmarks.soak.wire import Answer, Connection, WrongError, connect, read_answer

APP, ODD, DYING, DEAD, FILES = "app.test", "odd.test", "dying.test", "dead.test", "files.test"
CORPUS = "example.com"
"""The host that the hostile corpora ask for."""
SITES = (APP, ODD, DYING, DEAD, FILES, CORPUS)

_ADDED = [f"\r\n{name}: {value}".encode() for name, value in ADDED_FIELDS.items()]
_tokens = itertools.count(1_000_000)


@dataclass(slots=True)
class World:
    """The gateway under load.

    Attributes:
        port: For plain HTTP.
        tls_port: For HTTPS.
        until: When clients begin no further exchange, in monotonic seconds.
        tally: Takes what they saw.
        tls: How they speak TLS.
        etag: Of the small file.
    """

    port: int
    tls_port: int
    until: float
    tally: Tally
    tls: ssl.SSLContext
    etag: str = ""

    @property
    def going_on(self) -> bool:
        """Whether there is time for another exchange."""
        return time.monotonic() < self.until

    async def connect(self, site: str, *, tls: bool = False, window: int = 0) -> Connection:
        """Open a connection."""
        if tls:
            return await connect(self.tls_port, self.tls, name=site, window=window)
        return await connect(self.port, window=window)


def token() -> bytes:
    """What no other request has."""
    return b"%d" % next(_tokens)


def request(kind: str, site: str, method: str, path: str, *lines: bytes, body: bytes = b"", version: int = 1) -> bytes:
    """Write a request; content is announced by its length where there is any."""
    head = [
        f"{method} {path} HTTP/1.{version}".encode(),
        b"Host: " + site.encode(),
        b"User-Agent: soak-" + kind.encode(),
        b"Accept: */*",
        b"Cookie: _app_key=SFMyNTY.g3QAAAABbQAAAAtfY3NyZl90b2tlbm0AAAAY",
        *lines,
    ]
    if body:
        head.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*head, b"", b""]) + body


async def ask(
    world: World,
    kind: str,
    connection: Connection,
    expected: tuple[int, ...],
    method: bytes = b"GET",
    *,
    complete: bool = True,
) -> Answer:
    """Read the answer to what was sent, count it, and check what every answer must have.

    Args:
        world: Where it came from.
        kind: Of the client.
        connection: Where to read.
        expected: The statuses that are right.
        method: Of the request.
        complete: Whether all of the content must come; else it must be cut.

    Raises:
        WrongError: It is not what it must be.
    """
    answer = await read_answer(connection, method)
    world.tally.answered(kind, answer.status, answer.request_id)
    if answer.status not in expected:
        raise WrongError(f"status {answer.status} instead of {expected}: {answer.head[:200]!r}")
    if answer.complete is not complete:
        raise WrongError(f"content of {answer.status} {'cut' if complete else 'whole'}: {len(answer.body)} octets")
    if answer.request_id <= 0:
        raise WrongError(f"no request id: {answer.head!r}")
    if any(line not in answer.head for line in _ADDED):
        raise WrongError(f"security fields are missing: {answer.head!r}")
    return answer


def expect(name: str, got: bytes, wanted: bytes) -> None:
    """Compare content.

    Raises:
        WrongError: It differs.
    """
    if got != wanted:
        at = next(
            (at for at, (a, b) in enumerate(zip(got, wanted, strict=False)) if a != b), min(len(got), len(wanted))
        )
        raise WrongError(
            f"{name}: {len(got)} octets instead of {len(wanted)}, other from {at} on: {got[at : at + 40]!r}"
        )


def expect_echo(answer: Answer, sent: bytes) -> None:
    """Check that an echoed head is that of this very request.

    Raises:
        WrongError: It is another one's.
    """
    if b"\r\nX-Token: " + sent + b"\r\n" not in answer.body:
        raise WrongError(f"another one's answer: not {sent!r} in {answer.body[:400]!r}")
    name, at = b"\r\nx-request-id: ", answer.body.lower().find(b"\r\nx-request-id: ")
    if int(answer.body[at + len(name) :].partition(b"\r")[0], 16) != answer.request_id:
        raise WrongError("the application was told another request id")
