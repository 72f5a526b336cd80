"""Look-up in a block of field lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.http.fields import get, get_all, make_block, pairs, without

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


@given(
    st.lists(
        st.tuples(st.sampled_from([b"A", b"a", b"AB", b"b", b"X-A", b"Server"]), st.sampled_from([b"", b"a:", b"b"])),
        max_size=8,
    ),
    st.frozensets(st.sampled_from([b"a", b"ab", b"b", b"x-a", b"server", b"0", b"1", b"2", b"3", b"4", b"5"])),
)
def test_lines_are_dropped_by_name(fields: list[tuple[bytes, bytes]], names: frozenset[bytes]) -> None:
    """Few names or many: lines of those names go, all others stay as they are, in order."""
    kept = [field for field in fields if field[0].lower() not in names]
    assert without(make_block(fields), names) == make_block(kept)
