"""What the operator reads of failed exchanges."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import GatewayError, HTTPError, ResponseInvalid
from gateway.observe.incidents import Incidents
from gateway.web.resource import Resource
from tests.support.files import StaticSite
from tests.support.transports import FakeTransport, World

GET = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"


def watched(leaf: Resource | None = None, **options: int) -> tuple[World, list[str]]:
    """A gateway and the lines that it writes."""
    world = World(leaf, **options)
    said: list[str] = []
    world.core.log = Incidents(world.log, world.now, said.append)
    return world, said


def ask(world: World, data: bytes = GET) -> FakeTransport:
    client = world.client()
    client.receive(data)
    return client


def test_a_refused_connection() -> None:
    """The line names the upstream and asks the likely question; the access log gets the exchange too."""
    world, said = watched()
    world.endpoint.refuse()
    ask(world)
    assert said == ["127.0.0.1:4000 refused the connection: is it running?"]
    assert len(world.log.finished) == 1


def test_an_outage_does_not_flood_the_log() -> None:
    """The same is said once in ten seconds, with the number of times that it stands for."""
    world, said = watched()
    world.endpoint.refuse()
    for _ in range(5):
        ask(world)
    world.clock.advance(9)
    ask(world)
    assert len(said) == 1
    world.clock.advance(1)
    ask(world)
    assert said[1:] == ["127.0.0.1:4000 refused the connection: is it running? (5 more since 10 s ago)"]
    world.clock.advance(60)
    ask(world)
    assert said[2:] == ["127.0.0.1:4000 refused the connection: is it running?"]


def test_upstreams_and_reasons_are_told_apart() -> None:
    """Another failure of the same upstream is worth its own line, and the upstream is always named."""
    world, said = watched()
    ask(world)
    world.endpoint.last.lose()
    ask(world)
    world.endpoint.last.receive(b"nonsense\r\n\r\n")
    ask(world)
    world.wait(70)
    assert said[0] == "127.0.0.1:4000 closed the connection without an answer: did it crash?"
    assert said[1].startswith("127.0.0.1:4000: status line b'nonsense'")
    assert said[2].startswith("127.0.0.1:4000 sent no answer for 60 s; `response_timeout`")


def test_content_over_the_limit_names_the_setting() -> None:
    """The line says which limit it was, and where it is set."""
    world, said = watched(max_body=3)
    world.location.setting = "sites/example.com.toml:5 max_body"
    ask(world, b"POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 4\r\n\r\n")
    assert said == ["example.com: request content over 3 octets: sites/example.com.toml:5 max_body"]


def test_a_head_that_only_the_app_refuses_is_explained() -> None:
    """A 431 of an app says how large the head was, for the app's limits are lower than the gateway's."""
    world, said = watched()
    ask(world, b"GET / HTTP/1.1\r\nHost: example.com\r\nX-A: 1\r\n\r\n")
    world.endpoint.last.receive(b"HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n")
    assert len(said) == 1
    assert said[0].startswith("127.0.0.1:4000 answered 431: the request's head has 45 octets in 2 fields")
    assert "Bandit" in said[0]


def test_a_head_over_the_limits_names_the_settings() -> None:
    """Cookies of an app may be what is too large, and the access log knows neither host nor path of such a request."""
    world, said = watched()
    ask(world, b"GET / HTTP/1.1\r\nHost: example.com\r\nX: " + b"x" * 70_000)
    ask(world, b"GET /" + b"x" * 70_000)
    assert [sentence.partition("; `")[2].split("`")[0] for sentence in said] == ["header_size", "header_line"]
    assert [request.status for request in world.log.finished] == [431, 414]


def test_what_clients_do_is_no_incident() -> None:
    """Clients that leave, ask for nothing or for what is not there, write no line."""
    world, said = watched()
    ask(world).lose()
    ask(world, b"GET / HTTP/1.1\r\nHost: elsewhere.com\r\n\r\n")
    ask(world, b"nonsense\r\n\r\n")
    assert [request.status for request in world.log.finished] == [0, 404, 400]
    assert said == []


def failing(error: GatewayError) -> list[str]:
    world, said = watched()
    world.endpoint.failing = error
    ask(world)
    return said


def test_errors_of_the_gateway_itself() -> None:
    """Limits reached are told; a bug is on the log with its traceback already."""
    world, said = watched(max_connections=1)
    world.client()
    ask(world)
    assert said == ["more than 1 connections"]
    assert failing(GatewayError("a bug")) == []
    assert failing(HTTPError(508, "loop", message="round and round")) == ["example.com: round and round"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """Visitors are told only that nothing is there; the operator is told which folder is missing."""
    site = StaticSite(tmp_path / "www")
    site.root.rename(tmp_path / "elsewhere")
    world, said = watched(site.resource)
    assert ask(world).take().startswith(b"HTTP/1.1 404 ")
    assert said == [f"example.com: there is no folder {site.root}"]


@pytest.mark.parametrize(
    "reason", ["accel_missing", "forbidden", "link_refused", "websocket_client_limit", "websocket_site_limit"]
)
def test_what_a_setting_or_a_file_may_be_the_cause_of(reason: str) -> None:
    """A client is refused, and the operator may want to mend what refuses it."""
    assert failing(HTTPError(403, reason, message="what and where")) == ["example.com: what and where"]


def test_nothing_foreign_controls_the_terminal() -> None:
    """Control characters that a peer got into an error do not reach the log."""
    assert failing(ResponseInvalid("bad\x1b[2J\nline")) == ["127.0.0.1:4000: bad?[2J?line"]
