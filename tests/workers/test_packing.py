"""Sites and settings between the leader and its workers."""

from __future__ import annotations

import pickle
from ipaddress import ip_network

import pytest

from gateway.config.model import BrokenSite, GatewayConfig, Site
from gateway.settings import Secret
from gateway.workers.messages import BadMessage, Sites
from gateway.workers.packing import pack_config, pack_sites, unpack_config, unpack_sites


def test_sites_travel_whole() -> None:
    """Sites arrive equal, in messages of bounded size, secrets looked up."""
    sites = [Site(name=f"s{number}", file=f"{number}.toml", security_txt="x" * 400_000) for number in range(5)]
    broken = BrokenSite(name="b", file="b.toml", hosts=("b.org",))
    packed = list(pack_sites([*sites, broken]))
    assert len(packed) > 1
    assert [site for each in packed for site in unpack_sites(each)] == [*sites, broken]
    secret = Site(name="a", file="a.toml", security_txt=Secret("hidden", "env:A"))
    (found,) = unpack_sites(*pack_sites([secret]))
    assert found == secret
    assert isinstance(found, Site)
    assert repr(found.security_txt) == "<env:A>"


def test_settings_travel_whole() -> None:
    """Settings of gateway.toml arrive equal."""
    config = GatewayConfig(workers=3, trusted_proxies=(ip_network("10.0.0.0/8"), "private"))
    assert unpack_config(pack_config(config)) == config


def test_what_is_packed_is_what_is_meant() -> None:
    """Sites are no settings, and the other way round."""
    (sites,) = pack_sites([Site(name="a", file="a.toml")])
    with pytest.raises(BadMessage):
        unpack_config(sites.sites)
    with pytest.raises(BadMessage):
        list(unpack_sites(Sites(sites=pickle.dumps([pack_config(GatewayConfig())]))))
