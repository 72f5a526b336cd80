"""Sticky sessions and upstreams that are down, from a site file to the wire."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.served import OK, Served
from tests.support.transports import FakeTransport
from tests.support.websocket import accept, handshake

PORTS = ("127.0.0.1:4000", "127.0.0.1:4001")
SITE = "phoenix = [4000, 4001]\nhealth = '/health'\nsticky = true\n"


class Sticky(Served):
    """A site with two upstreams."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, site: str = SITE) -> None:
        super().__init__(folder, patch, a__com=site)
        assert self.loaded.errors == ()

    def visit(self, *fields: str, target: str = "/", answer: bytes = OK) -> tuple[str, bytes, bytes]:
        """Ask: which upstream was asked, what it got, and what the client got."""
        client = self.ask("a.com", target, *fields)
        name, connection = self.asked()
        got = connection.take()
        connection.receive(answer)
        return name, got, client.take()

    def asked(self) -> tuple[str, FakeTransport]:
        found = [
            (name, each) for name, endpoint in self.endpoints.items() for each in endpoint.accepted if each.written
        ]
        assert len(found) == 1
        return found[0]


def cookie_of(answer: bytes) -> str:
    """The cookie that an answer sets; empty for none."""
    line = answer.partition(b"\r\nSet-Cookie: gateway_sticky")[2].partition(b"\r\n")[0]
    return f"Cookie: gateway_sticky{line.decode().partition(';')[0]}" if line else ""


@pytest.fixture
def patch(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    return monkeypatch


def test_clients_stay(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """The first answer names its upstream, all further requests go there, and the app never sees the cookie."""
    sticky = Sticky(tmp_path, patch)
    name, got, answer = sticky.visit("Cookie: a=b")
    assert b"\r\nCookie: a=b\r\n" in got
    cookie = cookie_of(answer)
    for _ in range(5):
        again, got, answer = sticky.visit(cookie + "; a=b")
        assert again == name
        assert b"gateway_sticky" not in got
        assert b"\r\nCookie: a=b\r\n" in got
        assert b"Set-Cookie" not in answer
    assert {sticky.visit()[0] for _ in range(4)} == set(PORTS), "others take turns"
    assert {sticky.visit(cookie[:-1] + "x")[0] for _ in range(4)} == set(PORTS), "a forged one is as good as none"


def test_another_upstream_where_the_first_is_down(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """A client of an upstream that is down is given another one, and stays there when the first is back."""
    sticky = Sticky(tmp_path, patch)
    name, _, answer = sticky.visit()
    first = cookie_of(answer)
    sticky.upstreams.set_down(frozenset({f"a.com {name}/health"}))
    other, _, answer = sticky.visit(first)
    assert other != name
    second = cookie_of(answer)
    assert second not in ("", first)
    sticky.upstreams.set_down(frozenset())
    assert sticky.visit(second)[0] == other
    assert sticky.visit(first)[0] == name


def test_another_upstream_where_the_first_refuses(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """Before any check has noticed, the request is tried elsewhere and the answer names who gave it."""
    sticky = Sticky(tmp_path, patch)
    name, _, answer = sticky.visit("Connection: close", answer=OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"))
    sticky.endpoints[name].refuse()
    other, _, again = sticky.visit(cookie_of(answer))
    assert other != name
    assert cookie_of(again) not in ("", cookie_of(answer))


def test_a_dead_connection_is_tried_at_the_same_upstream(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """A kept connection that turns out to be dead says nothing against its upstream."""
    sticky = Sticky(tmp_path, patch)
    name, _, answer = sticky.visit()
    for _ in range(3):
        client = sticky.ask("a.com", "/", cookie_of(answer))
        again, connection = sticky.asked()
        assert again == name
        connection.take()
        connection.lose(clean=True)
        retried, connection = sticky.asked()
        assert retried == name
        connection.take()
        connection.receive(OK)
        assert b"Set-Cookie" not in client.take()


def test_all_are_down(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """Then the answer is 503 with Retry-After, at once, and a long-poll gets no JSON that would stop it."""
    sticky = Sticky(tmp_path, patch)
    sticky.upstreams.set_down(frozenset(f"a.com {name}/health" for name in PORTS))
    answer = sticky.get("a.com")
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: " in answer
    error = sticky.world.log.finished[-1].error
    assert error is not None
    assert error.reason == "upstream_none"
    assert sticky.get("a.com", "/live/longpoll?vsn=2.0.0").partition(b"\r\n\r\n")[2] == b""


def test_a_single_upstream(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """It is used whatever its checks say, and needs no cookie."""
    sticky = Sticky(tmp_path, patch, SITE.replace("[4000, 4001]", "4000"))
    sticky.upstreams.set_down(frozenset({"a.com 127.0.0.1:4000/health"}))
    name, got, answer = sticky.visit("Cookie: gateway_sticky=1")
    assert name == PORTS[0]
    assert b"gateway_sticky=1" in got, "not ours"
    assert b"Set-Cookie" not in answer


def test_websockets(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """An upgrade goes where the cookie says, and its 101 says so to who has none."""
    sticky = Sticky(tmp_path, patch)
    name, _, answer = sticky.visit()
    cookie = cookie_of(answer)
    for fields, expected in (((), None), ((cookie,), name)):
        client = sticky.world.client()
        lines = [field.encode() for field in fields]
        client.receive(handshake(*lines).replace(b"Host: example.com", b"Host: a.com"))
        upstream, connection = sticky.asked()
        got = connection.take()
        assert b"gateway_sticky" not in got
        connection.receive(accept(got))
        head = client.take()
        assert head.startswith(b"HTTP/1.1 101 ")
        assert bool(cookie_of(head)) is (expected is None)
        if expected is not None:
            assert upstream == expected


def test_routes(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """A route to the site's upstreams shares its cookie, one to others has its own, and no app sees either."""
    routes = (
        '[routes]\n"/same/*" = { proxy = [4001, 4000], response_timeout = "2m" }\n'
        '"/other/*" = { proxy = [4001, 4002], sticky = true }\n"/one/*" = 4003\n'
    )
    sticky = Sticky(tmp_path, patch, SITE + routes)
    name, _, answer = sticky.visit()
    main = cookie_of(answer)
    assert {sticky.visit(main, target="/same/x")[0] for _ in range(3)} == {name}
    other, _, answer = sticky.visit(main, target="/other/x")
    assert other in ("127.0.0.1:4001", "127.0.0.1:4002")
    second = cookie_of(answer)
    both = f"{main}; {second.removeprefix('Cookie: ')}"
    for target, expected in (("/", name), ("/other/x", other), ("/same/", name)):
        again, got, answer = sticky.visit(both, target=target)
        assert again == expected
        assert b"gateway_sticky" not in got
        assert b"Set-Cookie" not in answer
    assert b"gateway_sticky" not in sticky.visit(both, target="/one/x")[1]


def test_checks_of_a_site(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """They go by the site's canonical name, for all routes to the same upstreams, and not for others."""
    site = f'canonical = "www"\n{SITE}[routes]\n"/a/*" = 4001\n"/b/*" = 4002\n'
    sticky = Sticky(tmp_path, patch, site)
    assert {upstream.mark for upstream in sticky.upstreams} == {"", *(f"www.a.com {name}/health" for name in PORTS)}
    assert {upstream.name for upstream in sticky.upstreams if not upstream.mark} == {"127.0.0.1:4002"}
    alone = [upstream.check.alone for upstream in sticky.upstreams if upstream.check is not None]
    assert sorted(alone) == [False, False, True]
