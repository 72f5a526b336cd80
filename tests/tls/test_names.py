"""Which names get certificates."""

from __future__ import annotations

import pytest

from gateway.tls.names import authority_folder, directory_url, is_public, registered_domain, staging_of


@pytest.mark.parametrize("name", ["example.com", "*.example.com", "a-b.xn--bcher-kva.example.co.uk", "1.example.org"])
def test_public(name: str) -> None:
    """DNS names that anybody can look up."""
    assert is_public(name)


@pytest.mark.parametrize(
    "name",
    ["localhost", "app.localhost", "a.local", "b.internal", "c.home.arpa", "d.test", "e.example", "192.0.2.1", "single",
     "[2001:db8::1]", "a_b.example.com", "-a.example.com", "a..b", "example.com.", "*", "*.*.example.com"],
)  # fmt: skip
def test_not_public(name: str) -> None:
    """Names set aside, addresses, and what is no host name at all."""
    assert not is_public(name)


def test_registered_domain() -> None:
    """Two labels, or three below a short second level of a country."""
    names = ["a.b.example.com", "example.com", "*.example.co.uk", "a.example.de"]
    assert [registered_domain(name) for name in names] == ["example.com", "example.com", "example.co.uk", "example.de"]


def test_authorities() -> None:
    """Authorities have short names, or folders after their URL; only Let's Encrypt has a staging place by itself."""
    assert authority_folder("letsencrypt") == authority_folder(directory_url("letsencrypt")) == "letsencrypt"
    assert authority_folder("https://127.0.0.1:14000/dir") == "127.0.0.1-14000-dir"
    assert authority_folder("https://x/../../etc") == "x-..-..-etc"
    assert staging_of("letsencrypt") == "letsencrypt-staging"
    assert staging_of("https://ca.test/") == ""
