"""Messages between the leader and its workers."""

from __future__ import annotations

import json
from ipaddress import ip_network

import pytest

from gateway.config.model import BrokenSite, GatewayConfig, Site
from gateway.settings import Secret
from gateway.workers.messages import (
    Answer,
    BadMessage,
    Begin,
    Certificate,
    Cut,
    Figures,
    FromLeader,
    FromWorker,
    Leaving,
    Said,
    Serve,
    Serves,
    Sites,
    Stop,
    Token,
    pack_config,
    pack_sites,
    read_leaders,
    read_workers,
    unpack_config,
    unpack_sites,
    write,
)


@pytest.mark.parametrize(
    "said",
    [
        Begin(version="1", folder="sites", via="gateway-1", sockets=(((3, 4), ()),), config=b"\x80\xff"),
        Serve(generation=7, files=("a", "ä")),
        Certificate(name="a.org", chain=b"# \xe4\n---", key=b"k", renewed=True),
        Token(token=b"t", answer=b"t.x"),
        Stop(),
        Cut(),
    ],
)
def test_the_leader_is_understood(said: FromLeader) -> None:
    """What the leader says arrives as it is, octets that are no text too."""
    assert read_leaders(write(said)) == said


@pytest.mark.parametrize(
    "said",
    [
        Serves(generation=1, failed=("a",)),
        Figures(connections=1, lost=0, clients={"2001:db8::/64": 1}),
        Said(level="warn", text="line\nline"),
        Answer(number=3),
        Leaving(),
    ],
)
def test_workers_are_understood(said: FromWorker) -> None:
    """What a worker says arrives as it is."""
    assert read_workers(write(said)) == said


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"kind": "sites", "sites": "gASVAA=="}',
        b'{"kind": "figures", "connections": -1, "lost": 0}',
        b'{"kind": "figures", "connections": "1", "lost": 0}',
        b'{"kind": "figures", "connections": 1, "lost": 0, "more": 1}',
        b'{"kind": "said", "level": "debug", "text": ""}',
        b'{"kind": "answer"}',
        json.dumps({"kind": "figures", "connections": 1, "lost": 0, "clients": {"x" * 101: 1}}).encode(),
        json.dumps({"kind": "said", "level": "warn", "text": "x" * 20_001}).encode(),
    ],
)
def test_a_worker_may_say_nothing_else(data: bytes) -> None:
    """A worker that a client took over can say numbers and short texts alone: no pickle reaches the leader."""
    with pytest.raises(BadMessage):
        read_workers(data)


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
        list(unpack_sites(Sites(sites=__import__("pickle").dumps([pack_config(GatewayConfig())]))))


def test_secrets_are_not_shown() -> None:
    """A message in a traceback does not show keys."""
    assert "hidden" not in repr(Certificate(name="a", chain=b"", key=b"hidden", renewed=False))
    assert "hidden" not in repr(Token(token=b"hidden", answer=b"hidden"))
