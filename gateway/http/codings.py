"""Content codings of stored representations: what a client takes, the best first (RFC 9110 §12.5.3)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from gateway.http.fields import quality_values
from gateway.http.known import ACCEPT_ENCODING
from gateway.http.message import RequestHead

EXTENSIONS: Final = {b"zstd": b".zst", b"br": b".br", b"gzip": b".gz"}
"""Endings of the names of encoded copies, by coding; of two that are equally welcome the first is chosen."""


def welcome_codings(head: RequestHead) -> tuple[bytes, ...]:
    """List the codings that are more welcome than the plain content, the best first.

    Plain content needs no listing: it is what remains. A coding must be named, or fall under `*`, with a weight that is
    not 0 and no less than that of `identity` where this is named.
    """
    if not head.known & ACCEPT_ENCODING:
        return ()
    accepted = b",".join(head.get_all(b"accept-encoding"))
    return _rank(accepted) if len(accepted) <= _REMEMBERED else _rank.__wrapped__(accepted)


@lru_cache(maxsize=256)
def _rank(accepted: bytes) -> tuple[bytes, ...]:
    """Rank codings by a value of Accept-Encoding: browsers send few different ones."""
    weights = dict(reversed(quality_values(accepted)))
    if b"x-gzip" in weights:
        weights.setdefault(b"gzip", weights[b"x-gzip"])
    others = weights.get(b"*", 0.0)
    plain = weights.get(b"identity", 0.0)
    ranked = [(weights.get(coding, others), coding) for coding in EXTENSIONS]
    ranked.sort(key=lambda entry: -entry[0])
    return tuple(coding for weight, coding in ranked if weight > 0 and weight >= plain)


_REMEMBERED: Final = 200
"""Octets of the longest value that is remembered."""
