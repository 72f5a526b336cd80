"""The corpus of hostile requests, against the parsers in memory."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ProtocolError
from gateway.http.message import Framing
from gateway.http.paths import decide_path
from gateway.protocol.chunked import ChunkedDecoder
from gateway.protocol.http1_head import HeadLimits, parse_request, skip_blank_lines
from tests.corpora.hostile_requests import HOSTILE_REQUESTS
from tests.corpora.messages import HostileRequest, TamedRequest
from tests.corpora.tamed_requests import TAMED_REQUESTS

LIMITS = HeadLimits()
FROM_PARSER = [entry for entry in HOSTILE_REQUESTS if not entry.above_parser]


def read(packets: list[bytes]) -> int | None:
    """Feed a parser as a connection does; give the status of its refusal, None where it takes all."""
    data = b""
    head = None
    decoder = ChunkedDecoder(LIMITS)
    try:
        for packet in packets:
            if head is None:
                data = skip_blank_lines(data + packet)
                head = parse_request(data, LIMITS)
                packet = data[head.size :] if head is not None else b""
            if head is not None and head.framing is Framing.CHUNKED:
                decoder.receive(packet)
    except ProtocolError as error:
        return error.status
    return None


def test_corpus_is_large_and_its_names_are_unique() -> None:
    """At least 150 hostile requests, each found by its name."""
    assert len(HOSTILE_REQUESTS) >= 150
    names = [entry.name for entry in HOSTILE_REQUESTS]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("entry", FROM_PARSER, ids=lambda entry: entry.name)
def test_refused(entry: HostileRequest) -> None:
    """Each hostile request is refused with the status that its RFC section asks for."""
    assert read([entry.data]) == entry.status


@pytest.mark.parametrize(
    "entry", [entry for entry in FROM_PARSER if len(entry.data) < 2000], ids=lambda entry: entry.name
)
def test_refused_octet_by_octet(entry: HostileRequest) -> None:
    """A hostile request is refused as well when every octet comes alone."""
    status = read([bytes([octet]) for octet in entry.data])
    assert status == entry.status or (status == 400 and entry.status in (405, 417, 501, 505))


@given(st.sampled_from(FROM_PARSER), st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_refused_in_any_split(entry: HostileRequest, cuts: list[float]) -> None:
    """No split lets a hostile request through."""
    edges = [0, *sorted(int(cut * len(entry.data)) for cut in cuts), len(entry.data)]
    packets = [entry.data[start:end] for start, end in itertools.pairwise(edges)]
    assert read(packets) == entry.status


@pytest.mark.parametrize(
    "entry", [entry for entry in HOSTILE_REQUESTS if entry.name.startswith("path:")], ids=lambda entry: entry.name
)
def test_refused_by_its_path(entry: HostileRequest) -> None:
    """A path that climbs above the root, or that two servers could decode differently, is refused."""
    head = parse_request(entry.data, LIMITS)
    assert head is not None
    with pytest.raises(ProtocolError) as caught:
        decide_path(head.target)
    assert caught.value.status == entry.status


@pytest.mark.parametrize("entry", TAMED_REQUESTS, ids=lambda entry: entry.name)
def test_taken(entry: TamedRequest) -> None:
    """Requests that are only odd are not refused."""
    assert read([entry.data]) is None
