"""The rules of field lines that request and response heads share."""

from __future__ import annotations

import pytest

from gateway.errors import ProtocolError
from gateway.protocol.http1_fields import (
    FieldNames,
    check_name,
    connection_options,
    content_length,
    imitates,
    octet_error,
    remember,
    sort_fields,
)


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
