"""Addresses and networks in the forms that people write them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from gateway.http.addresses import NAMED_NETWORKS, parse_networks, read_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:DB8::1", "2001:db8::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_addresses_are_read(text: str, expected: str) -> None:
    """One of IPv4 in the clothes of IPv6 becomes plain, and a zone is left out."""
    assert read_address(text) == ip_address(expected)


@pytest.mark.parametrize("text", ["", "unknown", "203.0.113", "1.2.3.4:80", "[::1]", "01.2.3.4"])
def test_what_is_no_address_is_none(text: str) -> None:
    """Nothing is guessed."""
    assert read_address(text) is None


def test_networks_are_read() -> None:
    """Addresses, CIDR form with or without host bits, ready-made networks, and names mix."""
    networks = parse_networks(["10.1.2.3/8", "2001:db8::1", ip_network("192.0.2.0/24"), "private"])
    assert [str(network) for network in networks[:3]] == ["10.0.0.0/8", "2001:db8::1/128", "192.0.2.0/24"]
    assert networks[3:] == NAMED_NETWORKS["private"]


@pytest.mark.parametrize("item", ["privat", "10.0.0.0/33", "", "example.com"])
def test_malformed_networks_are_refused(item: str) -> None:
    """The message shows what was written and what is expected."""
    with pytest.raises(ValueError, match="expected a network"):
        parse_networks([item])
