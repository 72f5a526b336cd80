"""The rules of field lines that request and response heads share."""

from __future__ import annotations

import pytest

from gateway.errors import ProtocolError
from gateway.http.known import HOST
from gateway.protocol.http1_fields import (
    FieldNames,
    FieldOrder,
    check_name,
    connection_options,
    content_length,
    imitates,
    octet_error,
    remember,
    sort_fields,
    split_lines,
)

ORDERS = [
    [b"Host: a", b"X: y", b"Connection: close"],
    [b"Host: a", b"Connection: x", b"HOST:b", b"X: y"],
    [b"X: y", b"Host: a"],
    [b"X: y"],
    [],
]


class TestFieldNames:
    """RFC 9110 §5.1; RFC 9112 §5.1, §5.2."""

    @pytest.mark.parametrize("name", [b"", b" x", b"x ", b"x\t", b"x y", b"x(", b"x/y", b"\xe9", b"x\x00", b"\tfold"])
    def test_no_token(self, name: bytes) -> None:
        """A name is a token, with nothing between it and the colon."""
        with pytest.raises(ProtocolError):
            check_name(name, b":")

    def test_no_colon(self) -> None:
        """A line without a colon is refused, though its text was met as a name before."""
        names = FieldNames(frozenset())
        sort_fields([b"X-A: b"], names)
        with pytest.raises(ProtocolError):
            sort_fields([b"X-A"], names)

    def test_every_token_octet_passes(self) -> None:
        """Names are compared without case."""
        assert check_name(b"!#$%&'*+-.^_`|~09AZaz", b":") == b"!#$%&'*+-.^_`|~09azaz"

    def test_repeated_value_never_passes_for_one(self) -> None:
        """Values of several lines are told apart from a list in one line."""
        names = FieldNames(frozenset({b"host"}))
        block, known, special = sort_fields([b"Host: a", b"X: y", b"HOST:\tb "], names)
        assert (block, known, special) == (b"X: y\r\n", 1, {1: b"a\nb"})


class TestFieldOrder:
    """Orders of names are remembered; what they mean never depends on what was met before."""

    @pytest.mark.parametrize("lines", ORDERS)
    def test_met_before_or_not(self, lines: list[bytes]) -> None:
        """Fields mean the same whether their names were met in this order, in another one, or not at all."""
        names = FieldNames(frozenset({b"host", b"connection"}))
        fresh = sort_fields([*lines], FieldNames(frozenset({b"host", b"connection"})))
        for other in (*ORDERS, lines):
            sort_fields([*other], names)
        assert sort_fields([*lines], names) == fresh

    def test_values_do_not_matter(self) -> None:
        """Values are those of this head, not of the one that the order was learned from."""
        names = FieldNames(frozenset({b"host"}))
        sort_fields([b"Host:a", b"X:1"], names)
        assert sort_fields([b"Host: \t bcd ", b"X:  2"], names) == (b"X:  2\r\n", HOST, {HOST: b"bcd"})

    def test_begins_anew_when_full(self) -> None:
        """A stranger can neither fill the memory with orders nor with long ones."""
        names = FieldNames(frozenset())
        for number in range(3000):
            sort_fields([b"A: b", b"X-%d: y" % number, b"C: d"], names)
            assert count(names.none) <= 2000
        sort_fields([b"A: b"] * 200, names)
        assert depth(names.none) <= 40

    def test_forgotten_names_are_learned_again(self) -> None:
        """No order outlives the names in it, which the compiled form looks up."""
        names = FieldNames(frozenset())
        sort_fields([b"A: b", b"C: d"], names)
        for number in range(3000):
            sort_fields([b"X-%d: y" % number], names)
        sort_fields([b"A: b", b"C: d"], names)
        assert {b"A", b"C"} <= names.codes.keys()


def count(order: FieldOrder) -> int:
    """Count what is remembered behind an order."""
    return sum(1 + count(after) for after in order.following.values())


def depth(order: FieldOrder) -> int:
    """Find the longest order remembered."""
    return max((1 + depth(after) for after in order.following.values()), default=0)


class TestSplitLines:
    """RFC 9110 §5.5; RFC 9112 §2.2."""

    def test_lines(self) -> None:
        """Each line ends in CRLF."""
        assert split_lines(b"a\r\nb: \xe9\t\r\n") == [b"a", b"b: \xe9\t"]

    @pytest.mark.parametrize(
        "raw",
        [
            b"a\rb\nc\r\n",
            b"a\n\rb\r\n",
            b"a\nb\r\n",
            b"a\rb\r\n",
            b"a\r\r\n",
            b"\ra\x00\r\n",
            b"a\rb\x0b\r\n",
            b"a\x7f\r\n",
        ]
        + [b"a%cb\r\n" % octet for octet in range(32) if octet != 9],
    )
    def test_forbidden_octets(self, raw: bytes) -> None:
        """Nothing is split where a control octet, a bare CR or a bare LF stands, in whatever company."""
        assert split_lines(raw) == []


class TestImitations:
    """RFC 3875 §4.1.18."""

    @pytest.mark.parametrize(
        "name",
        [
            b"x_forwarded_for",
            b"x.forwarded.for",
            b"x-forwarded_user",
            b"remote_user",
            b"transfer_encoding",
            b"x_real_ip",
        ],
    )
    def test_found(self, name: bytes) -> None:
        """Names that a CGI-like server folds into one of ours are found."""
        assert imitates(name)

    @pytest.mark.parametrize("name", [b"x-forwarded-for", b"my_field", b"forwarded_x", b"x_for", b"host"])
    def test_others(self, name: bytes) -> None:
        """Names that fold into nothing of ours, and ours themselves, are not."""
        assert not imitates(name)


class TestContentLength:
    """RFC 9110 §8.6; RFC 9112 §6.2, §6.3."""

    @pytest.mark.parametrize(
        "value",
        [b"", b"+1", b"-1", b"1 1", b"1,1", b"0x1", b"1_0", b"9" * 19, b"\xb2", b"1\n2", b"1\n", b"1\n01", b"x\nx"],
    )
    def test_refused(self, value: bytes) -> None:
        """It is one number of bounded length."""
        with pytest.raises(ProtocolError):
            content_length(value)

    def test_taken(self) -> None:
        """Leading zeros and equal lines are one number."""
        assert [content_length(value) for value in (b"0", b"007", b"9" * 18, b"5\n5\n5")] == [0, 7, 10**18 - 1, 5]


class TestConnectionOptions:
    """RFC 9110 §7.6.1."""

    def test_options_and_names(self) -> None:
        """Options are told from fields; case and empty members do not matter."""
        options = connection_options(b"Close, ,X-A\nUPGRADE,te")
        assert (options.close, options.keep_alive, options.upgrade, options.named) == (True, False, True, {b"x-a"})
        assert connection_options(b"Close, ,X-A\nUPGRADE,te") is options


class TestMemory:
    """What strangers send may be remembered only within bounds."""

    def test_full_memory_starts_anew(self) -> None:
        """A stranger cannot keep later names out for good."""
        memory: dict[bytes, int] = {}
        for number in range(5000):
            remember(memory, b"%d" % number, number)
            assert len(memory) <= 2000
        assert memory[b"4999"] == 4999

    def test_long_keys_are_not_kept(self) -> None:
        """A stranger cannot make the memory heavy."""
        memory: dict[bytes, int] = {}
        remember(memory, b"x" * 10_000, 1)
        assert memory == {}


def test_octet_error_names_the_rule() -> None:
    """Controls and line ends break different rules."""
    assert "control" in octet_error(b"X: \x00\r\n")
    assert "bare" in octet_error(b"X: a\nb\r\n")
