"""Whatever happens, in whatever order: no lease is lost, none is given back twice, no exchange is left hanging."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.support.transports import FakeTransport, World

GET = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
PUT = b"PUT / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 4\r\n\r\nab"
HEAD_ONLY = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
index = st.integers(0, 1000)


class Exchanges(RuleBasedStateMachine):
    """Clients and upstreams doing as they please."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(upstreams=2, max_idle=2)
        self.clients: list[FakeTransport] = []

    def upstream_connections(self) -> list[FakeTransport]:
        return [
            transport
            for endpoint in self.world.endpoints
            for transport in endpoint.accepted
            if transport.connected and not transport.closing
        ]

    @rule()
    def connect(self) -> None:
        self.clients.append(self.world.client(high_water=100))

    @precondition(lambda self: self.clients)
    @rule(which=index, request=st.sampled_from([GET, PUT, b"cd", GET + GET, b"nonsense\r\n\r\n"]))
    def send(self, which: int, request: bytes) -> None:
        client = self.clients[which % len(self.clients)]
        if client.connected and client.reading and not client.closing:
            client.receive(request)

    @precondition(lambda self: self.clients)
    @rule(which=index)
    def read(self, which: int) -> None:
        self.clients[which % len(self.clients)].take()

    @precondition(lambda self: self.clients)
    @rule(which=index, half=st.booleans())
    def leave(self, which: int, half: bool) -> None:
        client = self.clients.pop(which % len(self.clients))
        if half and client.connected:
            client.finish()
        client.lose(clean=half)

    @rule(which=index, answer=st.sampled_from([HEAD_ONLY, HEAD_ONLY + b"okok", b"ok", b"nonsense\r\n\r\n"]))
    def answer(self, which: int, answer: bytes) -> None:
        connections = self.upstream_connections()
        if connections:
            transport = connections[which % len(connections)]
            if transport.reading:
                transport.receive(answer)

    @rule(which=index, half=st.booleans())
    def vanish(self, which: int, half: bool) -> None:
        connections = self.upstream_connections()
        if connections:
            transport = connections[which % len(connections)]
            if half:
                transport.finish()
            transport.lose(clean=half)

    @rule(which=st.integers(0, 1), how=st.sampled_from(["accept", "refuse", "wait"]))
    def behave(self, which: int, how: str) -> None:
        endpoint = self.world.endpoints[which]
        endpoint.failing = None
        endpoint.waiting = how == "wait"
        if how == "refuse":
            endpoint.refuse()

    @rule(which=st.integers(0, 1), accept=st.booleans())
    def decide(self, which: int, accept: bool) -> None:
        endpoint = self.world.endpoints[which]
        if accept:
            endpoint.accept()
        else:
            endpoint.reject()

    @rule(seconds=st.sampled_from([1, 20, 61]))
    def wait(self, seconds: int) -> None:
        self.world.wait(seconds)

    @invariant()
    def every_exchange_has_one_lease(self) -> None:
        under_way = sum(
            transport.connected and transport.protocol.handler.__class__.__name__ == "Request"  # type: ignore[attr-defined]  # of the front connection
            for transport in self.clients
        )
        assert sum(upstream.in_flight for upstream in self.world.upstreams) == under_way
        assert all(upstream.in_flight >= 0 for upstream in self.world.upstreams)

    @invariant()
    def idle_connections_are_sound(self) -> None:
        for upstream, endpoint in zip(self.world.upstreams, self.world.endpoints, strict=True):
            idle = upstream._idle
            assert len(idle) == len(set(idle)) <= 2
            for connection in idle:
                (transport,) = [each for each in endpoint.accepted if each.protocol is connection]
                assert transport.connected
                assert transport.reading
                assert not transport.closing

    @invariant()
    def every_exchange_is_logged_once(self) -> None:
        finished = self.world.log.finished
        assert len(finished) == len({id(request) for request in finished})
        assert all(request.lease is None for request in finished)

    def teardown(self) -> None:
        self.world.wait(62)
        for client in self.clients:
            client.lose()
        for endpoint in self.world.endpoints:
            endpoint.accept()
        assert [upstream.in_flight for upstream in self.world.upstreams] == [0, 0]
        assert len(self.world.front) == 0


TestExchanges = Exchanges.TestCase
TestExchanges.settings = settings(max_examples=60, stateful_step_count=40, suppress_health_check=list(HealthCheck))
