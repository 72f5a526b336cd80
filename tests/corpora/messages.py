"""What a corpus of requests is made of.

Every entry is whole: a server needs no more octets to judge it. `HOST` is the only name that a server under test
has to serve.
"""

from __future__ import annotations

from dataclasses import dataclass

HOST = b"example.com"
LAST = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class HostileRequest:
    """A request that no octet of may reach an application.

    Attributes:
        name: Short and unique.
        data: What the client sends.
        status: The right answer.
        section: The rule that asks for it.
        above_parser: Whether the parser takes it and the path rules or the site table refuse it.
    """

    name: str
    data: bytes
    status: int
    section: str
    above_parser: bool = False


@dataclass(frozen=True, slots=True)
class TamedRequest:
    """A request that may pass, but not as it came.

    Attributes:
        name: Short and unique.
        data: What the client sends.
        present: What the request sent upstream must hold, in lower case.
        absent: What it must not hold, in lower case.
        section: The rule.
    """

    name: str
    data: bytes
    present: tuple[bytes, ...]
    absent: tuple[bytes, ...]
    section: str


def request(*lines: bytes, start: bytes = b"GET / HTTP/1.1", host: bytes | None = HOST, body: bytes = b"") -> bytes:
    """Write a request; `host` None leaves Host out."""
    first = [start] if host is None else [start, b"Host: " + host]
    return b"\r\n".join([*first, *lines, b"", b""]) + body


def post(*lines: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    """Write a POST request with a body."""
    return request(*lines, start=b"POST /in HTTP/" + version, body=body)


def chunked(body: bytes) -> bytes:
    """Write a POST request in the chunked coding."""
    return post(b"Transfer-Encoding: chunked", body=body)


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: " + HOST + b"\r\n\r\n"
