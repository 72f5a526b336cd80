"""HTTPS by the real gateway, asked by OpenSSL, curl, node, and clients that misbehave."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import StartGateway
from tests.support.certificates import Authority
from tests.support.node import run_node
from tests.support.ports import HOST
from tests.support.programs import require
from tests.support.twistd import Twistd
from tests.support.upstreams import Upstream
from tests.support.waiting import PATIENCE, eventually

pytestmark = pytest.mark.e2e

AUTHORITY = Authority("ca.example")
BIG = 50_000_000


@pytest.fixture
def secure(start_gateway: StartGateway, demo: Upstream, tmp_path: Path) -> Iterator[Twistd]:
    """A gateway with TLS for `app.test`, and for nobody in particular."""
    certificate = AUTHORITY.write(tmp_path, "app.test")
    return start_gateway({"app.test": f"proxy = {demo.port}\n{certificate}"}, tls=True)


def context() -> ssl.SSLContext:
    return ssl.create_default_context(cadata=AUTHORITY.pem.decode())


def connect(gateway: Twistd) -> ssl.SSLSocket:
    plain = socket.create_connection((HOST, gateway.tls_port), PATIENCE)
    return context().wrap_socket(plain, server_hostname="app.test")


def ask(gateway: Twistd, path: str = "/") -> bytes:
    with connect(gateway) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n".encode())
        got = b""
        while data := client.recv(65536):
            got += data
    return got


def s_client(gateway: Twistd, *options: str, text: str = "") -> str:
    command = [require("openssl"), "s_client", "-connect", f"{HOST}:{gateway.tls_port}", *options]
    ran = subprocess.run(command, input=text, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return ran.stdout + ran.stderr


def curl(gateway: Twistd, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "ca.pem").write_bytes(AUTHORITY.pem)
    names = [f"app.test:{port}:{HOST}" for port in (gateway.port, gateway.tls_port)]
    resolve = [option for name in names for option in ("--resolve", name)]
    command = [require("curl"), "-sS", "--cacert", str(folder / "ca.pem"), *resolve, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_versions(secure: Twistd) -> None:
    """TLS 1.2 and 1.3 are spoken, 1.1 is refused."""
    for version in ("tls1_2", "tls1_3"):
        assert "Cipher is (NONE)" not in s_client(secure, "-servername", "app.test", f"-{version}")
    refused = s_client(secure, "-servername", "app.test", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    assert "protocol version" in refused
    assert "Cipher is (NONE)" in refused


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_resumption(secure: Twistd, tmp_path: Path, version: str) -> None:
    """A second connection resumes the session of the first."""
    session = str(tmp_path / "session")
    name = ("-servername", "app.test", f"-{version}")
    request = "GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n"
    assert "\nNew, " in s_client(secure, *name, "-sess_out", session, "-ign_eof", text=request)
    assert "\nReused, " in s_client(secure, *name, "-sess_in", session)


def test_resumption_after_reload(secure: Twistd, tmp_path: Path) -> None:
    """Reading all files again, with a new certificate among them, costs no client its session."""
    session = str(tmp_path / "session")
    name = ("-servername", "app.test", "-tls1_3")
    request = "GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n"
    first = s_client(secure, *name, "-sess_out", session, "-ign_eof", text=request)
    AUTHORITY.write(tmp_path, "app.test")
    os.kill(secure.process.pid, signal.SIGHUP)
    eventually(lambda: _certificate(s_client(secure, *name)) != _certificate(first), secure.process.text)
    assert "\nReused, " in s_client(secure, *name, "-sess_in", session)


def _certificate(printed: str) -> str:
    found = re.search("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", printed, re.DOTALL)
    assert found is not None
    return found[0]


@pytest.mark.parametrize("name", [("-servername", "other.test"), ("-noservername",)])
def test_unknown_names(secure: Twistd, name: tuple[str, ...]) -> None:
    """A client that asks for an unknown name, or for none, gets the alert and no certificate."""
    seen = s_client(secure, *name)
    assert "unrecognized name" in seen
    assert "no peer certificate available" in seen


def test_requests(secure: Twistd, tmp_path: Path) -> None:
    """Curl trusts the site, plain HTTP goes there in one hop, plain HTTP on the TLS port and a strange host do not."""
    url = f"https://app.test:{secure.tls_port}/"
    assert curl(secure, tmp_path, url, "-o", "/dev/null", "-w", "%{http_code} %{http_version}").stdout == "200 1.1"
    moved = curl(secure, tmp_path, f"http://app.test:{secure.port}/a?b=c", "-o", "/dev/null", "-w", "%{redirect_url}")
    assert moved.stdout == f"{url}a?b=c"
    plain = curl(secure, tmp_path, f"http://{HOST}:{secure.tls_port}/", "-i").stdout
    assert plain.startswith("HTTP/1.1 400 ")
    assert "speaks HTTPS" in plain
    assert (
        curl(secure, tmp_path, url, "-H", "Host: other.test", "-o", "/dev/null", "-w", "%{http_code}").stdout == "421"
    )


def test_node(secure: Twistd, tmp_path: Path) -> None:
    """Node's own client trusts the site and is answered on a kept connection."""
    (tmp_path / "ca.pem").write_bytes(AUTHORITY.pem)
    script = """
    const https = require("https"), fs = require("fs"), [port, ca] = process.argv.slice(1);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: fs.readFileSync(ca), servername: "app.test" });
    const get = () => new Promise((done, fail) => https.get(
      { host: "127.0.0.1", port, agent, headers: { Host: "app.test" } },
      (answer) => { answer.resume(); answer.on("end", () => done([answer.statusCode, answer.req.reusedSocket])); }
    ).on("error", fail));
    (async () => { console.log(JSON.stringify([await get(), await get()])); agent.destroy(); })();
    """
    command = [require("node"), "-e", script, str(secure.tls_port), str(tmp_path / "ca.pem")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert json.loads(ran.stdout) == [[200, False], [200, True]]


def test_clients_that_vanish(secure: Twistd) -> None:
    """Clients that leave before, in and after the handshake, or say nothing, disturb nobody and leave nothing."""
    held = []
    for stage in range(4):
        for _ in range(10):
            plain = socket.create_connection((HOST, secure.tls_port), PATIENCE)
            if stage == 1:
                plain.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            if stage == 2:
                client = context().wrap_socket(plain, server_hostname="app.test")
                client.sendall(b"GET / HTTP/1.1\r\n")
                plain = client
            if stage == 3:
                held.append(plain)
            else:
                plain.close()
    assert ask(secure).startswith(b"HTTP/1.1 200 ")
    for plain in held:
        plain.close()
    eventually(lambda: connections(secure) == 0, lambda: connections(secure))
    assert ask(secure).startswith(b"HTTP/1.1 200 ")


def connections(gateway: Twistd) -> int:
    """Count the descriptors of the gateway's connections on its TLS port (Linux)."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(f":{gateway.tls_port:04X}") and fields[3] != "0A":
            inodes.add(fields[9])
    return sum(1 for inode in inodes if inode != "0")


def test_handshake_deadline(start_gateway: StartGateway, tmp_path: Path) -> None:
    """A client that does not finish its handshake in time is cut."""
    certificate = AUTHORITY.write(tmp_path, "app.test")
    settings = '[limits]\nheader_time = "1s"\n'
    gateway = start_gateway({"app.test": f"proxy = 1\n{certificate}"}, tls=True, settings=settings)
    with socket.create_connection((HOST, gateway.tls_port), PATIENCE) as plain, contextlib.suppress(ConnectionError):
        plain.sendall(b"\x16\x03\x01\x02\x00\x01")
        assert plain.recv(100) == b""


def test_large_bodies(secure: Twistd, tmp_path: Path) -> None:
    """50 MB go up whole while the gateway's memory stays small."""
    (tmp_path / "big").write_bytes(bytes(BIG))
    before = secure.process.peak_memory()
    url = f"https://app.test:{secure.tls_port}/upload"
    ran = curl(secure, tmp_path, url, "--data-binary", f"@{tmp_path / 'big'}", "-H", "Expect:", "-w", "%{size_upload}")
    assert ran.stdout.endswith(str(BIG)), ran
    assert secure.process.peak_memory() - before < 25_000_000


def test_certificate_changed(secure: Twistd, tmp_path: Path) -> None:
    """A certificate written anew is shown within seconds; the connections that are up stay up."""
    first = shown(secure)
    with connect(secure) as connection:
        client = http.client.HTTPConnection("app.test")
        client.sock = connection
        assert status(client) == 200
        AUTHORITY.write(tmp_path, "app.test")
        eventually(lambda: shown(secure) != first, secure.process.text)
        assert status(client) == 200


def status(client: http.client.HTTPConnection) -> int:
    """Ask on the connection that it has."""
    client.request("GET", "/")
    answer = client.getresponse()
    answer.read()
    return answer.status


def shown(gateway: Twistd) -> str:
    """The serial number of the certificate that the gateway shows now."""
    with connect(gateway) as client:
        return client.getpeercert()["serialNumber"]


def test_websocket(
    start_gateway: StartGateway, ws_server: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WebSockets run over wss as over ws."""
    (tmp_path / "ca.pem").write_bytes(AUTHORITY.pem)
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(tmp_path / "ca.pem"))
    certificate = AUTHORITY.write(tmp_path, HOST)
    gateway = start_gateway({"_default": f"phoenix = {ws_server.port}\n{certificate}"}, tls=True)
    assert run_node("ws_client.mjs", f"wss://{HOST}:{gateway.tls_port}", HOST, "echo") == {
        "text": "Grüße",
        "binary": True,
        "pong": "still there?",
        "code": 1000,
        "reason": "done",
    }


def test_testssl(start_gateway: StartGateway, demo: Upstream, tmp_path: Path, reactor: str) -> None:
    """testssl.sh finds no vulnerability, no weak protocol and no weak cipher."""
    if reactor != "uvloop":
        pytest.skip("the handshake is OpenSSL's on either reactor; once is enough")
    program = require("testssl")
    certificate = AUTHORITY.write(tmp_path, "app.test")
    # The default site: some of its probes name nobody.
    gateway = start_gateway({"_default": f"proxy = {demo.port}\n{certificate}"}, tls=True)
    found = tmp_path / "found.json"
    command = [program, "--warnings", "batch", "--quiet", "--color", "0", "-p", "-s", "-U", "--jsonfile", str(found)]
    command += [f"{HOST}:{gateway.tls_port}"]
    patient = {f"{what}MAX_WAITSOCK": str(int(PATIENCE)) for what in ("", "CCS_", "HEARTBLEED_")}
    subprocess.run(
        command,
        env={**os.environ, **patient, "HEADER_MAXSLEEP": str(int(PATIENCE))},
        capture_output=True,
        timeout=10 * PATIENCE,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    findings = json.loads(found.read_text())
    assert len(findings) > 20
    harmless = ("OK", "INFO")
    found_bad = [each for each in findings if each["severity"] not in harmless and each["id"] != "engine_problem"]
    assert found_bad == []  # engine_problem is one of the program's own OpenSSL
