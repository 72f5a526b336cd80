"""Site files dropped in, changed, broken, mended and removed while the gateway runs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config.site_folder import SiteFolder
from tests.e2e.conftest import StartGateway
from tests.support.raw_http import RawHTTP
from tests.support.reloading import Reloading
from tests.support.traffic import Traffic
from tests.support.twistd import Daemon, Twistd
from tests.support.upstreams import Upstream
from tests.support.waiting import eventually
from tests.test_reload import held, reload_often

pytestmark = pytest.mark.e2e


class Site:
    """One site file of a running gateway."""

    def __init__(self, port: int, file: Path) -> None:
        self._port = port
        self.file = file

    def answer(self) -> str:
        """Where the site redirects to, or its status."""
        with RawHTTP(self._port) as client:
            answer = client.get("/", self.file.stem)
        location = answer.field(b"location")
        return location.decode() if location else str(answer.status)

    def becomes(self, answer: str) -> None:
        """Wait until it answers that."""
        eventually(lambda: self.answer() == answer, self.answer)


def to(name: str) -> str:
    return f'redirect = "https://{name}.test"'


@pytest.fixture
def traffic() -> Iterator[list[Traffic]]:
    """Connections that are closed, whatever happens."""
    begun: list[Traffic] = []
    yield begun
    for each in begun:
        each.close()


def test_a_file_is_dropped_in_changed_broken_mended_and_removed(
    start_gateway: StartGateway, demo: Upstream, traffic: list[Traffic]
) -> None:
    """Each time the right thing is served soon; traffic of another site is not disturbed."""
    gateway = start_gateway({"app.test": f"proxy = {demo.port}"})
    traffic.append(Traffic(gateway.port, "app.test"))
    site = Site(gateway.port, gateway.folder / "new.test.toml")
    assert site.answer() == "404"
    site.file.write_text(to("one"))
    site.becomes("https://one.test/")
    traffic[0].go_on()
    site.file.write_text(to("two"))
    site.becomes("https://two.test/")
    traffic[0].go_on()
    site.file.write_text("\nredirect = 'no URL")
    for said in (f"{site.file}:2:", f"{site.file} has errors: its last good version is served"):
        eventually(lambda said=said: said in gateway.process.text(), gateway.process.text)
    assert site.answer() == "https://two.test/"
    traffic[0].go_on()
    site.file.write_text(to("three"))
    site.becomes("https://three.test/")
    traffic[0].go_on()
    edited = gateway.folder / ".new.test.toml.swp"
    edited.write_text(to("four"))
    os.replace(edited, site.file)
    site.becomes("https://four.test/")
    traffic[0].go_on()
    site.file.unlink()
    site.becomes("404")
    traffic[0].finish()


def test_traffic_of_the_same_site(start_gateway: StartGateway, demo: Upstream, traffic: list[Traffic]) -> None:
    """A change of a site disturbs none of its own exchanges and sockets, not even when its app is another one."""
    gateway = start_gateway({"app.test": f"proxy = {demo.port}"})
    traffic.append(Traffic(gateway.port, "app.test"))
    site = Site(gateway.port, gateway.folder / "app.test.toml")
    site.file.write_text(f"proxy = {demo.port}\n[routes]\n'/' = {{ redirect = 'https://one.test' }}")
    site.becomes("https://one.test/")
    traffic[0].go_on()
    site.file.write_text(to("two"))
    site.becomes("https://two.test/")
    traffic[0].finish()


def test_hanging_up(start_gateway: StartGateway, tmp_path: Path) -> None:
    """SIGHUP reads everything at once, also files that look the same."""
    (tmp_path / "key").write_text("one")
    gateway = start_gateway({"app.test": f'{to("x")}\n[headers]\nX-Key = "file:{tmp_path / "key"}"\n'})
    with RawHTTP(gateway.port) as client:
        assert client.get("/", "app.test").field(b"x-key") == b"one"
        (tmp_path / "key").write_text("two")
        os.kill(gateway.process.pid, signal.SIGHUP)
        eventually(lambda: client.get("/", "app.test").field(b"x-key") == b"two", gateway.process.text)


def test_hanging_up_a_daemon(demo: Upstream, tmp_path: Path, reactor: str) -> None:
    """In the background too SIGHUP reloads instead of ending the process; files are watched."""
    daemon = Daemon(tmp_path, {"app.test": to("one")}, reactor=reactor)
    try:
        site = Site(daemon.port, tmp_path / "sites" / "app.test.toml")
        site.file.write_text(to("two"))
        os.kill(daemon.pid, signal.SIGHUP)
        site.becomes("https://two.test/")
        site.file.write_text(to("three"))
        site.becomes("https://three.test/")
    finally:
        daemon.stop()
    assert "SIGHUP: reading all of" in daemon.log.read_text()
    assert "Traceback" not in daemon.log.read_text()


def test_a_folder_that_is_a_link(start_gateway: StartGateway, demo: Upstream) -> None:
    """When the link leads elsewhere the sites there are served; while it leads nowhere all go on."""
    gateway = start_gateway({"app.test": to("one")})
    real = gateway.folder.rename(gateway.folder.with_name("release-1"))
    site = Site(gateway.port, gateway.folder / "app.test.toml")
    eventually(lambda: "cannot be read" in gateway.process.text(), gateway.process.text)
    assert site.answer() == "https://one.test/"
    other = gateway.folder.with_name("release-2")
    other.mkdir()
    (other / "gateway.toml").write_bytes((real / "gateway.toml").read_bytes())
    (other / "app.test.toml").write_text(to("two"))
    gateway.folder.symlink_to(other)
    site.becomes("https://two.test/")
    (other / "app.test.toml").write_text(to("three"))
    site.becomes("https://three.test/")


def test_a_start_with_a_bad_file(start_gateway: StartGateway) -> None:
    """The last good version is served from the state folder; the error is in the log."""
    gateway = start_gateway({"app.test": to("one")})
    site = Site(gateway.port, gateway.folder / "app.test.toml")
    assert site.answer() == "https://one.test/"
    gateway.stop()
    site.file.write_text("bad")
    gateway.start(gateway.folder.with_name("again.log"))
    assert site.answer() == "https://one.test/"
    assert f"{site.file}:1:" in gateway.process.text()


def test_threads(start_gateway: StartGateway, reactor: str) -> None:
    """Watching costs two threads that sleep."""
    gateway = start_gateway({})
    eventually(lambda: rests(gateway))
    assert len(os.listdir(f"/proc/{gateway.process.pid}/task")) <= 4


def rests(gateway: Twistd) -> bool:
    """Whether a second goes by in which it takes less than a tenth of a processor."""
    since, before = time.monotonic(), cpu(gateway)
    time.sleep(1)
    return cpu(gateway) - before < (time.monotonic() - since) / 10


def cpu(gateway: Twistd) -> float:
    fields = Path(f"/proc/{gateway.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_ten_thousand_reloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They leave memory and descriptors where they were."""
    served = Reloading(tmp_path, monkeypatch, a__com="proxy = 4000", b__com='redirect = "https://b.test"')
    reload_often(served, 100)
    before = held()
    reload_often(served, 10_000)
    grown = [now - then for now, then in zip(held(), before, strict=True)]
    assert max(grown) < 2000, grown  # one object left by each reload would be 10,000
    assert grown[2] <= 0


def test_a_thousand_sites(tmp_path: Path) -> None:
    """A folder of 1,000 sites is read in under three seconds of CPU; one changed file reads only itself."""
    for number in range(1000):
        text = f'canonical = "www"\nphoenix = {4000 + number}\nslash = "strip"\n[redirects]\n"/old" = "/new"\n'
        (tmp_path / f"s{number}.test.toml").write_text(text + '[routes]\n"/docs/*" = { proxy = 5000 }\n')
    folder = SiteFolder(tmp_path, {}, lambda: 2**62)
    assert reading(folder) < 3 or any(reading(SiteFolder(tmp_path, {}, lambda: 2**62)) < 3 for _ in range(4))
    assert not any(draft.errors for draft in folder.drafts.values())
    (tmp_path / "s1.test.toml").write_text("proxy = 1")
    assert sum(1 for _ in folder.refresh()) == 1


def reading(folder: SiteFolder) -> float:
    """The CPU time that reading its 1,000 sites takes; as others use the processor too, more at some times."""
    before = time.process_time()
    assert sum(1 for _ in folder.refresh()) == 1000
    return time.process_time() - before
