from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.tls.certificate import CertificateUnusable
from gateway.tls.own import OwnCertificates, OwnFiles, load_files
from gateway.tls.sni import ServerNames
from tests.support.certificates import Authority

AUTHORITY = Authority("ca.example")


def files(folder: Path, *hosts: str, site: str = "app.example") -> OwnFiles:
    return OwnFiles(site, str(folder / f"{site}.pem"), str(folder / f"{site}.key"), hosts or (site,))


def age(folder: Path, seconds: int) -> None:
    """Give the files another time, as a later write would."""
    for path in folder.iterdir():
        os.utime(path, (seconds, seconds))


def test_shown_to_those_it_is_for(tmp_path: Path) -> None:
    """A certificate is shown for those names of its site that it covers, and by the default site to the nameless."""
    AUTHORITY.write(tmp_path, "app.example", "*.apps.example")
    names = ServerNames()
    own = OwnCertificates(names)
    own.use([files(tmp_path, "app.example", "www.app.example", "*.apps.example", "")])
    assert [name for name in ("app.example", "www.app.example", "a.apps.example", "") if names.find(name)] == [
        "app.example",
        "a.apps.example",
        "",
    ]
    assert names.has_renewed("app.example")
    assert own.paths == {str(tmp_path / "app.example.pem"), str(tmp_path / "app.example.key")}


def test_read_again_when_changed(tmp_path: Path) -> None:
    """Changed files are read again; those as before are not, and broken ones leave what there was."""
    AUTHORITY.write(tmp_path, "app.example")
    names = ServerNames()
    own = OwnCertificates(names)
    own.use([files(tmp_path)])
    first = names.find("app.example")
    own.refresh()
    assert names.find("app.example") is first
    AUTHORITY.write(tmp_path, "app.example")
    age(tmp_path, 1000)
    own.refresh()
    second = names.find("app.example")
    assert second is not None
    assert first is not None
    assert second.serial != first.serial
    (tmp_path / "app.example.key").write_bytes(b"half a file")
    age(tmp_path, 2000)
    own.refresh()
    assert names.find("app.example") is second
    (tmp_path / "app.example.key").unlink()
    own.refresh()
    assert names.find("app.example") is second


def test_names_lost(tmp_path: Path, said: list[str]) -> None:
    """A name that the new certificate does not cover, or whose site is gone, has none any more; the last one stays."""
    AUTHORITY.write(tmp_path, "app.example", "www.app.example")
    names = ServerNames()
    own = OwnCertificates(names)
    own.use([files(tmp_path, "app.example", "www.app.example")])
    assert names.has_certificate("www.app.example")
    AUTHORITY.write(tmp_path, "app.example")
    age(tmp_path, 1000)
    own.refresh()
    assert not names.has_certificate("www.app.example")
    before = names.find("app.example")
    AUTHORITY.write(tmp_path, "other.example")
    for kind in ("pem", "key"):
        (tmp_path / f"other.example.{kind}").replace(tmp_path / f"app.example.{kind}")
    own.refresh()
    assert names.find("app.example") is before
    assert (
        f"{tmp_path}/app.example.pem is for other.example, not for app.example; the one read before stays" in said[-1]
    )
    own.use([])
    assert not names.has_certificate("app.example")
    assert own.paths == frozenset()


def test_unreadable(tmp_path: Path) -> None:
    """The message names the file; a site whose certificate was never read shows none."""
    AUTHORITY.write(tmp_path, "app.example")
    (tmp_path / "app.example.key").write_bytes(b"")
    with pytest.raises(CertificateUnusable, match=r"app\.example\.key: no PEM private key can be read"):
        load_files(str(tmp_path / "app.example.pem"), str(tmp_path / "app.example.key"))
    with pytest.raises(CertificateUnusable, match=r"none\.pem cannot be read: No such file"):
        load_files(str(tmp_path / "none.pem"), str(tmp_path / "app.example.key"))
    names = ServerNames()
    OwnCertificates(names).use([files(tmp_path)])
    assert not names.has_certificate("app.example")
