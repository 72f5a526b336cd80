"""Addresses of upstreams, as people write them."""

from __future__ import annotations

import pytest

from gateway.upstream.address import UpstreamAddress, parse_address


@pytest.mark.parametrize(
    ("written", "expected", "name"),
    [
        (4000, UpstreamAddress("127.0.0.1", 4000), "127.0.0.1:4000"),
        ("4000", UpstreamAddress("127.0.0.1", 4000), "127.0.0.1:4000"),
        (65535, UpstreamAddress("127.0.0.1", 65535), "127.0.0.1:65535"),
        ("app.example:4000", UpstreamAddress("app.example", 4000), "app.example:4000"),
        ("10.0.0.7:80", UpstreamAddress("10.0.0.7", 80), "10.0.0.7:80"),
        ("[::1]:4000", UpstreamAddress("::1", 4000), "[::1]:4000"),
        ("http://app.example", UpstreamAddress("app.example", 80), "app.example:80"),
        ("http://app.example:4000/", UpstreamAddress("app.example", 4000), "app.example:4000"),
        ("https://app.example", UpstreamAddress("app.example", 443, tls=True), "https://app.example:443"),
        ("https://[::1]:8443", UpstreamAddress("::1", 8443, tls=True), "https://[::1]:8443"),
        ("[0:0::1]:4000", UpstreamAddress("::1", 4000), "[::1]:4000"),
        ("my_app.:80", UpstreamAddress("my_app.", 80), "my_app.:80"),
        ("unix:/run/app.sock", UpstreamAddress(path="/run/app.sock"), "unix:/run/app.sock"),
    ],
)
def test_forms(written: int | str, expected: UpstreamAddress, name: str) -> None:
    """Ports, hosts with ports, URLs and UNIX sockets are understood, and shown in one form."""
    assert parse_address(written) == expected
    assert expected.name == name


@pytest.mark.parametrize(
    "written",
    [
        0,
        65536,
        -1,
        True,
        "",
        "0",
        "65536",
        "app.example",
        "app.example:0",
        "app.example:65536",
        "app.example:4000:1",
        "::1",
        "unix:",
        "unix:/run/\0.sock",
        "app..example:80",
        f"{'a' * 64}.example:80",
        "[::g]:80",
        "[:::]:80",
        "https://",
        "https://app.example/path",
        "https://user@app.example",
        "ftp://app.example:21",
        " 4000",
        "app example:4000",
        "\u00b2",
        "\u0664\u0660\u0660\u0660",
        "app.example:\u0664",
    ],
)
def test_what_is_none(written: int | str) -> None:
    """All else is refused in a sentence that shows it."""
    with pytest.raises(ValueError, match=r"expected a port|between 1 and 65535") as caught:
        parse_address(written)
    assert repr(written).strip("'") in str(caught.value)
