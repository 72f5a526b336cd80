"""Look-up in a block of field lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.http.fields import get, get_all, pairs

NAMES = st.sampled_from([b"a", b"A", b"ab", b"x-a", b"Accept", b"ACCEPT", b"accept-encoding"])
VALUES = st.lists(st.sampled_from([b"", b" ", b"\t", b"a", b"a:", b"accept: ", b"\xff", b"A:b"]), max_size=4).map(
    b"".join
)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6), NAMES)
def test_values_of_a_name(fields: list[tuple[bytes, bytes]], name: bytes) -> None:
    """All values of a name are found, in order, whatever else looks like it."""
    block = b"".join(b"%b:%b\r\n" % field for field in fields)
    found = get_all(block, name.lower())
    assert found == [value for each, value in pairs(block) if each.lower() == name.lower()]
    assert get(block, name.lower()) == (found[0] if found else None)
