"""Sites over HTTPS with certificates from Debian's Pebble: by tls-alpn-01, and swapped while they are in use."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.test_acme import Installation, install  # noqa: F401 - a fixture
from tests.support import pebble
from tests.support.ports import HOST, free_port
from tests.support.twistd import Twistd
from tests.support.waiting import PATIENCE, eventually

pytestmark = pytest.mark.e2e
needs_pebble = pytest.mark.skipif(not pebble.AVAILABLE, reason="needs Debian's package pebble")

NAME = "app.example.org"


class Client:
    """A keep-alive connection over HTTPS that trusts Pebble's root alone."""

    def __init__(self, port: int, root: bytes, name: str = NAME) -> None:
        context = ssl.create_default_context(cadata=root.decode())
        plain = socket.create_connection((HOST, port), PATIENCE)
        self._socket = context.wrap_socket(plain, server_hostname=name)
        self._name = name
        self._file = self._socket.makefile("rb")

    @property
    def serial(self) -> str:
        return str((self._socket.getpeercert() or {})["serialNumber"])

    def get(self) -> int:
        self._socket.sendall(f"GET / HTTP/1.1\r\nHost: {self._name}\r\n\r\n".encode())
        status = int(self._file.readline().split()[1])
        length = 0
        while (line := self._file.readline().strip()) != b"":
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        assert len(self._file.read(length)) == length
        return status

    def close(self) -> None:
        self._file.close()
        self._socket.close()


class Load:
    """Clients at work, three at a time, each with a new connection after every 20 requests."""

    def __init__(self, port: int, root: bytes) -> None:
        self.serials: set[str] = set()
        self.answers: list[int] = []
        self.errors: list[BaseException] = []
        self._port = port
        self._root = root
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(3)]
        for thread in self._threads:
            thread.start()

    def wait_for_serials(self, number: int) -> None:
        eventually(lambda: self.errors or len(self.serials) >= number)

    def end(self) -> None:
        """Go on for a while, then stop; every request must have been answered."""
        enough = len(self.answers) + 50
        eventually(lambda: self.errors or len(self.answers) >= enough)
        self._stop.set()
        for thread in self._threads:
            thread.join()
        assert not self.errors, self.errors
        assert set(self.answers) == {308}

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                client = Client(self._port, self._root)
                self.serials.add(client.serial)
                for _ in range(20):
                    self.answers.append(client.get())
                    time.sleep(0.005)
                client.close()
        except BaseException as error:
            self.errors.append(error)


def attempt(port: int, root: bytes, name: str = NAME) -> Client | None:
    """Connect if there is a certificate yet."""
    try:
        return Client(port, root, name)
    except (ssl.SSLError, ConnectionError):
        return None


def connect(one: Installation) -> Client:
    """Connect as soon as there is a certificate."""
    root = one.pebble.root()
    return one.wait_for(lambda: attempt(one.tls, root))


@needs_pebble
def test_https_by_http01(install: Callable[..., Installation]) -> None:  # noqa: F811
    """A client that trusts the authority gets a dropped site over HTTPS."""
    one = install("uvloop")
    one.drop(NAME)
    client = connect(one)
    assert client.get() == 308
    client.close()


@needs_pebble
@pytest.mark.parametrize("reactor", ["uvloop", "epoll"])
def test_https_by_tls_alpn01(install: Callable[..., Installation], reactor: str) -> None:  # noqa: F811
    """With port 80 closed, the same comes about by tls-alpn-01."""
    one = install(reactor, plain=False)
    one.drop(NAME)
    client = connect(one)
    assert client.get() == 308
    client.close()
    assert one.wait_for(lambda: one.store.state(NAME).challenge) == "tls-alpn-01"


@needs_pebble
def test_swap_under_load(install: Callable[..., Installation]) -> None:  # noqa: F811
    """A renewal is swapped in while clients are at work: no request fails, and new connections get the new one."""
    one = install("uvloop", settings='[limits]\nkeep_alive = "10m"\n')
    one.drop(NAME)
    first = connect(one)
    assert first.get() == 308
    load = Load(one.tls, one.pebble.root())
    command = [sys.executable, "-c", "import sys; from gateway.control.cli import main; sys.exit(main())"]
    command += ["certs", "renew", NAME, "-c", str(one.gateway.folder)]
    renewed = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert renewed.returncode == 0, renewed.stdout + renewed.stderr
    assert "new certificate by Pebble" in renewed.stdout
    load.wait_for_serials(2)
    load.end()
    assert len(load.serials) == 2
    assert first.get() == 308, "a connection made before goes on"
    first.close()


@needs_pebble
def test_renewal_by_itself(install: Callable[..., Installation]) -> None:  # noqa: F811
    """A certificate that does not hold long is renewed in time, under load, with nobody's doing."""
    one = install("uvloop", lifetime=60)
    one.drop(NAME)
    connect(one).close()
    held = one.wait_for(lambda: one.store.get(NAME))
    load = Load(one.tls, one.pebble.root())
    eventually(lambda: len(load.serials) > 1 or time.time() > (held.not_before + held.not_after) / 2)
    load.wait_for_serials(2)
    load.end()
    assert len(load.serials) >= 2


def test_local_authority(tmp_path: Path) -> None:
    """With `local_ca` a site under localhost is served over HTTPS to whoever trusts the local authority."""
    port = free_port()
    gateway = Twistd(
        tmp_path,
        {"app.localhost": 'redirect = "https://elsewhere.example.org"\n'},
        reactor="uvloop",
        https=[f"{HOST}:{port}"],
        settings="local_ca = true\n",
    )
    try:
        root = tmp_path / "state" / "local_ca" / "root.pem"
        eventually(root.exists, gateway.process.text)
        client = eventually(lambda: attempt(port, root.read_bytes(), "app.localhost"), gateway.process.text)
        assert client.get() == 308
        client.close()
    finally:
        gateway.stop()
