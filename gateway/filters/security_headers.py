"""Security headers: presets that every response gets unless the application has decided otherwise.

The filter is the definition. What a location runs is its prepared form (`constant_fields`): bytes for a response that
has none of the fields, and a choice, remembered by which of them are there, for the others.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal

from gateway.http.fields import Field, make_block, without
from gateway.http.known import BITS, CONTENT_SECURITY_POLICY
from gateway.http.message import ResponseHead
from gateway.web.filter import BaseFilter
from gateway.web.request import Request
from gateway.web.tree import AddedFields

Security = Literal["basic", "strict", "off", "basic!", "strict!"]
"""Which set of security headers a site gets; with `!` in place of the application's own."""

ServerField = Literal["remove", "keep"]
"""What happens to an application's Server and X-Powered-By."""


class SecurityHeaders(BaseFilter):
    """Adds the fields of a preset, and removes what tells the server's make.

    Args:
        preset: The set of fields.
        static: Whether files are served, so that a policy for their content is known.
        server: What happens to Server and X-Powered-By.
        noindex: Whether search engines are kept away, whatever the application says.
        hsts: Value of Strict-Transport-Security, sent on HTTPS only and not with `off`; empty for none.
        edited: Lower-case names that `[headers]` sets or removes afterwards, so that adding them would be in vain.
    """

    __slots__ = ("_dropped", "_fields", "_hsts")

    def __init__(
        self,
        preset: Security = "basic",
        *,
        static: bool = False,
        server: ServerField = "remove",
        noindex: bool = False,
        hsts: bytes = b"",
        edited: frozenset[bytes] = frozenset(),
    ) -> None:
        fields: list[Field] = []
        if preset != "off":
            fields += _BASIC
        if preset.startswith("strict"):
            fields += _STRICT
        dropped = {name.lower() for name, _ in fields} if preset.endswith("!") else set()
        if static and preset.startswith("strict"):
            # In place of no other: beside files only answers of our own have a policy, and a narrower one.
            fields.insert(0, (b"Content-Security-Policy", _STATIC_POLICY))
        self._hsts = [(b"Strict-Transport-Security", hsts)] if hsts and preset != "off" else []
        if self._hsts and preset.endswith("!"):
            dropped.add(b"strict-transport-security")
        if noindex:
            fields.append((b"X-Robots-Tag", b"noindex, nofollow"))
            dropped.add(b"x-robots-tag")
        if server == "remove":
            dropped |= {b"server", b"x-powered-by"}
        self._fields = tuple(field for field in fields if field[0].lower() not in edited)
        self._hsts = [field for field in self._hsts if field[0].lower() not in edited]
        self._dropped = frozenset(dropped)

    def on_response(self, request: Request, head: ResponseHead) -> None:
        """Remove, then add what is missing."""
        head.remove(self._dropped)
        for name, value in self._all_fields(secure=request.stream.secure):
            if head.get(name.lower()) is None and not (name == _FRAME_OPTIONS and names_ancestors(head)):
                head.add(name, value)

    def constant_fields(self, *, secure: bool) -> AddedFields:
        """Prepare what the filter does to responses on HTTPS, or on plain HTTP."""
        return _Prepared(self._all_fields(secure=secure), self._dropped).added

    def _all_fields(self, *, secure: bool) -> tuple[Field, ...]:
        return (*self._fields, *self._hsts) if secure else self._fields


class _Prepared:
    """Lines by which fields a response has already.

    Args:
        fields: What responses get; each name has a bit in `gateway.http.known`.
        dropped: Lower-case names of fields removed, of which each has a bit too.
    """

    __slots__ = ("_chosen", "_dropped", "_fields", "_guard", "_mask", "_policies", "_present", "added")

    def __init__(self, fields: tuple[Field, ...], dropped: frozenset[bytes]) -> None:
        self._fields = fields
        self._dropped = dropped
        self._mask = sum({BITS[name] for name in dropped})
        self._present: dict[int, frozenset[bytes]] = {}
        self._policies = CONTENT_SECURITY_POLICY if any(name == _FRAME_OPTIONS for name, _ in fields) else 0
        self._chosen: dict[tuple[int, bool], tuple[bytes, int]] = {}
        lines, known = self._lines(0, framed=False)
        guard = sum({BITS[name.lower()] for name, _ in fields} | {BITS[name] for name in dropped})
        self._guard = guard | self._policies
        self.added = AddedFields(lines, known, self._guard, self._choose)

    def _choose(self, head: ResponseHead) -> tuple[bytes, int]:
        known = head.known
        present = known & self._mask
        if present:
            names = self._present.get(present)
            if names is None:
                names = self._present[present] = _among(self._dropped, present)
            head.fields = without(head.fields, names)
            known ^= present
            head.known = known
        framed = bool(known & self._policies) and names_ancestors(head)
        key = known & self._guard, framed
        chosen = self._chosen.get(key)
        if chosen is None:
            chosen = self._chosen[key] = self._lines(*key)
        return chosen

    def _lines(self, present: int, framed: bool) -> tuple[bytes, int]:
        kept = [(name, value) for name, value in self._fields if not present & BITS[name.lower()]]
        framed = framed or any(name == _POLICY and b"frame-ancestors" in value for name, value in kept)
        if framed:
            kept = [field for field in kept if field[0] != _FRAME_OPTIONS]
        return make_block(kept), sum(BITS[name.lower()] for name, _ in kept)


def _among(names: frozenset[bytes], known: int) -> frozenset[bytes]:
    return frozenset(name for name in names if known & BITS[name])


def names_ancestors(head: ResponseHead) -> bool:
    """Tell whether a response's policy says who may frame it (CSP 3 §6.4.2), which X-Frame-Options would repeat."""
    return any(_is_about_frames(policy) for policy in _POLICIES.findall(b"\n" + head.fields))


@lru_cache(maxsize=256)
def _is_about_frames(policy: bytes) -> bool:
    """Look for the directive in a field's value; apps send few different ones."""
    return _ANCESTORS.search(policy) is not None


_POLICY: Final = b"Content-Security-Policy"
_FRAME_OPTIONS: Final = b"X-Frame-Options"
_POLICIES: Final = re.compile(rb"\ncontent-security-policy:([^\r]*)", re.IGNORECASE)
_ANCESTORS: Final = re.compile(rb"(?:^|[;,])[ \t]*frame-ancestors(?=[ \t;,]|$)", re.IGNORECASE)
_BASIC: Final[tuple[Field, ...]] = (
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Referrer-Policy", b"strict-origin-when-cross-origin"),
    (_FRAME_OPTIONS, b"SAMEORIGIN"),
    # What a page can take from its visitor; each is still asked for by the browser, so only frames are shut out.
    (b"Permissions-Policy", b"camera=(self), microphone=(self), geolocation=(self), usb=(self)"),
)
_STRICT: Final[tuple[Field, ...]] = (
    (b"Cross-Origin-Opener-Policy", b"same-origin"),
    (b"Cross-Origin-Resource-Policy", b"same-origin"),
)
_STATIC_POLICY: Final = (
    b"default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
    b"base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
