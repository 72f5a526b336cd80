from __future__ import annotations

import pytest

from gateway.config.hosts import apex_name, normal_host, normal_pattern, www_name


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "[::1]"),
        ("[0:0::1]", "[::1]"),
        ("a_b.example", "a_b.example"),
    ],
)
def test_normal_form(text: str, host: str) -> None:
    """Names are compared in lower case, as A-labels, without a final dot; IPv6 addresses in brackets."""
    assert normal_host(text) == host


@pytest.mark.parametrize(
    "text", ["", ".", "a..b", "-a.b", "a-.b", "a b", "a/b", "a:80", "*.a", "a.*", "x" * 64, "a." * 127 + "b", "é\u2488"]
)
def test_what_is_no_host_is_refused(text: str) -> None:
    """Anything but a host name or an address is an error."""
    with pytest.raises(ValueError, match="expected a host name"):
        normal_host(text)


def test_wildcards() -> None:
    """A wildcard stands for one label in front of a name."""
    assert normal_pattern("*.Example.com") == "*.example.com"
    assert normal_pattern("a.b") == "a.b"
    with pytest.raises(ValueError, match="expected a name behind the wildcard"):
        normal_pattern("*.10.0.0.1")


def test_www_and_apex() -> None:
    """Only names with a dot have a `www.` sister, and a `www.` name has none of its own."""
    assert www_name("a.b") == "www.a.b"
    assert {www_name(each) for each in ("localhost", "www.a.b", "10.0.0.1", "*.a.b")} == {""}
    assert [apex_name(each) for each in ("www.a.b", "a.b")] == ["a.b", "a.b"]
