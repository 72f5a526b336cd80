"""The certificates of the process, put together from settings."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from gateway.certificates import Certificates, authority_store, wanted_names
from gateway.config.acme import Acme
from gateway.config.model import BrokenSite, GatewayConfig, Site
from gateway.tls.sni import ServerNames
from gateway.units import Seconds
from tests.support.fake_ca import self_signed


def site(name: str, **settings: object) -> Site:
    return Site(name=name, file=f"{name}.toml", hosts=(name,), **settings)  # type: ignore[arg-type]


def now() -> Seconds:
    return Seconds(time.time())


def test_which_names() -> None:
    """Public names of sites with HTTPS and without a certificate of their own, each with its profile."""
    sites = [
        site("a.example.org", wildcards=("example.net",)),
        site("b.example.org", profile="shortlived"),
        site("plain.example.org", https="off"),
        site("app.localhost"),
        site("192.0.2.1"),
    ]
    wanted = {"a.example.org": "tlsserver", "*.example.net": "tlsserver", "b.example.org": "shortlived"}
    assert wanted_names(sites, "tlsserver") == wanted


def test_stored_before_listeners(tmp_path: Path) -> None:
    """Stored certificates are there as soon as the sites are known, before anything is started."""
    config = GatewayConfig(state=str(tmp_path), acme=Acme(email="me@example.org"))
    names = [f"n{number}.example.org" for number in range(200)]
    for name in names:
        authority_store(config).put(name, self_signed(name))
    server_names = ServerNames()
    Certificates(config, server_names, Clock(), now).set_sites([site(name) for name in names])
    assert all(server_names.has_certificate(name) for name in names)


def test_broken_sites(tmp_path: Path) -> None:
    """A site that has errors says so under the certificate that it has; none is asked for."""
    clock, config = Clock(), GatewayConfig(state=str(tmp_path), acme=Acme(email="me@example.org"))
    authority_store(config).put("a.example.org", self_signed("a.example.org"))
    names = ServerNames()
    certificates = Certificates(config, names, clock, now)
    certificates.set_sites([], [BrokenSite(name="a", file="a.toml", hosts=("a.example.org", "b.example.org"))])
    assert names.has_certificate("a.example.org")


@pytest.mark.parametrize(
    "config",
    [GatewayConfig(acme=Acme()), GatewayConfig(https=(), acme=Acme(email="me@example.org"), local_ca=True)],
    ids=["nobody agreed", "no HTTPS"],
)
def test_nothing_to_do(config: GatewayConfig, tmp_path: Path) -> None:
    """Without agreement or HTTPS listeners nothing is started, asked or written."""
    clock = Clock()
    certificates = Certificates(replace(config, state=str(tmp_path)), ServerNames(), clock, now)
    certificates.set_sites([site("a.example.org"), site("app.localhost")])
    certificates.start()
    assert not clock.getDelayedCalls()
    certificates.stop()
    assert not list(tmp_path.iterdir())


def test_own_certificates_expire(tmp_path: Path, said: list[str]) -> None:
    """A site's own certificate that expires is told of, also where nobody issues any, and for sites that come later."""
    clock, names = Clock(), ServerNames()
    certificates = Certificates(GatewayConfig(state=str(tmp_path)), names, clock, now)
    certificates.set_sites([])
    certificates.start()
    assert not clock.getDelayedCalls()
    names.put("a.example.org", self_signed("a.example.org", timedelta(days=1), age=timedelta(days=2)))
    certificates.set_sites([site("a.example.org", cert="a.pem", key="a.key")])
    assert said == ["certificate alarm: a.example.org: the certificate has expired; it is served all the same"]
    clock.advance(600)
    assert len(said) == 1
    certificates.stop()
    assert not clock.getDelayedCalls()


def test_local_names(tmp_path: Path) -> None:
    """With `local_ca` names under localhost get certificates as the gateway starts, and sites added later do too."""
    config, names = GatewayConfig(state=str(tmp_path), local_ca=True), ServerNames()
    certificates = Certificates(config, names, Clock(), now)
    certificates.set_sites([site("app.localhost"), site("a.example.org")])
    certificates.start()
    assert names.has_certificate("app.localhost")
    assert not names.has_certificate("a.example.org")
    certificates.set_sites([site("app.localhost"), site("new.localhost")])
    assert names.has_certificate("new.localhost")
    certificates.stop()
