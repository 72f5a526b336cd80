"""Values of Location that stay where they should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.location import local_location, origin, secure_origin, split_target


@given(st.binary(max_size=20))
def test_a_local_location_never_names_a_host(rest: bytes) -> None:
    """One slash at the start, and neither slash nor backslash behind it."""
    location = local_location(b"/" + rest)
    assert location[:1] == b"/"
    assert location[1:2] not in (b"/", b"\\")


@pytest.mark.parametrize(
    ("target", "location"),
    [
        (b"/a//b?c=//d", b"/a//b?c=//d"),
        (b"//evil.example/", b"/evil.example/"),
        (b"/\\evil.example", b"/evil.example"),
        (b"///\\//", b"/"),
    ],
)
def test_leading_slashes_are_merged(target: bytes, location: bytes) -> None:
    """All else is kept byte for byte."""
    assert local_location(target) == location


@pytest.mark.parametrize(
    ("host", "secure", "local_port", "expected"),
    [
        (b"example.com", False, 80, b"http://www.example.com"),
        (b"example.com", True, 443, b"https://www.example.com"),
        (b"example.com:80", False, 80, b"http://www.example.com"),
        (b"example.com:8080", False, 8080, b"http://www.example.com:8080"),
        (b"example.com:08080", False, 8080, b"http://www.example.com:8080"),
        (b"example.com:8443", True, 8443, b"https://www.example.com:8443"),
        (b"example.com:8080", False, 80, b"http://www.example.com"),
        (b"example.com", False, 8080, b"http://www.example.com"),
        (b"example.com:", False, 8080, b"http://www.example.com"),
        (b"[::1]", False, 1, b"http://www.example.com"),
        (b"", False, 0, b"http://www.example.com"),
    ],
)
def test_the_port_is_kept_only_where_it_leads_here(host: bytes, secure: bool, local_port: int, expected: bytes) -> None:
    """A port that is not the listener's own is somebody else's."""
    assert origin(b"www.example.com", host, secure=secure, local_port=local_port) == expected


def test_a_target_is_split_at_its_first_question_mark() -> None:
    """A query may hold further question marks, and an empty one is still there."""
    assert split_target(b"/a?b?c") == (b"/a", b"?b?c")
    assert split_target(b"/a?") == (b"/a", b"?")
    assert split_target(b"/a") == (b"/a", b"")


@pytest.mark.parametrize(
    ("host", "local_port", "port", "place"),
    [
        (b"app.example", 80, 443, b"https://app.example"),
        (b"app.example:80", 80, 443, b"https://app.example"),
        (b"app.example", 80, 8443, b"https://app.example:8443"),
        (b"app.example:8080", 8080, 8443, b"https://app.example:8443"),
        (b"app.example:8080", 8080, 443, b"https://app.example"),
        (b"app.example", 8080, 8443, b"https://app.example"),
        (b"app.example:9000", 8080, 8443, b"https://app.example"),
    ],
)
def test_the_port_of_https(host: bytes, local_port: int, port: int, place: bytes) -> None:
    """Only a client that came to our own port is told our other one; one led here from 80 is led to 443 as well."""
    assert secure_origin(b"app.example", host, local_port=local_port, port=port) == place
