"""Certificates from Debian's Pebble, by the real `twistd gateway`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from gateway.tls.names import authority_folder
from gateway.tls.store import DirectoryStore
from tests.support import pebble
from tests.support.pebble import Pebble
from tests.support.ports import HOST, free_port
from tests.support.twistd import REACTORS, Twistd
from tests.support.waiting import PATIENCE, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not pebble.AVAILABLE, reason="needs Debian's package pebble")]

SITE = 'redirect = "https://elsewhere.example.org"\n'
_Found = TypeVar("_Found")


class Installation:
    """A gateway with a Pebble beside it."""

    def __init__(
        self,
        folder: Path,
        reactor: str,
        *,
        plain: bool = True,
        settings: str = "",
        lifetime: int = 0,
        workers: int = 1,
    ) -> None:
        self.folder = folder
        self.http, self.tls = free_port(), free_port()
        self.pebble = Pebble(folder / "pebble", self.http if plain else free_port(), self.tls, lifetime=lifetime)
        acme = {"email": "me@example.org", "directory": self.pebble.directory, "ca_file": str(self.pebble.ca_file)}
        text = (
            f"workers = {workers}\n[acme]\n"
            + "".join(f"{key} = {json.dumps(value)}\n" for key, value in acme.items())
            + settings
        )
        self.gateway = Twistd(folder, {}, reactor=reactor, port=self.http, settings=text, https=[f"{HOST}:{self.tls}"])

    @property
    def store(self) -> DirectoryStore:
        return DirectoryStore(self.folder / "state" / "acme" / authority_folder(self.pebble.directory))

    def drop(self, name: str, settings: str = "") -> None:
        (self.gateway.folder / f"{name}.toml").write_text(settings + SITE)

    def wait_for(self, found: Callable[[], _Found | None]) -> _Found:
        """Wait for what an order brings.

        Pebble looks for the answer to a challenge for five seconds only; after an order that failed because it was not
        there in time, the gateway tries again in about a minute.
        """
        try:
            return eventually(found)
        except AssertionError:
            return eventually(found, lambda: f"\n{self.gateway.process.text()}\n{self.pebble.log}")


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    started: list[Installation] = []

    def start(reactor: str, **options: object) -> Installation:
        started.append(Installation(tmp_path, reactor, **options))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for each in started:
        try:
            each.gateway.stop()
        finally:
            each.pebble.stop()


@pytest.mark.parametrize("reactor", REACTORS)
def test_site_file_is_all_it_takes(install: Callable[..., Installation], reactor: str) -> None:
    """A site file that is dropped into the folder gets a certificate by http-01, for each of its names."""
    one = install(reactor)
    one.drop("app.example.org", 'hosts = ["app.example.net"]\n')
    for name in ("app.example.org", "app.example.net"):
        key = one.wait_for(lambda name=name: one.store.get(name))
        assert key.names == (name,)
    assert one.wait_for(lambda: one.store.state("app.example.org").challenge) == "http-01"


def test_wildcard_by_hook(install: Callable[..., Installation], tmp_path: Path) -> None:
    """A wildcard gets a certificate by dns-01, its records published by the operator's command."""
    hook = tmp_path / "hook.py"
    hook.write_text(
        "import json, os, sys, urllib.request\n"
        "action, name, value = sys.argv[1:]\n"
        "place = 'set-txt' if action == 'add' else 'clear-txt'\n"
        "body = {'host': name + '.', 'value': value} if action == 'add' else {'host': name + '.'}\n"
        "url = open(os.path.join(os.path.dirname(__file__), 'dns')).read() + '/' + place\n"
        f"urllib.request.urlopen(url, json.dumps(body).encode(), {PATIENCE})\n"
        "open(os.path.join(os.path.dirname(__file__), 'calls'), 'a').write(action + ' ' + name + '\\n')\n"
    )
    command = [sys.executable, str(hook)]
    one = install("uvloop", settings=f"dns_hook = {json.dumps(command)}\n")
    (tmp_path / "dns").write_text(one.pebble.dns)
    (one.gateway.folder / "_wildcard.example.org.toml").write_text(SITE)
    key = one.wait_for(lambda: one.store.get("*.example.org"))
    assert key.names == ("*.example.org",)
    calls = (tmp_path / "calls").read_text
    eventually(lambda: calls().splitlines()[-1].startswith("remove "), calls)
    expected = ["add _acme-challenge.example.org", "remove _acme-challenge.example.org"]
    assert calls().splitlines()[-2:] == expected
