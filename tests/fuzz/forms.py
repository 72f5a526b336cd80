"""The compiled form and plain Python side by side: the same octets, in the same pieces, must give the same."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

import gateway
from gateway.compiled import PlainSource
from gateway.errors import GatewayError
from gateway.protocol.http1_fields import HeadLimits
from gateway.units import ByteCount

METHODS = (b"GET", b"HEAD", b"POST", b"OPTIONS")
LIMITS = (
    HeadLimits(),
    HeadLimits(size=ByteCount(120), line=ByteCount(40), count=4),
    HeadLimits(size=ByteCount(16_000), line=ByteCount(8_000), count=2),
)
_LAYERS = ("http", "protocol")
_PACKAGES = tuple(f"gateway.{layer}" for layer in _LAYERS)
_ASKED = (b"host", b"connection", b"te", b"x-a", b"content-length")


@contextmanager
def _only_sources() -> Iterator[None]:
    """Let the modules of the layers be imported anew from their sources; afterwards the former ones are back."""
    folder = Path(gateway.__file__).parent
    before = {name: module for name, module in sys.modules.items() if name.startswith(_PACKAGES)}
    for name in before:
        del sys.modules[name]
    sources = {
        ".".join(path.relative_to(folder.parent).with_suffix("").parts): path
        for layer in _LAYERS
        for path in (folder / layer).glob("*.py")
        if path.stem != "__init__"
    }
    finder = PlainSource(sources)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.startswith(_PACKAGES)]:
            del sys.modules[name]
        sys.modules.update(before)
        for layer in _LAYERS:
            setattr(gateway, layer, sys.modules[f"gateway.{layer}"])


class Form:
    """One of the two: every function that meets octets of strangers.

    Attributes:
        compiled: Whether the parsers are extensions.
        modules: All modules of the layers in this form.
    """

    def __init__(self) -> None:
        modules = [importlib.import_module(f"gateway.{name}") for name in _MODULES]
        self.heads, self.content, self.write, self.forwarding, self.message, self.frames = modules
        self.compiled = not _is_source(sys.modules[self.heads.parse_request.__module__])
        self.modules = [module for name, module in sys.modules.items() if name.startswith(_PACKAGES)]
        self.via = self.forwarding.Via("gateway")
        self.proxies = self.forwarding.TrustedProxies(["127.0.0.0/8"])


def _is_source(module: ModuleType) -> bool:
    return str(module.__file__).endswith(".py")


_MODULES = (
    "protocol.http1_head",
    "protocol.content",
    "protocol.http1_write",
    "http.forwarding",
    "http.message",
    "protocol.websocket_frames",
)
COMPILED = Form()
with _only_sources():
    PLAIN = Form()
THERE = COMPILED.compiled
"""Whether anything is compiled here; else there is nothing to compare."""


class FormsDifferError(AssertionError):
    """The two forms gave different results."""


@dataclass(frozen=True, slots=True)
class Case:
    """Octets from a peer, and how they come.

    Attributes:
        data: The octets.
        cuts: Where pieces end.
        response: Whether an application sent them.
        method: Of the request that a response answers.
        limits: What a head may weigh.
    """

    data: bytes
    cuts: tuple[int, ...] = ()
    response: bool = False
    method: bytes = b"GET"
    limits: HeadLimits = LIMITS[0]

    @property
    def pieces(self) -> list[bytes]:
        """The octets as they come."""
        edges = [0, *sorted(cut % (len(self.data) + 1) for cut in self.cuts), len(self.data)]
        return [self.data[start:end] for start, end in itertools.pairwise(edges)]


def decode(fuzzed: bytes) -> Case:
    """Make a case of what a fuzzer drew: three octets that say how, and what comes."""
    how, first, second = (*fuzzed[:3], 0, 0, 0)[:3]
    data = fuzzed[3:]
    cuts = (first * len(data) // 256, second * len(data) // 256) if how & 1 else ()
    return Case(data, cuts, bool(how & 2), METHODS[how >> 2 & 3], LIMITS[(how >> 4) % len(LIMITS)])


def compare_drawn(fuzzed: bytes) -> None:
    """Compare what a fuzzer drew, as a message or, where the first octet says so, as frames of a WebSocket.

    Raises:
        FormsDifferError: Both forms differ.
    """
    case = decode(fuzzed)
    if fuzzed[:1] < b"\x80":
        compare(case)
    else:
        how = fuzzed[0]
        injected = b"\x89\x00" if how & 16 else b"\x88\x02\x03\xe9" if how & 32 else b""
        options = {"masked": bool(how & 4), "extended": bool(how & 8)}
        compare_frames(case, **options, max_frame=300 if how & 2 else 0, injected=injected)


def encode(case: Case) -> bytes:
    """Write a case without cuts as a fuzzer draws it: a seed."""
    how = (case.response and 2) | METHODS.index(case.method) << 2 | LIMITS.index(case.limits) << 4
    return bytes([how, 0, 0]) + case.data


def compare(case: Case) -> bool:
    """Hold both forms against each other on all of a case.

    Returns:
        Whether there was a head that passed.

    Raises:
        FormsDifferError: They give different results, or raise different errors.
    """
    data = b""
    heads: tuple[object, object] = (None, None)
    for piece in case.pieces:
        data += piece
        if case.response:
            heads = _same(lambda form, data: form.heads.parse_response(data, case.limits, case.method), data)
        else:
            heads = _same(lambda form, data: form.heads.parse_request(data, case.limits), data)
        if heads[0] is not None:
            break
    else:
        return False
    _compare_look_ups(heads)
    _compare_content(case, heads)
    if case.response:
        _compare_written_response(heads, data, case.method)
    else:
        _compare_forwarding(heads)
        _compare_written_request(heads, data)
    return True


def _same(
    call: Callable[..., object], plain: object = None, compiled: object = None, *, both: bool = False
) -> tuple[object, object]:
    """Call the compiled form, the plain one, and the compiled one again, which then knows all field names.

    Args:
        call: What is called: with a form, and an argument.
        plain: The argument of the plain form.
        compiled: That of the compiled one; the same by default.
        both: Whether the two arguments differ.

    Returns:
        What plain Python and the compiled form gave; None where they raised an error.
    """
    other = compiled if both else plain
    first = _outcome(call, COMPILED, other)
    expected = _outcome(call, PLAIN, plain)
    again = _outcome(call, COMPILED, other)
    for got in (first, again):
        if got[0] != expected[0]:
            raise FormsDifferError(f"plain Python gives {expected[0]!r}, compiled {got[0]!r}")
    return expected[1], again[1]


def _outcome(call: Callable[..., object], form: Form, argument: object) -> tuple[object, object]:
    try:
        result = call(form, argument)
    except GatewayError as error:
        return (type(error), str(error), error.status, error.reason), None
    return seen(result), result


def seen(result: object) -> object:
    """Take a result apart into plain data with the names of the types: True is not 1."""
    if isinstance(result, tuple | list):
        return [seen(each) for each in result]
    if isinstance(result, Enum):
        return result.name
    slots = _SLOTS.get(type(result).__name__)
    if slots is not None:
        return [type(result).__name__, *(seen(getattr(result, name)) for name in slots)]
    return type(result).__name__, result


def _compare_look_ups(heads: tuple[object, object]) -> None:
    for name in _ASKED:
        _same(lambda _, head, name=name: head.get_all(name), *heads, both=True)


def _compare_forwarding(heads: tuple[object, object]) -> None:
    _same(lambda form, head: form.via.line(head), *heads, both=True)
    _same(lambda form, head: form.proxies.read(head, "127.0.0.1", 80, False), *heads, both=True)


def _compare_content(case: Case, heads: tuple[object, object]) -> None:
    """Feed both readers what follows the head, in the same pieces."""
    readers = []
    for form, head in zip((PLAIN, COMPILED), heads, strict=True):
        reader = form.content.ContentReader(case.limits)
        reader.begin(head.framing, head.content_length or 0)  # type: ignore[attr-defined]  # a head of that form
        readers.append(reader)
    at, start = 0, heads[0].size  # type: ignore[attr-defined]  # a head
    for piece in case.pieces:
        at += len(piece)
        data = piece[max(0, len(piece) - (at - start)) :] if at > start else b""
        if not data:
            continue
        got = [_outcome(_receive, PLAIN, (reader, data))[0] for reader in readers]
        if got[0] != got[1]:
            raise FormsDifferError(f"ContentReader: plain Python gives {got[0]!r}, compiled {got[1]!r}")
        if isinstance(got[0], tuple) or readers[0].done:
            return


def _receive(_: Form, argument: tuple[object, bytes]) -> object:
    reader, data = argument
    return reader.receive(data), reader.done, reader.rest, reader.trailers  # type: ignore[attr-defined]


def _compare_written_request(heads: tuple[object, object], data: bytes) -> None:
    for end in (False, True):

        def write(form: Form, head: object, end: bool = end) -> object:
            content = data[head.size :]  # type: ignore[attr-defined]  # a head of that form
            return form.write.write_request(head, head.target, head.host, head.fields, content, end)  # type: ignore[attr-defined]

        _same(write, *heads, both=True)


def _compare_written_response(heads: tuple[object, object], data: bytes, method: bytes) -> None:
    for how in range(8):

        def write(form: Form, head: object, how: int = how) -> object:
            content = data[head.size :]  # type: ignore[attr-defined]  # a head of that form
            options = {"method": method, "http11": bool(how & 1), "persistent": bool(how & 2)}
            return form.write.write_response(head, b"X-Extra: 1\r\n", content, bool(how & 4), **options)

        _same(write, *heads, both=True)


def compare_frames(case: Case, *, masked: bool, extended: bool, max_frame: int, injected: bytes = b"") -> None:
    """Let both forms of the WebSocket pipe pass a case on.

    Args:
        case: The octets and their pieces.
        masked: Whether a client sent them.
        extended: Whether an extension was agreed.
        max_frame: Octets of payload in a frame, and half of those in a message; 0 for no limit.
        injected: A control frame of our own, put in after the first piece.

    Raises:
        FormsDifferError: They pass on, take out or remember something else.
    """
    pipes = [
        form.frames.FramePipe(masked=masked, extended=extended, max_frame=max_frame, max_message=2 * max_frame)
        for form in (PLAIN, COMPILED)
    ]
    for number, piece in enumerate(case.pieces):
        expected, got = (_passed(pipe, piece, injected if number == 0 else b"") for pipe in pipes)
        if expected != got:
            raise FormsDifferError(f"FramePipe: plain Python gives {expected!r}, compiled {got!r}")


def _passed(pipe: Any, piece: bytes, injected: bytes) -> object:
    output = [pipe.receive_data(piece)]
    if injected:
        output.append(pipe.inject(injected, b"abcd"))
    return output, repr(pipe.events), int(pipe.input), pipe.output_open, pipe.at_boundary


_SLOTS = {
    made.__name__: made.__slots__
    for made in (PLAIN.message.RequestHead, PLAIN.message.ResponseHead, PLAIN.forwarding.Forwarding)
}
