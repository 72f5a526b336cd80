"""From site files to answers: every key has its effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.compile import virtual_hosts
from gateway.net.tls_client import UpstreamTLS
from tests.support.files import write
from tests.support.served import OK, Served

APP = "127.0.0.1:4000"
EXAMPLES = {
    "app__example__com": 'phoenix = [4000, 4001]\nhealth  = "/health"\nsticky  = true\n',
    "app__example__org": 'spa = "/srv/app/dist"\n\n[routes]\n"/api/*" = 4000\n',
    "blog__example__com": 'static = "/srv/blog"\n',
    "example__com": 'canonical = "www"\nphoenix = 4000\nmaintenance = "maintenance.html"\n',
    "old-example__com": 'redirect = "https://example.com"\n',
    "staging__example__com": 'phoenix = 4010\nnoindex = true\n\n[access]\ntoken = "env:T"\nusers = { a = "$s$" }\n',
}


@pytest.fixture
def patch(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    return monkeypatch


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def location(answer: bytes) -> bytes:
    return answer.partition(b"\r\nLocation: ")[2].partition(b"\r\n")[0]


def test_the_examples_of_the_documentation(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """Five of the six sites load; the one that asks for protection answers 503 until it can have it."""
    served = Served(tmp_path, patch, **EXAMPLES)
    assert [site.name for site in served.loaded.broken] == ["staging.example.com"]
    assert b"GET /a " in served.forwarded(APP, "www.example.com", "/a")
    assert location(served.get("example.com", "/a?b")) == b"http://www.example.com/a?b"
    assert location(served.get("www.old-example.com", "/a?b")) == b"https://example.com/a?b"
    assert b"GET /api/x " in served.forwarded(APP, "app.example.org", "/api/x")
    assert status(served.get("app.example.org", "/")) == 404
    assert status(served.get("blog.example.com")) == 404
    assert status(served.get("staging.example.com")) == 503
    error = served.world.log.finished[-1].error
    assert error is not None
    assert error.reason == "configuration"
    served.ask("app.example.com")
    assert set(served.endpoints) == {APP, "127.0.0.1:4001"}


def test_the_maximal_file(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """All keys of the maximal file that do not wait for later versions work together."""
    served = Served(
        tmp_path,
        patch,
        example__com='hosts = ["example.com", "example.net"]\ncanonical = "www"\nphoenix = [4000, 4001]\n'
        'health = "/health"\nsticky = true\n'
        'slash = "strip"\nmax_body = "200 MB"\nassets = "/opt/static"\nmaintenance = "m.html"\nsecurity = "strict"\n'
        '[routes]\n"/docs/*" = { static = "docs" }\n"/grafana/*" = { proxy = 3000 }\n'
        '[redirects]\n"/blog/*" = "https://blog.example.com/*"\n"/old" = 410\n'
        '[headers]\nX-Clacks-Overhead = "GNU Terry Pratchett"\n-X-Powered-By = ""\n',
    )
    assert served.loaded.errors == ()
    assert location(served.get("example.net", "/a/?q=1")) == b"http://www.example.com/a?q=1"
    assert location(served.get("www.example.com", "/a/?q=1")) == b"/a?q=1"
    assert b"GET /grafana/x " in served.forwarded("127.0.0.1:3000", "www.example.com", "/grafana/x")
    assert location(served.get("www.example.com", "/blog/a")) == b"https://blog.example.com/a"
    assert status(served.get("www.example.com", "/old")) == 410
    client = served.ask("www.example.com")
    upstream = next(endpoint for name, endpoint in served.endpoints.items() if endpoint.accepted and ":400" in name)
    upstream.last.receive(b"HTTP/1.1 200 OK\r\nX-Powered-By: x\r\nContent-Length: 0\r\n\r\n")
    answer = client.take()
    assert b"GNU Terry Pratchett" in answer
    assert b"X-Powered-By" not in answer


@pytest.mark.parametrize(
    ("host", "target", "expected"),
    [("www.a.com", "/gone", 410), ("www.a.com", "/old", 308), ("a.com", "/", 308), ("www.a.com", "/x/", 308),
     ("www.a.com", "/down", 503), ("www.a.com", "/files", 404)],
)  # fmt: skip
def test_header_edits_reach_every_answer(
    tmp_path: Path, patch: pytest.MonkeyPatch, host: str, target: str, expected: int
) -> None:
    """Fields are edited on redirects, fixed replies and error pages as on an app's answers."""
    served = Served(
        tmp_path,
        patch,
        a__com='canonical = "www"\nphoenix = 4000\nslash = "strip"\nheaders = { X-A = "b" }\n'
        '[routes]\n"/files" = { static = "f" }\n[redirects]\n"/gone" = 410\n"/old" = "/new"\n',
    )
    served.endpoints[APP].refuse()
    answer = served.get(host, target)
    assert status(answer) == expected
    assert answer.count(b"\r\nX-A: b\r\n") == 1


@pytest.mark.parametrize(("target", "expected"), [("/none", 404), ("/a/..%2f..", 400), ("/robots.txt", 200)])
def test_header_edits_reach_answers_of_no_location(
    tmp_path: Path, patch: pytest.MonkeyPatch, target: str, expected: int
) -> None:
    """Where only routes answer, the site's fields are on what they do not answer too, and on redirects to the name."""
    served = Served(
        tmp_path,
        patch,
        a__com='canonical = "www"\nnoindex = true\nheaders = { X-A = "b", remove = ["Permissions-Policy"] }\n'
        '[routes]\n"/a/*" = 4000\n',
    )
    for answer, wanted in ((served.get("www.a.com", target), expected), (served.get("a.com", "/a/x"), 308)):
        assert status(answer) == wanted
        assert answer.count(b"\r\nX-A: b\r\n") == 1
        assert b"Permissions-Policy" not in answer


def test_slashes_of_exact_paths_and_redirects(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """What a file names exactly is right as it is written, and a redirect is one hop."""
    table = (
        '[routes]\n"/exact" = 4001\n"/exact/too/" = 4001\n'
        '[redirects]\n"/old" = "/new"\n"/gone" = 410\n"/b/*" = "/c/*"\n'
    )
    app = 'phoenix = 4000\ncanonical = "name"\nhosts = ["o.{}"]\nslash = "{}"\n'
    served = Served(
        tmp_path,
        patch,
        add__com=app.format("add.com", "add") + table,
        strip__com=app.format("strip.com", "strip") + table,
    )
    for host in ("add.com", "strip.com"):
        for path in ("/exact", "/exact/too/"):
            assert f"GET {path} ".encode() in served.forwarded("127.0.0.1:4001", host, path)
        assert location(served.get(host, "/old")) == b"/new"
        assert status(served.get(host, "/gone")) == 410
        assert location(served.get(host, "/b/x")) == b"/c/x"
        assert location(served.get(host, "/b/x/")) == b"/c/x/"
        assert location(served.get(f"o.{host}", "/old")) == f"http://{host}/old".encode()
    assert location(served.get("add.com", "/a")) == b"/a/"
    assert location(served.get("o.strip.com", "/a/")) == b"http://strip.com/a"


def test_wildcards_the_default_site_and_broken_ones(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """Exact names, wildcards and the default site each have their file; a bad file costs only its own hosts."""
    served = Served(
        tmp_path,
        patch,
        a__example__com="phoenix = 4001\n",
        _wildcard__example__com="phoenix = 4002\n",
        _default="phoenix = 4003\n",
        bad__com="phoenix = nonsense\n",
    )
    for host, port in (("a.example.com", 4001), ("b.example.com", 4002), ("b.b.example.com", 4003), ("1.2.3.4", 4003)):
        assert served.forwarded(f"127.0.0.1:{port}", host)
    assert status(served.get("bad.com")) == 503
    assert status(served.get("www.bad.com")) == 503


def test_an_unknown_host(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """Without a default site nobody else answers for a host."""
    assert status(Served(tmp_path, patch, a__com="phoenix = 4000\n").get("b.com")) == 404


def test_the_longest_route_wins(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """The order of the file does not matter; an exact path beats the prefix."""
    served = Served(
        tmp_path, patch, a__com='phoenix = 1\n[routes]\n"/a/*" = 2\n"/a/b/*" = 3\n"/a/b" = 4\n"/a/b/c/*" = 5\n'
    )
    for target, port in (("/", 1), ("/ab", 1), ("/a", 2), ("/a/x", 2), ("/a/b", 4), ("/a/b/x", 3), ("/a/b/c/d", 5)):
        assert served.forwarded(f"127.0.0.1:{port}", "a.com", target), target
    assert status(served.get("a.com", "/a/../b")) == 400


def test_a_stripped_prefix(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """The app sees the path without the prefix and is told of it; its redirects and cookies get it back."""
    served = Served(tmp_path, patch, a__com='phoenix = 1\n[routes]\n"/shop/*" = { to = 4000, strip = true }\n')
    client = served.ask("a.com", "/shop/cart?x")
    sent = served.endpoints[APP].last.take()
    assert sent.startswith(b"GET /cart?x ")
    assert b"\r\nX-Forwarded-Prefix: /shop\r\n" in sent
    served.endpoints[APP].last.receive(
        b"HTTP/1.1 302 Found\r\nLocation: /login\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n"
    )
    answer = client.take()
    assert location(answer) == b"/shop/login"
    assert b"\r\nSet-Cookie: a=b; Path=/shop\r\n" in answer


def test_optional_fields_for_the_app(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """`forwarded`, `request_start` and `request_headers` are sent where they are asked for, and only there."""
    served = Served(
        tmp_path,
        patch,
        a__com='phoenix = { to = 4000, forwarded = true, request_start = true }\nrequest_headers = { X-A = "b" }\n',
        b__com="phoenix = 4001\n",
    )
    sent = served.forwarded(APP, "a.com")
    assert b"\r\nForwarded: for=203.0.113.9;proto=http;host=a.com\r\n" in sent
    assert b"\r\nX-Request-Start: t=1700000000500\r\n" in sent
    assert b"\r\nX-A: b\r\n" in sent
    plain = served.forwarded("127.0.0.1:4001", "b.com")
    assert not any(name in plain for name in (b"Forwarded: for", b"X-Request-Start", b"X-A"))


def test_https_upstreams(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """An https upstream is sent its own name as Host and the client's in X-Forwarded-Host; its TLS settings hold."""
    served = Served(
        tmp_path,
        patch,
        a__com='proxy = { to = "https://up.example", tls_timeout = "4s", server_name = "x.org", verify = false }\n',
    )
    sent = served.forwarded("up.example:443", "a.com")
    assert b"\r\nHost: up.example\r\n" in sent
    assert b"\r\nX-Forwarded-Host: a.com\r\n" in sent
    options = served.options["up.example:443"]
    assert options["tls"] == UpstreamTLS(server_name="x.org", verify=False)
    assert (options["timeout"], options["tls_timeout"]) == (3, 4)


def test_limits_of_a_proxy(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """Time-outs, retries and the pool's size come from the file."""
    served = Served(
        tmp_path, patch, a__com='phoenix = { to = 4000, response_timeout = "5s", max_idle = 0 }\nmax_body = "10 B"\n'
    )
    client = served.ask("a.com")
    served.world.wait(7)
    assert status(client.take()) == 503
    client = served.ask("a.com")
    upstream = served.endpoints[APP].last
    upstream.receive(OK)
    assert upstream.closing
    assert status(served.get("a.com", "/", "Content-Length: 11", method="POST")) == 413
    error = served.world.log.finished[-1].error
    assert error is not None
    assert "a.com.toml:2 max_body" in str(error)


def test_spooling(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """`buffer` collects an upload before the app is asked."""
    served = Served(tmp_path, patch, a__com='phoenix = { to = 4000, buffer = "8 MiB", server_timing = true }\n')
    client = served.ask("a.com", "/", "Content-Length: 3", method="POST")
    client.receive(b"ab")
    assert served.endpoints[APP].accepted == []
    client.receive(b"c")
    assert served.endpoints[APP].last.take().endswith(b"\r\n\r\nabc")
    served.endpoints[APP].last.receive(OK)
    assert b"\r\nServer-Timing: gateway;dur=" in client.take()


def test_unix_sockets(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """An upstream may be a UNIX socket; the client's Host is kept."""
    served = Served(tmp_path, patch, a__com='proxy = "unix:/run/a.sock"\n')
    assert b"\r\nHost: a.com\r\n" in served.forwarded("/run/a.sock", "a.com")


def test_equal_upstreams_share_their_connections(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """Two sites with the same app and the same settings use one pool."""
    served = Served(tmp_path, patch, a__com="phoenix = 4000\n", b__com="phoenix = 4000\n")
    served.forwarded(APP, "a.com")
    served.endpoints[APP].last.receive(OK)
    served.forwarded(APP, "b.com")
    assert len(served.endpoints[APP].accepted) == 1


def test_folders_of_files(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """Folders put slashes right themselves, whatever the site's rule; a route takes its prefix off the path."""
    write(tmp_path / "files" / "dir" / "index.html", b"the folder's index")
    write(tmp_path / "files" / "index.html", b"the index")
    write(tmp_path / "files" / "robots.txt", b"the robots")
    served = Served(
        tmp_path,
        patch,
        a__com='static = "files"\nslash = "strip"\ncanonical = "www"\n',
        b__com='phoenix = 4000\nslash = "strip"\nassets = "files"\n[routes]\n"/docs/*" = { static = "files" }\n'
        '"/deep/robots.txt" = { static = "files" }\n"/add/*" = { static = "files", slash = "add" }\n',
    )
    assert location(served.get("a.com", "/dir/")) == b"http://www.a.com/dir/"
    assert served.get("www.a.com", "/dir/").endswith(b"the folder's index")
    assert location(served.get("www.a.com", "/dir")) == b"/dir/"
    assert location(served.get("b.com", "/docs")) == b"/docs/"
    assert served.get("b.com", "/docs/dir/").endswith(b"the folder's index")
    assert served.get("b.com", "/deep/robots.txt").endswith(b"the robots")
    assert served.get("b.com", "/add/robots.txt").endswith(b"the robots")
    assert served.get("b.com", "/robots.txt").endswith(b"the robots")
    assert b"GET /dir " in served.forwarded(APP, "b.com", "/dir")


def test_assets_outlive_a_reload(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """A site that is built anew still knows the folder of its last release."""
    for name in ("one", "two"):
        write(tmp_path / name / f"app-{name.encode().hex():0>32}.js", name.encode())
    (tmp_path / "current").symlink_to("one")
    served = Served(tmp_path, patch, a__com='phoenix = 4000\nassets = "current"\n')
    old = f"/app-{b'one'.hex():0>32}.js"
    assert served.get("a.com", old).endswith(b"one")
    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to("two")
    built = [served.compiler.build(site) for site in served.loaded.sites]
    served.world.core.tree = virtual_hosts(built)
    served.world.clock.advance(1.5)
    assert served.get("a.com", f"/app-{b'two'.hex():0>32}.js").endswith(b"two")
    assert served.get("a.com", old).endswith(b"one")
