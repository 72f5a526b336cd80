"""Health checks and sticky sessions through the real gateway, with one process and with several."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.e2e.conftest import StartGateway
from tests.e2e.test_workers import IN_TIME, children, started, within
from tests.support.nodes import Node
from tests.support.ports import HOST
from tests.support.raw_http import Answer, RawHTTP
from tests.support.twistd import Twistd
from tests.support.upstreams import demo_app
from tests.support.websocket import handshake, read_frames

pytestmark = pytest.mark.e2e

EXAMPLE = Path(__file__).parent.parent / "config" / "examples" / "app.example.com.toml"
NAMES = {"one", "two"}


@pytest.fixture
def nodes() -> Iterator[list[Node]]:
    made = [Node("one"), Node("two")]
    yield made
    for node in made:
        node.stop()


@pytest.fixture(params=[1, 2])
def serve(request: pytest.FixtureRequest, start_gateway: StartGateway, nodes: list[Node]) -> Callable[..., Twistd]:
    """Start a gateway before both nodes, of one process and of several."""
    workers = request.param

    def start(keys: str) -> Twistd:
        site = f"proxy = [{nodes[0].port}, {nodes[1].port}]\nhttps = false\n{keys}"
        gateway = start_gateway({"app.test": site}, settings=f"workers = {workers}\n")
        return started(gateway, workers) if workers > 1 else gateway

    return start


def ask(gateway: Twistd, *fields: str, target: str = "/") -> Answer:
    """Ask on a connection of its own, so that any worker may get it."""
    with RawHTTP(gateway.port) as client:
        return client.get(target, "app.test", *fields)


def name_of(answer: Answer) -> str:
    """The node that answered; the status where it was none."""
    return str(json.loads(answer.body)["node"]) if answer.status == 200 else str(answer.status)


def names(gateway: Twistd, *fields: str, times: int = 12) -> set[str]:
    return {name_of(ask(gateway, *fields)) for _ in range(times)}


def cookie_of(answer: Answer) -> str:
    field = answer.field(b"set-cookie")
    assert field is not None
    assert field.endswith(b"; Path=/; HttpOnly; SameSite=Lax")
    return f"Cookie: {field.partition(b';')[0].decode()}"


HEALTH = 'health = { path = "/health", interval = "200ms" }\n'


def test_a_node_that_is_not_well(serve: Callable[..., Twistd], nodes: list[Node]) -> None:
    """Nothing goes to a node whose health check answers 500, from no worker, until it is well again."""
    gateway = serve(HEALTH)
    assert names(gateway) == NAMES
    nodes[0].health = 500
    within(lambda: names(gateway) == {"two"}, gateway.process.text)
    within(lambda: "it answered GET /health with 500" in gateway.process.text(), gateway.process.text)
    count = len(nodes[0].cookies)
    assert names(gateway) == {"two"}
    assert len(nodes[0].cookies) == count
    nodes[1].health = 301
    within(lambda: names(gateway) == {"503"}, gateway.process.text)
    answer = ask(gateway)
    assert answer.field(b"retry-after")
    nodes[0].health = nodes[1].health = 204
    within(lambda: names(gateway) == NAMES, gateway.process.text)
    text = gateway.process.text()
    assert text.count(" is down and gets no requests: ") == 2, "the leader says it once"
    assert text.count(" is up again after ") == 2
    check = nodes[0].checks[-1]
    assert (check["Host"], check["X-Forwarded-Proto"], check["User-Agent"]) == ("app.test", "https", "gateway-health")


def test_checks_come_from_one_process(serve: Callable[..., Twistd], nodes: list[Node]) -> None:
    """However many workers there are, a node is asked once in an interval."""
    gateway = serve('health = { path = "/health", interval = "500ms" }\n')
    within(lambda: len(nodes[0].checks) >= 2, gateway.process.text)
    before, begun = len(nodes[0].checks), time.monotonic()
    within(lambda: len(nodes[0].checks) >= before + 4, gateway.process.text)
    assert time.monotonic() - begun > 4 * 0.5 * 0.8


def test_a_node_that_is_killed_and_comes_back(start_gateway: StartGateway, nodes: list[Node], tmp_path: Path) -> None:
    """No client notices that an app's process is gone, and it is used again once it is back."""
    app = demo_app(tmp_path)
    health = HEALTH.replace("/health", "/status/204")
    site = f"proxy = [{app.port}, {nodes[1].port}]\nhttps = false\n{health}"
    gateway = started(start_gateway({"app.test": site}, settings="workers = 2\n"))
    within(lambda: {ask(gateway, target="/headers").status for _ in range(8)} == {200}, gateway.process.text)
    app.process.stop(signal.SIGKILL)
    assert {ask(gateway, target="/headers").status for _ in range(24)} == {200}, "tried again elsewhere"
    within(lambda: "it refused the connection" in gateway.process.text(), gateway.process.text)
    count = len(nodes[1].cookies)
    assert {ask(gateway, target="/headers").status for _ in range(8)} == {200}
    assert len(nodes[1].cookies) - count >= 8
    again = demo_app(tmp_path, app.port)
    try:
        within(lambda: " is up again after " in gateway.process.text(), gateway.process.text)
        within(lambda: b"fields" in ask(gateway, target="/headers").body, gateway.process.text)
    finally:
        again.stop()


def test_a_new_worker_knows_who_is_down(start_gateway: StartGateway, nodes: list[Node]) -> None:
    """A worker that takes the place of a killed one begins with what the leader knows."""
    site = f"proxy = [{nodes[0].port}, {nodes[1].port}]\nhttps = false\nsticky = true\n{HEALTH}"
    gateway = started(start_gateway({"app.test": site}, settings="workers = 2\n"))
    cookies = {name_of(answer): cookie_of(answer) for answer in (ask(gateway) for _ in range(12))}
    assert set(cookies) == NAMES
    nodes[0].health = 500
    within(lambda: names(gateway) == {"two"}, gateway.process.text)
    count = len(nodes[0].cookies)
    for number, pid in enumerate(sorted(children(gateway.process.pid))):
        os.kill(pid, signal.SIGKILL)
        started(gateway, 3 + number)
    assert names(gateway) == names(gateway, cookies["one"]) == {"two"}
    assert len(nodes[0].cookies) == count
    nodes[0].health = 200
    within(lambda: names(gateway) == NAMES, gateway.process.text)
    for name, cookie in cookies.items():
        assert names(gateway, cookie) == {name}, "the new workers have the old key"


def test_a_single_node_is_always_used(start_gateway: StartGateway, nodes: list[Node]) -> None:
    """Its checks fail, and requests go there all the same."""
    gateway = start_gateway({"app.test": f"proxy = {nodes[0].port}\nhttps = false\nsticky = true\n{HEALTH}"})
    nodes[0].health = 500
    within(lambda: "requests all the same, as it is the only one" in gateway.process.text(), gateway.process.text)
    answer = ask(gateway)
    assert name_of(answer) == "one"
    assert answer.field(b"set-cookie") is None


def test_clients_stay(serve: Callable[..., Twistd], nodes: list[Node]) -> None:
    """A client with its cookie comes to the same node, whichever worker it meets; the app never sees the cookie."""
    gateway = serve("sticky = true\n")
    url = f"http://{HOST}:{gateway.port}/"
    found = set()
    for _ in range(6):
        with requests.Session() as session:
            session.trust_env = False
            headers = {"Host": "app.test", "Connection": "close"}
            first = session.get(url, headers=headers, timeout=IN_TIME)
            cookie = first.headers["Set-Cookie"].partition(";")[0]
            seen = {
                session.get(url, headers={**headers, "Cookie": f"{cookie}; a=b"}, timeout=IN_TIME).json()["node"]
                for _ in range(12)
            }
            assert seen == {first.json()["node"]}
            found |= seen
    assert found == NAMES
    assert {cookie for node in nodes for cookie in node.cookies} == {"", "a=b"}
    assert names(gateway, "Cookie: gateway_sticky=" + "0" * 32) == NAMES
    key = gateway.folder.parent / "state" / "sticky.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_bytes().hex() not in gateway.process.text()


def test_a_restart_keeps_clients(serve: Callable[..., Twistd], nodes: list[Node], tmp_path: Path) -> None:
    """The key outlives the gateway."""
    gateway = serve("sticky = true\n")
    answer = ask(gateway)
    gateway.stop()
    gateway.start(tmp_path / "again.log")
    assert names(gateway, cookie_of(answer)) == {name_of(answer)}


def test_sockets_stay(serve: Callable[..., Twistd], nodes: list[Node]) -> None:
    """A WebSocket is opened at the node of the client's cookie, and one without is told its node by its 101."""
    gateway = serve("sticky = true\n")

    def open_socket(*lines: str) -> tuple[str, bytes]:
        with RawHTTP(gateway.port) as client:
            request = handshake(*(line.encode() for line in lines))
            client.send(request.replace(b"Host: example.com", b"Host: app.test"))
            data = b""
            while True:
                data += client.socket.recv(4096)
                head, _, rest = data.partition(b"\r\n\r\n")
                if len(rest) >= 5:
                    assert head.startswith(b"HTTP/1.1 101 ")
                    return read_frames(rest)[0].payload.decode(), head

    for _ in range(4):
        name, head = open_socket()
        sent = head.partition(b"\r\nSet-Cookie: ")[2].partition(b";")[0].decode()
        for _ in range(6):
            assert open_socket(f"Cookie: {sent}")[0] == name
        assert names(gateway, f"Cookie: {sent}", times=6) == {name}


def test_a_dead_node_gives_its_clients_away(serve: Callable[..., Twistd], nodes: list[Node]) -> None:
    """Clients of a node that is gone get another one and its cookie, with no error in between."""
    gateway = serve("sticky = true\n")
    mine = next(answer for answer in (ask(gateway) for _ in range(12)) if name_of(answer) == "one")
    nodes[0].stop()
    answer = ask(gateway, cookie_of(mine))
    assert name_of(answer) == "two"
    nodes[0].start()
    assert names(gateway, cookie_of(answer)) == {"two"}
    assert names(gateway, cookie_of(mine)) == {"one"}


def test_the_example_of_the_documentation(start_gateway: StartGateway, nodes: list[Node]) -> None:
    """The site file with two nodes, health and sticky works as it stands, but for its ports."""
    text = EXAMPLE.read_text().replace("4000", str(nodes[0].port)).replace("4001", str(nodes[1].port))
    gateway = start_gateway({"app.test": text})
    cookie = cookie_of(ask(gateway))
    assert len(names(gateway, cookie, times=6)) == 1
    within(lambda: bool(nodes[0].checks and nodes[1].checks), gateway.process.text)
