"""Each site is served in its newest version that works, and no other is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.last_good import KeptVersions
from gateway.web.tree import SiteResource
from tests.support.reloading import Reloading
from tests.support.served import OK
from tests.support.transports import FakeTransport
from tests.support.websocket import TEXT, accept, frame, handshake, read_frames

APP = "127.0.0.1:4000"
TO_B = "redirect = 'https://b.test'"
TO_C = "redirect = 'https://c.test'"


@pytest.fixture
def patch(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    return monkeypatch


def resource(served: Reloading, host: str) -> SiteResource:
    found = served.tree.find(host.encode())
    assert found is not None
    return found


def open_socket(served: Reloading, host: str) -> FakeTransport:
    """Open a WebSocket; the app is the connection made last."""
    client = served.world.client()
    client.receive(handshake().replace(b"example.com", host.encode()))
    app = served.endpoints[APP].last
    app.receive(accept(app.take()))
    assert client.take().startswith(b"HTTP/1.1 101 ")
    return client


def test_a_file_that_comes_changes_breaks_is_mended_and_goes(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """Each time the right thing is served."""
    served = Reloading(tmp_path, patch)
    assert served.status("a.com") == 404
    served.change(a__com=TO_B)
    assert served.location("a.com") == b"https://b.test/"
    served.change(a__com=TO_C)
    assert served.location("a.com") == b"https://c.test/"
    served.change(a__com="redirect = ")
    assert served.location("a.com") == b"https://c.test/"
    served.change(a__com=TO_B)
    assert served.location("a.com") == b"https://b.test/"
    served.change(a__com=None)
    assert served.status("a.com") == 404


def test_other_sites_keep_their_resources(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """A change makes a new tree in which all other sites are the same objects."""
    served = Reloading(tmp_path, patch, a__com=TO_B, b__com=TO_B, c__com="bad")
    before, tree = resource(served, "b.com"), served.tree
    served.change(a__com=TO_C)
    assert served.tree is not tree
    assert resource(served, "b.com") is before
    served.change(c__com=TO_C)
    assert resource(served, "b.com") is before
    assert tree.find(b"a.com") is not resource(served, "a.com")


def test_a_site_that_was_never_good(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """Its hosts, as far as they can be told, answer 503 until it is mended."""
    served = Reloading(tmp_path, patch)
    served.change(a__com="hosts = ['b.com']\nredirec = 'https://c.test'")
    assert [served.status(host) for host in ("a.com", "b.com", "www.a.com")] == [503, 503, 503]
    assert served.table.changes.refused == (str(tmp_path / "a.com.toml"),)
    served.change(a__com="hosts = ['b.com']\nredirect = 'https://c.test'")
    assert served.location("b.com") == b"https://c.test/"
    assert served.table.changes.refused == ()


def test_a_broken_file_keeps_all_its_hosts(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """While a file cannot even be parsed, nobody else gets the names that its last good version has."""
    served = Reloading(tmp_path, patch, a__com=f"hosts = ['x.com']\n{TO_B}")
    served.change(a__com="hosts = [", x__com=TO_C)
    assert served.location("x.com") == b"https://b.test/"
    assert served.table.changes.stale == (str(tmp_path / "a.com.toml"),)
    assert served.table.changes.refused == (str(tmp_path / "x.com.toml"),)
    served.change(a__com=TO_B)
    assert served.location("x.com") == b"https://c.test/"
    assert served.table.changes.errors == ()


def test_the_live_file_keeps_a_host(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """A newcomer that claims another's host is refused; once that is gone it is served without being touched."""
    served = Reloading(tmp_path, patch, b__com=f"hosts = ['x.com']\n{TO_B}")
    served.change(a__com=f"hosts = ['x.com']\n{TO_C}")
    assert served.location("x.com") == b"https://b.test/"
    assert served.status("a.com") == 503
    (error,) = served.table.changes.errors
    assert str(error).startswith(f"{tmp_path}/a.com.toml:1:10: x.com belongs to {tmp_path}/b.com.toml:1:10 already")
    served.change(b__com=None)
    assert [served.location(host) for host in ("x.com", "a.com")] == [b"https://c.test/"] * 2
    assert served.status("b.com") == 404


def test_a_change_that_claims_a_host_of_another(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """The site goes on in the version before, whole."""
    served = Reloading(tmp_path, patch, a__com=TO_B, b__com=TO_B)
    served.change(a__com=f"hosts = ['b.com']\n{TO_C}")
    assert served.location("a.com") == b"https://b.test/"
    assert served.table.changes.stale == (str(tmp_path / "a.com.toml"),)


def test_a_file_named_after_a_www_name(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """It takes the name from the site that had it by default; one that needs the name goes on without it."""
    served = Reloading(tmp_path, patch, a__com=f"canonical = 'www'\n{TO_B}", b__com=TO_B)
    served.change(www__b__com=TO_C)
    assert [served.location(host) for host in ("b.com", "www.b.com")] == [b"https://b.test/", b"https://c.test/"]
    served.change(www__a__com=TO_C)
    assert served.location("a.com") == b"http://www.a.com/"
    assert served.location("www.a.com") == b"https://c.test/"
    assert served.table.changes.stale == (str(tmp_path / "a.com.toml"),)
    served.change(www__a__com=None)
    assert served.location("www.a.com") == b"https://b.test/"


def test_defaults_with_an_error(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """Every site goes on as it is; the one error is reported once. A newcomer waits."""
    served = Reloading(tmp_path, patch, a__com=TO_B, b__com=TO_B)
    served.change(_defaults="bad", a__com=TO_C, c__com=TO_C)
    assert [served.location(host) for host in ("a.com", "b.com")] == [b"https://b.test/"] * 2
    assert served.status("c.com") == 503
    assert len(served.table.changes.errors) == 1
    served.change(_defaults=None)
    assert [served.location(host) for host in ("a.com", "c.com")] == [b"https://c.test/"] * 2


def test_the_default_site_and_wildcards(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """They come and go like any other."""
    served = Reloading(tmp_path, patch)
    served.change(_default=TO_B, _wildcard__a__com=TO_C)
    assert [served.location(host) for host in ("any.net", "x.a.com")] == [b"https://b.test/", b"https://c.test/"]
    served.change(_default=None, _wildcard__a__com=None)
    assert [served.status(host) for host in ("any.net", "x.a.com")] == [404, 404]


def test_upstreams_with_equal_settings_are_kept(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """A pool with its idle connections outlives a change of its site; one that no site uses closes them."""
    served = Reloading(tmp_path, patch, a__com="proxy = 4000")
    served.ask("a.com")
    app = served.endpoints[APP].last
    app.receive(OK)
    served.change(a__com="proxy = 4000\nslash = 'strip'")
    served.ask("a.com")
    assert served.endpoints[APP].accepted == [app]
    app.receive(OK)
    assert len(served.upstreams) == 1
    served.change(a__com="proxy = 4001")
    assert app.closing
    assert len(served.upstreams) == 1


def test_an_exchange_goes_on_with_what_it_began_with(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """Neither a change of upstreams nor the site's removal disturbs it; its connection is closed behind it."""
    served = Reloading(tmp_path, patch, a__com="proxy = 4000")
    client = served.ask("a.com")
    app = served.endpoints[APP].last
    served.change(a__com="proxy = 4001")
    app.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok")
    served.change(a__com=None)
    assert not app.closing
    app.receive(b"ay")
    assert client.take().endswith(b"\r\n\r\nokay")
    assert app.closing


def test_sockets_live_until_their_site_is_removed(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """A change, even of the upstreams, leaves sockets alone; removing the site closes them with 1001."""
    served = Reloading(tmp_path, patch, a__com="proxy = 4000", b__com="proxy = 4000")
    client = open_socket(served, "a.com")
    other = open_socket(served, "b.com")
    for text in ("proxy = 4000\nslash = 'strip'", "proxy = 4001", "bad"):
        served.change(a__com=text)
        client.receive(frame(TEXT, b"hello", masked=True))
        assert served.endpoints[APP].accepted[0].take()
    served.change(a__com=None)
    assert [each.code for each in read_frames(client.take())] == [1001]
    assert other.take() == b""


def test_a_site_that_cannot_be_built(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """A file that it needs is missing: the version before goes on; a newcomer answers 503."""
    text = "proxy = { to = 'https://127.0.0.1:4000', ca = 'ca.pem' }"
    served = Reloading(tmp_path, patch, a__com=TO_B)
    served.change(a__com=text, b__com=text)
    assert served.location("a.com") == b"https://b.test/"
    assert served.status("b.com") == 503
    assert [error.file for error in served.table.changes.errors] == [
        str(tmp_path / f"{name}.com.toml") for name in ("a", "b")
    ]


def test_a_start_with_a_bad_file(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """The last good version is served, unless there never was one or it went with its file."""
    (tmp_path / "sites").mkdir()

    def versions() -> KeptVersions:
        kept = KeptVersions(tmp_path / "state", {})
        kept.begin()
        return kept

    served = Reloading(tmp_path / "sites", patch, versions(), a__com=TO_B, b__com=TO_B, c__com=TO_B)
    served.change(a__com=TO_C, b__com=None)
    served.put(a__com="bad", b__com="bad", d__com="bad")
    served = Reloading(tmp_path / "sites", patch, versions())
    assert served.location("a.com") == b"https://c.test/"
    assert [served.status(host) for host in ("b.com", "c.com", "d.com")] == [503, 308, 503]
    served.change(a__com="still bad")
    assert served.location("a.com") == b"https://c.test/"


def test_a_flag_file_switches_a_site(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """Maintenance comes and goes with the flag, also while the site goes on in an older version, and for it alone."""
    served = Reloading(tmp_path, patch, a__com=TO_B, b__com=TO_B)
    other = resource(served, "b.com")
    flag = tmp_path / "a.com.down"
    flag.write_text("moving")
    served.change()
    assert served.status("a.com") == 503
    served.change(a__com="bad")
    assert served.status("a.com") == 503
    flag.unlink()
    served.change()
    assert served.location("a.com") == b"https://b.test/"
    flag.touch()
    served.change()
    assert served.status("a.com") == 503
    assert resource(served, "b.com") is other


def test_a_plain_name_below_changes_the_site_above(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """A site with `hsts.subdomains` is built again when a name below it loses or gains HTTPS."""
    served = Reloading(tmp_path, patch, a__com=TO_B + "\nhsts = { subdomains = true }", c__com=TO_B)
    first, other = resource(served, "a.com"), resource(served, "c.com")
    served.change(x__a__com=TO_B + "\nhttps = false")
    second = resource(served, "a.com")
    assert second is not first
    assert resource(served, "c.com") is other
    served.change(y__a__com=TO_B)
    assert resource(served, "a.com") is second
