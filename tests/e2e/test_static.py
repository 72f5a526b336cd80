"""Static sites over real sockets: load, switches, truncation, clients that vanish; nginx and Twisted as oracles."""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import h11
import pytest

from tests.e2e.conftest import StartGateway
from tests.resources.test_static import TRICKS
from tests.support.files import OLD, write
from tests.support.ports import HOST, free_port
from tests.support.proc import kinds, kinds_at_rest
from tests.support.processes import Process
from tests.support.raw_http import Answer, RawHTTP
from tests.support.twistd import Twistd
from tests.support.upstreams import Upstream
from tests.support.waiting import PATIENCE, eventually

pytestmark = pytest.mark.e2e

SITE = "static.test"
BIG = 40_000_000
TEXT = bytes(range(250)) * 400
DATES = ("Tue, 14 Nov 2023 22:13:19 GMT", "Tue, 14 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 2023 22:13:21 GMT")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "www" / "index.html", b"<h1>index</h1>")
    write(tmp_path / "www" / "dir" / "index.html", b"<h1>dir</h1>")
    write(tmp_path / "www" / "a.txt", TEXT)
    return tmp_path / "www"


@pytest.fixture
def big(root: Path) -> Path:
    block = secrets.token_bytes(1_000_000)
    path = root / "big.bin"
    with path.open("wb") as file:
        for number in range(BIG // len(block)):
            file.write(number.to_bytes(8, "big") + block[8:])
    return path


def serve(start_gateway: StartGateway, root: Path, more: str = "") -> Twistd:
    return start_gateway({SITE: f'static = "{root}"\nhttps = "off"\n{more}'})


def becomes(client: RawHTTP, target: str, status: int, content: bytes | None, *fields: str) -> None:
    """Ask until the answer is the one expected; whatever is remembered is believed for a second only."""
    answer = client.get(target, SITE, *fields)

    def expected() -> bool:
        nonlocal answer
        answer = client.get(target, SITE, *fields)
        return answer.status == status and content in (None, answer.body)

    eventually(expected, lambda: answer)


def settle() -> None:
    """Let files that were just written become old enough to be remembered."""
    time.sleep(1.2)


def test_a_visit(start_gateway: StartGateway, root: Path) -> None:
    """Page, file, part, unchanged file and missing file come over one connection."""
    write(root / "a.txt.gz", b"gz")
    gateway = serve(start_gateway, root)
    with RawHTTP(gateway.port) as client:
        page = client.get("/", SITE)
        assert (page.status, page.body, page.field(b"cache-control")) == (200, b"<h1>index</h1>", b"no-cache")
        assert client.get("/dir", SITE).field(b"location") == b"/dir/"
        whole = client.get("/a.txt", SITE)
        assert whole.body == TEXT
        tag = whole.field(b"etag") or b""
        unchanged = client.get("/a.txt", SITE, f"If-None-Match: {tag.decode()}")
        assert (unchanged.status, unchanged.body, unchanged.field(b"etag")) == (304, b"", tag)
        assert unchanged.field(b"date")
        assert client.get("/a.txt", SITE, "Accept-Encoding: gzip").body == b"gz"
        part = client.get("/a.txt", SITE, "Accept-Encoding: gzip", "Range: bytes=-10")
        assert (part.status, part.body) == (206, TEXT[-10:])
        client.send(f"HEAD /a.txt HTTP/1.1\r\nHost: {SITE}\r\n\r\n".encode())
        assert client.answer("HEAD").field(b"content-length") == b"%d" % len(TEXT)
        assert client.get("/none", SITE).status == 404
        assert client.post("/", SITE, b"form").field(b"allow") == b"GET, HEAD"
        assert client.get("/", SITE).status == 200


def test_a_large_file_and_a_slow_reader(start_gateway: StartGateway, root: Path, big: Path) -> None:
    """A large file arrives whole; a client that does not read it costs no memory and delays nobody."""
    gateway = serve(start_gateway, root)
    with RawHTTP(gateway.port) as slow, RawHTTP(gateway.port) as client:
        client.get("/", SITE)
        before = gateway.process.peak_memory()
        slow.send(f"GET /big.bin HTTP/1.1\r\nHost: {SITE}\r\n\r\n".encode())
        for _ in range(20):
            assert client.get("/", SITE).status == 200
        assert gateway.process.peak_memory() < before + 10_000_000
        assert slow.answer().body == big.read_bytes()
        assert client.get("/big.bin", SITE, f"Range: bytes={BIG // 2}-").body == big.read_bytes()[BIG // 2 :]


def test_a_file_that_is_not_in_memory(start_gateway: StartGateway, root: Path, big: Path) -> None:
    """A file that must come from the disk arrives whole too."""
    with big.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    gateway = serve(start_gateway, root)
    with RawHTTP(gateway.port) as client:
        assert client.get("/big.bin", SITE).body == big.read_bytes()


def test_a_file_truncated_while_it_is_sent(start_gateway: StartGateway, root: Path, big: Path) -> None:
    """The answer is cut, never padded; the gateway goes on and says what happened."""
    gateway = serve(start_gateway, root)
    pid = gateway.process.pid
    before = kinds_at_rest(pid)
    with RawHTTP(gateway.port) as client:
        client.send(f"GET /big.bin HTTP/1.1\r\nHost: {SITE}\r\n\r\n".encode())
        assert client.socket.recv(1000)
        os.truncate(big, 1_000_000)
        with pytest.raises((h11.RemoteProtocolError, ConnectionResetError)):
            client.answer()
    eventually(lambda: kinds(pid) == before, lambda: kinds(pid))
    with RawHTTP(gateway.port) as client:
        assert len(client.get("/big.bin", SITE).body) == 1_000_000


@pytest.mark.parametrize("kind", ["close", "reset"])
def test_clients_that_vanish(start_gateway: StartGateway, root: Path, big: Path, kind: str) -> None:
    """Whenever a client goes, no descriptor stays open."""
    gateway = serve(start_gateway, root)
    pid = gateway.process.pid
    before = kinds_at_rest(pid)
    request = f"GET /big.bin HTTP/1.1\r\nHost: {SITE}\r\n\r\n".encode()
    ranged = f"GET /big.bin HTTP/1.1\r\nHost: {SITE}\r\nRange: bytes=0-9,100-2000000\r\n\r\n".encode()
    for data, read in itertools.product((request[:10], request, ranged, request * 3), (0, 1, 100_000, 1_500_000)):
        client_socket = socket.create_connection((HOST, gateway.port), PATIENCE)
        if kind == "reset":
            client_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client_socket.sendall(data)
        taken = 0
        while len(data) > 10 and taken < read and (piece := client_socket.recv(65536)):
            taken += len(piece)
        client_socket.close()
    eventually(lambda: kinds(pid) == before, lambda: kinds(pid))
    gateway.stop()


def test_a_link_switched_under_load(start_gateway: StartGateway, tmp_path: Path) -> None:
    """While a release is switched over and over, each answer is wholly of one release, and none is missing."""
    for name in ("one", "two"):
        write(tmp_path / name / "index.html", name.encode() * 1000)
        write(tmp_path / name / "deep" / "index.html", name.encode() * 1000)
    current = tmp_path / "current"
    current.symlink_to("one")
    gateway = serve(start_gateway, current)
    seen: list[tuple[int, bytes]] = []
    switches = 0
    over = threading.Event()

    def visit() -> None:
        with RawHTTP(gateway.port) as client:
            for number in itertools.count():
                answer = client.get(("/", "/deep/")[number % 2], SITE)
                seen.append((answer.status, answer.body))
                if over.wait(0.005):
                    return

    def switch() -> None:
        nonlocal switches
        while not over.wait(0.001):
            link = tmp_path / f"next-{switches}"
            link.symlink_to(("two", "one")[switches % 2])
            link.rename(current)
            switches += 1

    threads = [threading.Thread(target=target, daemon=True) for target in (visit, visit, switch)]
    for thread in threads:
        thread.start()
    both = {(200, b"one" * 1000), (200, b"two" * 1000)}
    try:
        eventually(lambda: len(seen) > 1000 and switches > 100 and both <= set(seen))
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert set(seen) == both


def test_a_folder_of_many_files(start_gateway: StartGateway, root: Path) -> None:
    """In a folder of 10,000 files each is found as fast as in a small one."""
    folder = root / "many"
    folder.mkdir()
    for number in range(10_000):
        (folder / f"{number}.txt").write_bytes(b"%d" % number)
    gateway = serve(start_gateway, root)
    with RawHTTP(gateway.port) as client:
        for number in range(0, 10_000, 101):
            assert client.get(f"/many/{number}.txt", SITE).body == b"%d" % number
        assert client.get("/many/", SITE).status == 404


def test_tricks_on_the_wire(start_gateway: StartGateway, root: Path) -> None:
    """No path trick, sent as raw octets, shows more than the site."""
    write(root.parent / "secret", b"nobody may see this")
    write(root / ".env", b"nobody may see this")
    write(root / "site.toml", b"nobody may see this")
    gateway = serve(start_gateway, root)
    for target in (*TRICKS, b"/\xef\xbc\x8e\xef\xbc\x8e/secret", b"/..\t/secret", b"secret", b"../secret", b"*"):
        with RawHTTP(gateway.port) as client:
            client.send(b"GET %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (target, SITE.encode()))
            answer = client.answer()
            assert answer.status in (400, 404) or answer.body == b"<h1>index</h1>", target
            assert b"nobody" not in answer.body
            assert b"root:" not in answer.body


def test_an_app_and_its_assets(start_gateway: StartGateway, root: Path) -> None:
    """Assets come from disk while the app is away; its pages do not."""
    port = free_port()
    sites = {SITE: f'phoenix = {port}\nassets = "{root}"\nhttps = "off"\nslash = "strip"\n'}
    gateway = start_gateway(sites)
    with RawHTTP(gateway.port) as client:
        assert client.get("/a.txt?vsn=d", SITE).body == TEXT
        assert client.get("/page", SITE).status == 503


def test_a_single_page_app(start_gateway: StartGateway, root: Path) -> None:
    """Deep links get the app, missing scripts do not; an app may live below a route beside others."""
    sites = {SITE: f'spa = "{root}"\nhttps = "off"\nslash = "strip"\n[routes]\n"/docs/*" = {{ static = "{root}" }}\n'}
    gateway = start_gateway(sites)
    page = "Accept: text/html"
    with RawHTTP(gateway.port) as client:
        assert client.get("/users/7", SITE, page).body == b"<h1>index</h1>"
        assert client.get("/users/7/", SITE, page).body == b"<h1>index</h1>"
        assert client.get("/assets/none.js", SITE, page).status == 404
        assert client.get("/docs", SITE).field(b"location") == b"/docs/"
        assert client.get("/docs/dir/", SITE).body == b"<h1>dir</h1>"
        assert client.get("/docs/users", SITE, page).status == 404


# What is remembered.


def test_changes_are_seen(start_gateway: StartGateway, root: Path) -> None:
    """A file that is changed, replaced, compressed, deleted or made again is served so within a second or two."""
    gateway = serve(start_gateway, root)
    settle()
    path, coded = root / "a.txt", "Accept-Encoding: gzip"
    with RawHTTP(gateway.port) as client:
        for change, status, content in (
            (lambda: None, 200, TEXT),
            (lambda: path.write_bytes(TEXT[::-1]), 200, TEXT[::-1]),
            (lambda: write(root / "next", b"replaced").rename(path), 200, b"replaced"),
            (lambda: write(root / "a.txt.gz", b"coded"), 200, b"coded"),
            (lambda: (root / "a.txt.gz").unlink(), 200, b"replaced"),
            (path.unlink, 404, None),
            (lambda: write(path, b"again"), 200, b"again"),
        ):
            for _ in range(3):
                client.get("/a.txt", SITE, coded)
            change()
            becomes(client, "/a.txt", status, content, coded)
            settle()


def test_links_and_folders_that_change(start_gateway: StartGateway, root: Path) -> None:
    """A path that comes to lead elsewhere is looked at as if it were new; what may not be followed never is."""
    write(root.parent / "outside", b"nobody may see this")
    gateway = serve(start_gateway, root)
    settle()
    with RawHTTP(gateway.port) as client:
        assert client.get("/dir/", SITE).status == client.get("/dir/", SITE).status == 200
        (root / "dir").rename(root / "former")
        (root / "dir").symlink_to("former")
        (root / "former" / "index.html").unlink()
        (root / "former" / "index.html").symlink_to("../a.txt")
        becomes(client, "/dir/", 200, TEXT)
        if os.geteuid() == 0:  # a link of somebody else's, which leads to what is not his
            (root / "link").symlink_to("../outside")
            os.lchown(root / "link", 1234, 1234)
            (root / "link").rename(root / "a.txt")
            becomes(client, "/dir/", 404, None)
            assert client.get("/a.txt", SITE).status == 404


def test_memory_is_bounded(start_gateway: StartGateway, root: Path) -> None:
    """However many files are asked for, only so much of them stays in memory, and few stay open."""
    for number in range(700):
        write(root / f"{number}.bin", b"%8d" % number * 15_000)
    write(root / "large.bin", BIG // 100 * b"x")
    for number in range(200):
        os.link(root / "large.bin", root / f"large-{number}.bin")
    gateway = serve(start_gateway, root)
    settle()
    pid = gateway.process.pid
    before = kinds_at_rest(pid)
    parts = "".join(
        f"GET /large-{number}.bin HTTP/1.1\r\nHost: {SITE}\r\nRange: bytes=0-9\r\n\r\n" for number in range(200)
    )

    def many_stay_open() -> bool:
        """Ask for more than may stay open; a file that nobody asks for is closed after some seconds."""
        client.send(parts.encode())
        assert {client.answer().status for _ in range(200)} == {206}
        count = sum(kind.startswith(str(root)) for kind in kinds(pid))
        assert count < 140
        return count > 100

    with RawHTTP(gateway.port) as client:
        client.get("/", SITE)
        memory = gateway.process.peak_memory()
        for number in range(700):
            assert client.get(f"/{number}.bin", SITE).body == b"%8d" % number * 15_000
        assert gateway.process.peak_memory() < memory + 60_000_000
        eventually(many_stay_open)
    eventually(lambda: kinds(pid) == before, lambda: kinds(pid))


# Oracles.


@pytest.fixture(scope="module")
def oracle_root(nginx: Upstream) -> Path:
    """The folder that nginx serves."""
    root = nginx.process.log.parent / "www"
    write(root / "a.txt", TEXT)
    write(root / "dir" / "index.html", b"dir")
    write(root / "empty.txt", b"")
    return root


@pytest.fixture(scope="module")
def twisted_web(oracle_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A stock `twisted.web.static.File`; the port it listens on."""
    folder, port = tmp_path_factory.mktemp("twisted"), free_port()
    command = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "-n", "--pidfile=", "web"]
    command += [f"--listen=tcp:{port}:interface={HOST}", f"--path={oracle_root}"]
    process = Process(command, folder / "web.log", cwd=folder)
    process.wait_for_port(port)
    yield port
    process.stop()


def essence(answer: Answer) -> tuple[int, bytes, bytes | None]:
    """What two servers must agree on."""
    content = answer.body if answer.status in (200, 206) else b""
    return answer.status, content, answer.field(b"content-range")


def choices(name: str, *values: str) -> list[str]:
    return ["", *(f"{name}: {value}" for value in values)]


def test_conditions_as_nginx(start_gateway: StartGateway, nginx: Upstream, oracle_root: Path) -> None:
    """Preconditions end as in nginx, wherever that follows RFC 9110: where no field takes precedence over another."""
    gateway = serve(start_gateway, oracle_root)
    first = [*choices("If-Match", "{etag}", '"x"', "*"), *choices("If-Unmodified-Since", *DATES)[1:]]
    second = [
        *choices("If-None-Match", "{etag}", "W/{etag}", '"x", {etag}', '"x"'),
        *choices("If-Modified-Since", *DATES)[1:],
    ]
    ranges = choices("Range", "bytes=0-9", "bytes=200000-")
    statuses = set()
    with RawHTTP(gateway.port) as ours, RawHTTP(nginx.port) as theirs:
        tags = [(client.get("/a.txt", SITE).field(b"etag") or b"").decode() for client in (ours, theirs)]
    with RawHTTP(gateway.port) as ours:
        for lines in itertools.product(first, second, ranges):
            answers = []
            with RawHTTP(nginx.port) as theirs:  # which closes after some of them
                for client, tag in ((ours, tags[0]), (theirs, tags[1])):
                    answers.append(client.get("/a.txt", SITE, *(line.format(etag=tag) for line in lines if line)))
            assert essence(answers[0]) == essence(answers[1]), lines
            statuses.add(answers[0].status)
    assert statuses == {200, 206, 304, 412, 416}
    assert OLD == 1_700_000_000


RANGES = [
    "bytes=0-0",
    "bytes=0-99",
    "bytes=50-",
    "bytes=-1",
    "bytes=-100",
    "bytes=-999999",
    "bytes=99999-",
    "bytes=99999-200000",
    "bytes=100000-",
    "bytes=5-4",
    "lines=1-2",
    "bytes=abc",
]


@pytest.mark.parametrize("oracle", ["nginx", "twisted"])
def test_ranges_as_others(
    start_gateway: StartGateway, nginx: Upstream, twisted_web: int, oracle_root: Path, oracle: str
) -> None:
    """Single ranges are answered as by nginx and by twisted.web."""
    gateway = serve(start_gateway, oracle_root)
    # nginx answers a malformed Range 416, which the RFC allows as well (§14.2);
    # twisted.web stumbles over a long suffix.
    other = {"nginx": (nginx.port, ["bytes=5-4", "bytes=abc"]), "twisted": (twisted_web, ["bytes=-999999"])}
    port, differ = other[oracle]
    with RawHTTP(gateway.port) as ours, RawHTTP(port) as theirs:
        for value in [each for each in RANGES if each not in differ]:
            answers = [client.get("/a.txt", SITE, f"Range: {value}") for client in (ours, theirs)]
            assert essence(answers[0])[:2] == essence(answers[1])[:2], value
        for date in DATES[1:]:
            answers = [client.get("/a.txt", SITE, f"If-Modified-Since: {date}") for client in (ours, theirs)]
            assert [answer.status for answer in answers] == [304, 304]


def test_several_ranges_as_nginx(start_gateway: StartGateway, nginx: Upstream, oracle_root: Path) -> None:
    """A multipart answer is that of nginx but for the boundary."""
    gateway = serve(start_gateway, oracle_root)
    bodies = []
    for port in (gateway.port, nginx.port):
        with RawHTTP(port) as client:
            answer = client.get("/a.txt", SITE, "Range: bytes=0-4,10-20,-3")
            boundary = (answer.field(b"content-type") or b"").partition(b"boundary=")[2]
            assert answer.status == 206
            bodies.append(answer.body.replace(boundary, b"B").replace(b"; charset=utf-8", b"").strip(b"\r\n"))
    assert bodies[0] == bodies[1]


def test_paths_as_nginx(start_gateway: StartGateway, nginx: Upstream, oracle_root: Path) -> None:
    """Files, folders and missing files have the status that nginx gives them."""
    gateway = serve(start_gateway, oracle_root)
    with RawHTTP(gateway.port) as ours, RawHTTP(nginx.port) as theirs:
        for target in (
            "/a.txt",
            "/dir/",
            "/dir/index.html",
            "/empty.txt",
            "/none",
            "/dir/../a.txt",
            "/%61.txt",
            "/a.txt?q",
        ):
            answers = [client.get(target, SITE) for client in (ours, theirs)]
            assert essence(answers[0]) == essence(answers[1]), target


def test_a_root_that_appears(start_gateway: StartGateway, root: Path) -> None:
    """A site whose folder comes and goes answers 404 while it is away."""
    gateway = serve(start_gateway, root)
    with RawHTTP(gateway.port) as client:
        assert client.get("/", SITE).status == 200
        shutil.move(root, root.parent / "away")
        becomes(client, "/", 404, None)
        shutil.move(root.parent / "away", root)
        becomes(client, "/", 200, b"<h1>index</h1>")
