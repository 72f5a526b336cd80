"""Requests that must be refused, for tests and for comparing peers."""

from __future__ import annotations

from tests.corpora.messages import HostileRequest
from tests.corpora.request_bodies import chunked_bodies
from tests.corpora.request_framing import content_lengths, smuggling, transfer_codings
from tests.corpora.request_heads import expectations, field_lines, limits, request_lines
from tests.corpora.request_targets import hosts, targets

HOSTILE_REQUESTS: tuple[HostileRequest, ...] = (
    *content_lengths(),
    *transfer_codings(),
    *smuggling(),
    *field_lines(),
    *request_lines(),
    *targets(),
    *hosts(),
    *limits(),
    *chunked_bodies(),
    *expectations(),
)
"""All that must be refused; nothing of it may reach an application, and the connection closes after it."""
