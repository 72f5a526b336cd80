"""Targets and authorities by themselves; whole requests are tried in `test_http1_request`."""

from __future__ import annotations

import pytest

from gateway.errors import ProtocolError
from gateway.protocol.http1_target import is_origin_form, read_hostname, read_other_target


class TestTargets:
    """RFC 9112 §3.2."""

    @pytest.mark.parametrize(
        ("target", "expected"),
        [(b"/", True), (b"/a?b", True), (b"//a", True), (b"", False), (b"a", False), (b"/#", False), (b"/\xe9", False)],
    )
    def test_origin_form(self, target: bytes, expected: bool) -> None:
        """A path and query of visible octets, without a fragment."""
        assert is_origin_form(target) is expected

    def test_other_forms(self) -> None:
        """Absolute-form gives an authority, asterisk-form none."""
        assert read_other_target(b"GET", b"https://a:1/b?c@d") == (b"/b?c@d", b"a:1")
        assert read_other_target(b"OPTIONS", b"*") == (b"*", b"")

    @pytest.mark.parametrize(
        "target", [b"*", b"a:80", b"", b"http://", b"http://u@a/", b"ftp://a/", b"http:/a", b"/#a"]
    )
    def test_refused(self, target: bytes) -> None:
        """Authority-form, other schemes, user information and fragments have no place here."""
        with pytest.raises(ProtocolError):
            read_other_target(b"GET", target)


class TestAuthorities:
    """RFC 9110 §7.2; RFC 3986 §3.2.2."""

    def test_bounds(self) -> None:
        """Labels of 63 octets, names of 253 and ports up to 65535 pass, and no more."""
        name = b".".join([b"a" * 63] * 3 + [b"a" * 61])
        assert read_hostname(name + b".:65535") == name
        for authority in (name + b"aa", b"a" * 64, b"a:65536", b"a:000001"):
            with pytest.raises(ProtocolError):
                read_hostname(authority)

    @pytest.mark.parametrize("authority", [b"[::1]", b"[::FFFF:192.0.2.1]:80", b"[1:2:3:4:5:6:7:8]"])
    def test_ipv6(self, authority: bytes) -> None:
        """An IPv6 literal keeps its brackets."""
        assert read_hostname(authority) == authority.rpartition(b"]")[0].lower() + b"]"

    @pytest.mark.parametrize("authority", [b"[::::]", b"[1]", b"[::1", b"::1", b"[::1%25a]", b"[v1.a]", b"[1.2.3.4]"])
    def test_no_ipv6(self, authority: bytes) -> None:
        """A literal that is no address is refused, each time."""
        for _ in range(2):
            with pytest.raises(ProtocolError):
                read_hostname(authority)
