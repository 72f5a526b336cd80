from __future__ import annotations

from pathlib import Path

import pytest
from twisted.python.usage import UsageError

from gateway import reactor
from gateway.options import Options


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    monkeypatch.setattr(reactor, "install", lambda: calls.append("installed"))
    return calls


@pytest.mark.parametrize("option", ["-c", "--config"])
def test_folder(tmp_path: Path, installed: list[str], option: str) -> None:
    """The folder is known by its absolute path, and the reactor is installed once the options are read."""
    options = Options()
    options.parseOptions([option, str(tmp_path)])
    assert options.folder == tmp_path
    assert installed == ["installed"]


def test_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without -c the folder is `sites` here."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sites").mkdir()
    options = Options()
    options.parseOptions([])
    assert options.folder == tmp_path / "sites"


def test_missing_folder(tmp_path: Path, installed: list[str]) -> None:
    """A folder that is not there is named, and no reactor is installed."""
    with pytest.raises(UsageError, match="there is no folder"):
        Options().parseOptions(["-c", str(tmp_path / "none")])
    assert installed == []


def test_unknown_argument(tmp_path: Path) -> None:
    """Arguments that mean nothing are refused."""
    with pytest.raises(UsageError):
        Options().parseOptions(["-c", str(tmp_path), "extra"])
