"""When reloads happen, and what the log says of them."""

from __future__ import annotations

import dataclasses
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config.loader import Draft
from gateway.config.model import GatewayConfig
from gateway.config.watch import LOOK
from gateway.reload import ONLY_AT_START
from gateway.sites import SiteTable
from tests.support.reloading import Reloading
from tests.support.served import OK

TO_B = "redirect = 'https://b.test'"
TO_C = "redirect = 'https://c.test'"


@pytest.fixture
def patch(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    return monkeypatch


def test_each_setting_takes_effect_or_waits() -> None:
    """No setting of gateway.toml is forgotten: it is put into effect at once, or the log says that it waits."""
    at_once = {"trusted_proxies", "client_ip_header", "log", "limits"}
    assert at_once | set(ONLY_AT_START) == {each.name for each in dataclasses.fields(GatewayConfig)}
    assert not at_once & set(ONLY_AT_START)


def test_files_settle_before_they_are_read(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """Nothing is read while writing goes on; it is read 300 ms after that."""
    served = Reloading(tmp_path, patch)
    for text in ("redirect = 'https:", TO_B):
        served.put(a__com=text)
        served.reloader.touch()
        served.reactor.advance(0.2)
        assert served.status("a.com") == 404
    served.reactor.advance(0.1)
    served.reactor.work()
    assert served.location("a.com") == b"https://b.test/"


@pytest.mark.parametrize("writing", ["once", "on and on"])
def test_a_change_is_served_within_two_seconds(tmp_path: Path, patch: pytest.MonkeyPatch, writing: str) -> None:
    """Also one that is noticed as late as can be, and while files are written all the time."""
    served = Reloading(tmp_path, patch)
    served.put(a__com=TO_B)
    served.reactor.advance(LOOK)
    served.reloader.touch()
    while served.status("a.com") == 404:
        served.reactor.advance(0.125)
        assert served.reactor.seconds() <= 2
        if writing == "on and on":
            served.reloader.touch()
        served.reactor.work()


def test_a_reload_that_is_asked_for_comes_at_once(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """It waits for nothing, and fires once the change is served."""
    served = Reloading(tmp_path, patch)
    served.put(a__com=TO_B)
    done = served.reloader.reload()
    served.reactor.work()
    assert done.called
    assert served.location("a.com") == b"https://b.test/"


def test_a_reload_during_a_reload(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """What changes while files are read is served by one more round, whose end is told."""
    served = Reloading(tmp_path, patch)
    served.put(a__com=TO_B)
    first = served.reloader.reload()
    served.put(b__com=TO_B)
    others = [served.reloader.reload(), served.reloader.reload()]
    assert not first.called
    served.reactor.work()
    assert all(done.called for done in (first, *others))
    assert [served.location(host) for host in ("a.com", "b.com")] == [b"https://b.test/"] * 2


def test_the_reactor_works_during_a_reload(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """Many files are read in several rounds of the reactor, and swapped in all at once."""
    served = Reloading(tmp_path, patch)
    served.put(**{f"s{number}__com": TO_B for number in range(200)})
    done = served.reloader.reload()
    meanwhile: list[int] = []

    def work() -> None:
        if not done.called:
            meanwhile.append(served.status("s0.com"))
            served.reactor.callLater(0, work)

    work()
    served.reactor.work()
    assert len(meanwhile) > 2
    assert set(meanwhile) == {404}
    assert [served.status(host) for host in ("s0.com", "s199.com")] == [308, 308]


def test_hanging_up_reads_everything(tmp_path: Path, patch: pytest.MonkeyPatch, said: list[str]) -> None:
    """SIGHUP reads also files that look the same, for what they refer to may have changed."""
    (tmp_path / "secret").write_text("one")
    served = Reloading(tmp_path, patch, a__com="proxy = 4000\nrequest_headers = { X-Key = 'file:secret' }")
    (tmp_path / "secret").write_text("two")
    served.change()
    assert b"X-Key: one" in served.forwarded("127.0.0.1:4000", "a.com")
    served.reloader.hang_up()
    served.reactor.work()
    served.endpoints["127.0.0.1:4000"].last.receive(OK)
    assert b"X-Key: two" in served.forwarded("127.0.0.1:4000", "a.com")
    assert f"SIGHUP: reading all of {tmp_path}" in said


def test_nothing_is_reloaded_after_the_stop(tmp_path: Path, patch: pytest.MonkeyPatch, said: list[str]) -> None:
    """Neither what was noticed before nor a reload under way goes on, and no timer stays."""
    for begin in ("touch", "reload"):
        served = Reloading(tmp_path, patch)
        served.put(a__com=TO_B)
        getattr(served.reloader, begin)()
        served.reloader.stop()
        served.reloader.touch()
        served.reloader.reload()
        served.reactor.advance(2)
        assert served.reactor.getDelayedCalls() == []
        assert served.status("a.com") == 404
        served.put(a__com=None)
    assert said == []


def test_what_the_log_says_of_sites(tmp_path: Path, patch: pytest.MonkeyPatch, said: list[str]) -> None:
    """A site that is served anew, one that goes on as it was, one that is refused, one that is gone: once each."""
    served = Reloading(tmp_path, patch)
    file = tmp_path / "a.com.toml"

    def news(**files: str | None) -> list[str]:
        said.clear()
        served.change(**files)
        return list(said)

    mistake = f"{file}:1:1: unknown key `redirec`"
    assert news(a__com="redirec = 1") == [mistake, f"{file} has errors: its hosts are answered 503"]
    assert news(b__com=TO_B) == ["serving b.com: b.com, www.b.com"]
    assert news(a__com=TO_B) == ["serving a.com: a.com, www.a.com"]
    assert news(a__com="redirec = 1") == [mistake, f"{file} has errors: its last good version is served"]
    assert news(a__com="\nredirec = 1") == [mistake.replace(":1:1:", ":2:1:")]
    assert news() == []
    assert news(a__com=None) == ["a.com is not served any more: its file was removed"]
    assert news(**{f"s{number}__com": TO_B for number in range(60)}) == ["serving 60 sites"]


def test_a_file_name_that_is_no_text(tmp_path: Path, patch: pytest.MonkeyPatch, said: list[str]) -> None:
    """A name in another encoding is told in letters that every log can hold."""
    Path(os.fsdecode(bytes(tmp_path) + b"/b\xfc.com.toml")).write_text(TO_B)
    Reloading(tmp_path, patch)
    told = [line for line in said if "b\\udcfc.com.toml" in line]
    assert len(told) == 2
    assert all(line.encode("utf-8") for line in told)


def test_a_folder_that_goes_and_comes_back(tmp_path: Path, patch: pytest.MonkeyPatch, said: list[str]) -> None:
    """Without the folder all sites go on; the log says so once."""
    sites = tmp_path / "sites"
    sites.mkdir()
    served = Reloading(sites, patch, a__com=TO_B)
    said.clear()
    sites.rename(tmp_path / "away")
    served.change()
    served.change()
    assert said == [f"{sites} cannot be read: No such file or directory: all sites go on as they are"]
    assert served.status("a.com") == 308
    (tmp_path / "away").rename(sites)
    served.change(a__com=TO_C)
    assert served.location("a.com") == b"https://c.test/"


def test_settings_of_the_gateway(tmp_path: Path, patch: pytest.MonkeyPatch, said: list[str]) -> None:
    """New settings are handed on once; those that need a restart are named as long as they differ from the start's."""
    served = Reloading(tmp_path, patch)
    file = tmp_path / "gateway.toml"
    served.change(gateway="[limits]\nkeep_alive = '5s'")
    assert said == [f"{file}: new settings are in effect"]
    served.change(a__com=TO_B)
    assert [config.limits.keep_alive for config in served.configured] == [5]
    said.clear()
    served.change(gateway="http = ['127.0.0.1:1']\nhttps = []")
    assert said == [f"{file}: http, https take effect after a restart, all else does now"]
    said.clear()
    served.change(gateway="limits = 1")
    assert f"{file} has errors: its settings from before stay in effect" in said
    assert len(served.configured) == 2


def test_a_bug_in_a_reload(tmp_path: Path, patch: pytest.MonkeyPatch, said: list[str]) -> None:
    """It leaves what is served as it is, is logged, and the next reload tries again."""
    served = Reloading(tmp_path, patch, a__com=TO_B)
    update = SiteTable.update

    def fail(table: SiteTable, drafts: dict[str, Draft]) -> Iterator[None]:
        yield
        raise ZeroDivisionError

    said.clear()
    patch.setattr(SiteTable, "update", fail)
    served.change(a__com=TO_C)
    assert served.location("a.com") == b"https://b.test/"
    assert said == ["a reload failed: what was not swapped in yet goes on as before"]
    patch.setattr(SiteTable, "update", update)
    served.change()
    assert served.location("a.com") == b"https://c.test/"


def test_reloads_leave_nothing_behind(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    """After hundreds of reloads of every kind there are as many objects and open files as before."""
    served = Reloading(tmp_path, patch, a__com="proxy = 4000", b__com=TO_B)
    reload_often(served, 20)
    before = held()
    reload_often(served, 400)
    _, objects, files = (now - then for now, then in zip(held(), before, strict=True))
    assert objects < 200
    assert files <= 0


def reload_often(served: Reloading, times: int) -> None:
    """Change, break, mend, add and remove sites of several kinds, so many reloads in all."""
    (served.path / "404.html").write_text("gone")
    kinds: list[dict[str, str | None]] = [
        {"a__com": "proxy = 4001\nslash = 'strip'\nassets = '.'\n[errors]\n404 = '404.html'"},
        {"a__com": "proxy = "},
        {"c__com": "static = '.'\nsecurity_txt = 'mailto:me@c.com'"},
        {"a__com": "proxy = 4000", "b__com": "hosts = ['c.com']"},
        {"b__com": TO_B, "c__com": None},
    ]
    for number in range(times):
        served.change(**kinds[number % len(kinds)])
        assert len(served.upstreams) == 1


def held() -> tuple[int, int, int]:
    """Blocks of memory, objects of the garbage collector, and open files."""
    gc.collect()
    return sys.getallocatedblocks(), len(gc.get_objects()), len(os.listdir("/proc/self/fd"))
