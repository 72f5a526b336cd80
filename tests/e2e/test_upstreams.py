"""Health checks and sticky sessions through the real gateway, with one process and with several."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import StartGateway
from tests.support.crew_processes import TWO, client_of_each, end, started, workers
from tests.support.nodes import Node
from tests.support.proc import owners
from tests.support.raw_http import Answer, RawHTTP
from tests.support.twistd import Twistd
from tests.support.upstreams import demo_app
from tests.support.waiting import eventually
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


def before(*ports: int) -> str:
    """A site before apps, which connects to the one that it has chosen however long that takes."""
    return f'proxy = {{ to = {list(ports)}, connect_timeout = "60s" }}\nhttps = false\n'


@pytest.fixture(params=[1, 2])
def processes(request: pytest.FixtureRequest) -> int:
    """How many processes serve: one, or several workers."""
    number = request.param
    assert isinstance(number, int)
    return number


@pytest.fixture
def serve(processes: int, start_gateway: StartGateway, nodes: list[Node]) -> Callable[..., Twistd]:
    """Start a gateway before both nodes, of one process and of several."""

    def start(keys: str) -> Twistd:
        site = before(nodes[0].port, nodes[1].port)
        return all_serve(start_gateway({"app.test": site + keys}, settings=f"workers = {processes}\n"), processes)

    return start


def all_serve(gateway: Twistd, processes: int) -> Twistd:
    """Wait until all processes do that shall serve."""
    return started(gateway, processes) if processes > 1 else gateway


def ask(gateway: Twistd, *fields: str, target: str = "/") -> Answer:
    """Ask whichever process takes the connection."""
    with RawHTTP(gateway.port) as client:
        return client.get(target, "app.test", *fields)


def ask_all(gateway: Twistd, *fields: str, target: str = "/") -> list[Answer]:
    """Ask each process that serves several times, so that each of the nodes that it uses has its turn."""
    with client_of_each(gateway.port, workers(gateway)) as clients:
        return [client.get(target, "app.test", *fields) for client in clients.values() for _ in range(TIMES)]


def name_of(answer: Answer) -> str:
    """The node that answered; the status where it was none."""
    return str(json.loads(answer.body)["node"]) if answer.status == 200 else str(answer.status)


def names(gateway: Twistd, *fields: str) -> set[str]:
    """The nodes that any process uses."""
    return {name_of(answer) for answer in ask_all(gateway, *fields)}


def statuses(gateway: Twistd, target: str) -> set[int]:
    return {answer.status for answer in ask_all(gateway, target=target)}


def cookie_of(answer: Answer) -> str:
    field = answer.field(b"set-cookie")
    assert field is not None
    assert field.endswith(b"; Path=/; HttpOnly; SameSite=Lax")
    return f"Cookie: {field.partition(b';')[0].decode()}"


TIMES = 4
HEALTH = 'health = { path = "/health", interval = "200ms", timeout = "60s" }\n'


def test_a_node_that_is_not_well(serve: Callable[..., Twistd], nodes: list[Node]) -> None:
    """Nothing goes to a node whose health check answers 500, from no worker, until it is well again."""
    gateway = serve(HEALTH)
    assert names(gateway) == NAMES
    nodes[0].health = 500
    eventually(lambda: names(gateway) == {"two"}, gateway.process.text)
    eventually(lambda: "it answered GET /health with 500" in gateway.process.text(), gateway.process.text)
    count = len(nodes[0].cookies)
    assert names(gateway) == {"two"}
    assert len(nodes[0].cookies) == count
    nodes[1].health = 301
    eventually(lambda: names(gateway) == {"503"}, gateway.process.text)
    answer = ask(gateway)
    assert answer.field(b"retry-after")
    nodes[0].health = nodes[1].health = 204
    eventually(lambda: names(gateway) == NAMES, gateway.process.text)
    text = gateway.process.text()
    assert text.count(" is down and gets no requests: ") == 2, "the leader says it once"
    assert text.count(" is up again after ") == 2
    check = nodes[0].checks[-1]
    assert (check["Host"], check["X-Forwarded-Proto"], check["User-Agent"]) == ("app.test", "https", "gateway-health")


def test_checks_come_from_one_process(serve: Callable[..., Twistd], processes: int, nodes: list[Node]) -> None:
    """However many workers there are, only one process asks a node: the leader."""
    gateway = serve(HEALTH)
    leader = gateway.process.pid
    everybody = {leader, *workers(gateway)}
    assert len(everybody) == (1 if processes == 1 else 1 + processes)
    askers: list[set[int]] = []
    nodes[0].checked = lambda port: askers.append(owners(port, nodes[0].port, everybody))
    eventually(lambda: len(askers) >= 5, gateway.process.text)
    assert all(each == {leader} for each in askers)


def test_a_node_that_is_killed_and_comes_back(start_gateway: StartGateway, nodes: list[Node], tmp_path: Path) -> None:
    """No client notices that an app's process is gone, and it is used again once it is back."""
    app = demo_app(tmp_path)
    health = HEALTH.replace("/health", "/status/204")
    gateway = started(start_gateway({"app.test": before(app.port, nodes[1].port) + health}, settings=TWO))
    assert statuses(gateway, "/headers") == {200}
    app.process.stop(signal.SIGKILL)
    assert statuses(gateway, "/headers") == {200}, "tried again elsewhere"
    eventually(lambda: "it refused the connection" in gateway.process.text(), gateway.process.text)
    count = len(nodes[1].cookies)
    assert statuses(gateway, "/headers") == {200}
    assert len(nodes[1].cookies) - count >= 2 * TIMES
    again = demo_app(tmp_path, app.port)
    try:
        eventually(lambda: " is up again after " in gateway.process.text(), gateway.process.text)
        eventually(lambda: b"fields" in ask(gateway, target="/headers").body, gateway.process.text)
    finally:
        again.stop()


def test_a_new_worker_knows_who_is_down(start_gateway: StartGateway, nodes: list[Node]) -> None:
    """A worker that takes the place of a killed one begins with what the leader knows."""
    site = before(nodes[0].port, nodes[1].port) + "sticky = true\n" + HEALTH
    gateway = started(start_gateway({"app.test": site}, settings=TWO))
    cookies = {name_of(answer): cookie_of(answer) for answer in ask_all(gateway)}
    assert set(cookies) == NAMES
    nodes[0].health = 500
    eventually(lambda: names(gateway) == {"two"}, gateway.process.text)
    count = len(nodes[0].cookies)
    for number, pid in enumerate(sorted(workers(gateway))):
        end(pid, signal.SIGKILL)
        started(gateway, 3 + number)
    assert names(gateway) == names(gateway, cookies["one"]) == {"two"}
    assert len(nodes[0].cookies) == count
    nodes[0].health = 200
    eventually(lambda: names(gateway) == NAMES, gateway.process.text)
    for name, cookie in cookies.items():
        assert names(gateway, cookie) == {name}, "the new workers have the old key"


def test_a_single_node_is_always_used(start_gateway: StartGateway, nodes: list[Node]) -> None:
    """Its checks fail, and requests go there all the same."""
    gateway = start_gateway({"app.test": before(nodes[0].port) + "sticky = true\n" + HEALTH})
    nodes[0].health = 500
    eventually(lambda: "requests all the same, as it is the only one" in gateway.process.text(), gateway.process.text)
    answer = ask(gateway)
    assert name_of(answer) == "one"
    assert answer.field(b"set-cookie") is None


def test_clients_stay(serve: Callable[..., Twistd], nodes: list[Node]) -> None:
    """A client with its cookie comes to the same node, whichever worker it meets; the app never sees the cookie."""
    gateway = serve("sticky = true\n")
    found = {}
    for first in ask_all(gateway):
        found[name_of(first)] = cookie_of(first)
        assert names(gateway, f"{cookie_of(first)}; a=b") == {name_of(first)}
    assert found.keys() == NAMES
    assert {cookie for node in nodes for cookie in node.cookies} == {"", "a=b"}
    assert names(gateway, "Cookie: gateway_sticky=" + "0" * 32) == NAMES
    key = gateway.folder.parent / "state" / "sticky.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_bytes().hex() not in gateway.process.text()


def test_a_restart_keeps_clients(serve: Callable[..., Twistd], processes: int, tmp_path: Path) -> None:
    """The key outlives the gateway."""
    gateway = serve("sticky = true\n")
    answer = ask(gateway)
    gateway.stop()
    gateway.start(tmp_path / "again.log")
    all_serve(gateway, processes)
    assert names(gateway, cookie_of(answer)) == {name_of(answer)}


def test_sockets_stay(serve: Callable[..., Twistd]) -> None:
    """A WebSocket is opened at the node of the client's cookie, and one without is told its node by its 101."""
    gateway = serve("sticky = true\n")

    def open_sockets(*lines: str) -> list[tuple[str, bytes]]:
        with client_of_each(gateway.port, workers(gateway)) as clients:
            return [open_socket(client, *lines) for client in clients.values()]

    def open_socket(client: RawHTTP, *lines: str) -> tuple[str, bytes]:
        request = handshake(*(line.encode() for line in lines))
        client.send(request.replace(b"Host: example.com", b"Host: app.test"))
        data = b""
        while len(data.partition(b"\r\n\r\n")[2]) < len(b"\x81\x03one"):
            more = client.socket.recv(4096)
            assert more, f"cut after {data!r}"
            data += more
        head, _, rest = data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        return read_frames(rest)[0].payload.decode(), head

    for name, head in open_sockets() + open_sockets():
        sent = head.partition(b"\r\nSet-Cookie: ")[2].partition(b";")[0].decode()
        assert {name for name, _ in open_sockets(f"Cookie: {sent}")} == {name}
        assert names(gateway, f"Cookie: {sent}") == {name}


def test_a_dead_node_gives_its_clients_away(serve: Callable[..., Twistd], nodes: list[Node]) -> None:
    """Clients of a node that is gone get another one and its cookie, with no error in between."""
    gateway = serve("sticky = true\n")
    mine = next(answer for answer in ask_all(gateway) if name_of(answer) == "one")
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
    assert len(names(gateway, cookie)) == 1
    eventually(lambda: bool(nodes[0].checks and nodes[1].checks), gateway.process.text)
