"""The compiled form and plain Python side by side: the same octets, in the same pieces, must give the same."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from gateway.errors import GatewayError
from gateway.http.message import Framing, RequestHead, ResponseHead
from gateway.protocol import http1_request, http1_response
from gateway.protocol.http1_fields import HeadLimits
from gateway.units import ByteCount

PROTOCOL = Path(http1_request.__file__).parent
METHODS = (b"GET", b"HEAD", b"POST", b"OPTIONS")
LIMITS = (
    HeadLimits(),
    HeadLimits(size=ByteCount(120), line=ByteCount(40), count=4),
    HeadLimits(size=ByteCount(16_000), line=ByteCount(8_000), count=2),
)


class FormsDifferError(AssertionError):
    """The two forms gave different results."""


def plain(name: str) -> ModuleType:
    """Load a module of `gateway.protocol` from its source, whatever stands beside it."""
    spec = spec_from_file_location(f"plain_{name}", PROTOCOL / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _compiled(name: str) -> ModuleType | None:
    try:
        module = importlib.import_module(f"gateway.protocol.{name}")
    except ModuleNotFoundError:
        return None
    return module if not str(module.__file__).endswith(".py") else None


heads, content, write = (_compiled(name) for name in ("_http1_head", "content", "http1_write"))
plain_content, plain_write = plain("content"), plain("http1_write")
THERE = heads is not None
"""Whether anything is compiled here; else there is nothing to compare."""


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
    assert heads is not None
    data, head = b"", None
    for piece in case.pieces:
        data += piece
        if case.response:
            parsers = http1_response.parse_response, heads.parse_response
            head = _same(*parsers, data, case.limits, case.method)
        else:
            head = _same(http1_request.parse_request, heads.parse_request, data, case.limits)
        if head is not None:
            break
    if isinstance(head, RequestHead):
        _compare_content(case, head.framing, head.content_length, head.size)
        _compare_written_request(head, data[head.size :])
    elif isinstance(head, ResponseHead):
        _compare_content(case, head.framing, head.content_length or 0, head.size)
        _compare_written_response(head, data[head.size :], case.method)
    return head is not None


def _same(
    plain_form: Callable[..., object], compiled_form: Callable[..., object], *arguments: object, **options: object
) -> object:
    """Call the compiled form, the plain one, and the compiled one again, which then knows all field names.

    Returns:
        What they gave; None where they raised an error.
    """
    first, plainly, again = (
        _outcome(form, *arguments, **options) for form in (compiled_form, plain_form, compiled_form)
    )
    for other in (first, again):
        if other[0] != plainly[0]:
            name = plain_form.__name__
            raise FormsDifferError(f"{name}: plain Python gives {plainly[0]!r}, compiled {other[0]!r}")
    return plainly[1]


def _outcome(form: Callable[..., object], *arguments: object, **options: object) -> tuple[object, object]:
    try:
        result = form(*arguments, **options)
    except GatewayError as error:
        return (type(error), str(error), error.status, error.reason), None
    return _seen(result), result


def _seen(result: object) -> object:
    """Take a result apart: values with their types, since True is 1."""
    if isinstance(result, RequestHead | ResponseHead):
        values = [getattr(result, name) for name in _SLOTS[type(result)]]
        return [type(result), *((type(value), value) for value in values)]
    return (type(result), result)


def _compare_content(case: Case, framing: Framing, length: int, start: int) -> None:
    """Feed both readers what follows the head, in the same pieces."""
    if content is None:
        return
    readers = plain_content.ContentReader(case.limits), content.ContentReader(case.limits)
    for reader in readers:
        reader.begin(framing, length)
    at = 0
    for piece in case.pieces:
        at += len(piece)
        data = piece[max(0, len(piece) - (at - start)) :] if at > start else b""
        if not data:
            continue
        failed = []
        for reader in readers:
            try:
                failed.append((reader.receive(data), reader.done, reader.rest, reader.trailers))
            except GatewayError as error:
                failed.append((type(error), str(error), error.status))
        if failed[0] != failed[1]:
            raise FormsDifferError(f"ContentReader: plain Python gives {failed[0]!r}, compiled {failed[1]!r}")
        if isinstance(failed[0][0], type) or failed[0][1]:
            return


def _compare_written_request(head: RequestHead, data: bytes) -> None:
    if write is None:
        return
    for end in (False, True):
        forms = plain_write.write_request, write.write_request
        _same(*forms, head, head.target, head.host, head.fields, data, end)


def _compare_written_response(head: ResponseHead, data: bytes, method: bytes) -> None:
    if write is None:
        return
    for how in range(8):
        options = {"method": method, "http11": bool(how & 1), "persistent": bool(how & 2)}
        forms = plain_write.write_response, write.write_response
        _same(*forms, head, b"X-Extra: 1\r\n", data, bool(how & 4), **options)


def _slots(source: str, name: str) -> tuple[str, ...]:
    """The attributes that a class declares in its source; an extension type does not tell them."""
    module = spec_from_file_location("plain_message", Path(source).parent / "message.py")
    assert module is not None
    assert module.loader is not None
    made = module_from_spec(module)
    module.loader.exec_module(made)
    return tuple(getattr(made, name).__slots__)


_MESSAGE = str(PROTOCOL.parent / "http" / "message.py")
_SLOTS = {RequestHead: _slots(_MESSAGE, "RequestHead"), ResponseHead: _slots(_MESSAGE, "ResponseHead")}
