from __future__ import annotations

import io
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from gateway import FORM
from gateway.control import cli
from gateway.control.cli import main


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`gateway --version` names program, version, and which form of the hot modules runs."""
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"gateway {version('gateway')}, {FORM}\n"


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that is missing or unknown is wrong usage, status 2."""
    for arguments in ([], ["frobnicate"]):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert left.value.code == 2
        assert "usage: gateway" in capsys.readouterr().err


def test_commands_that_wait(capsys: pytest.CaptureFixture[str]) -> None:
    """A command of a later version says so, and what serves until then."""
    assert main(["explain", "http://example.com/"]) == 2
    assert capsys.readouterr().err == ("gateway: `explain` is not yet supported; it will come with a later version\n")
    assert main(["reload"]) == 2
    assert "SIGHUP" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_names_that_the_terminal_cannot_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """Letters that are not of the terminal's encoding, or of none, are escaped and end nothing."""
    for name in (b"b\xfc.com.toml", "bücher.com.toml".encode(), b"b\n.com.toml"):
        Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).write_text('phoenix = "ü"\n', "utf-8")
    for arguments in (["check", str(tmp_path)], ["check", "--json", str(tmp_path)]):
        output = io.TextIOWrapper(io.BytesIO(), encoding)
        monkeypatch.setattr(sys, "stdout", output)
        assert main(arguments) == 1
        output.seek(0)
        shown = output.read()
        assert "b\\udcfc.com.toml" in shown
        assert "b\\n.com.toml" in shown
    assert len(json.loads(shown)["findings"]) == 3


def test_check_of_a_good_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0 and a summary where nothing is wrong; warnings change neither."""
    (tmp_path / "a.com.toml").write_text('redirect = "https://example.org/x"\nmaintenance = "gone.html"\n')
    assert main(["check", str(tmp_path)]) == 0
    assert capsys.readouterr().out == (
        f"{tmp_path}/a.com.toml:2:1: warning: there is no file {tmp_path}/gone.html\n"
        '    maintenance = "gone.html"\n    ^\n\n'
        f"{tmp_path}: 1 of 1 sites can be served; 0 errors, 1 warning\n"
    )


def test_check_of_a_bad_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1 and every error where one is wrong."""
    (tmp_path / "a.com.toml").write_text("phoenx = 4000\n")
    assert main(["check", str(tmp_path)]) == 1
    assert capsys.readouterr().out == (
        f"{tmp_path}/a.com.toml:1:1: unknown key `phoenx`\n    phoenx = 4000\n    ^\n    did you mean `phoenix`?\n\n"
        f"{tmp_path}: 0 of 1 sites can be served; 1 error, 0 warnings\n"
    )


def test_check_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints the same as data."""
    (tmp_path / "a.com.toml").write_text("phoenx = 4000\n")
    assert main(["check", "--json", str(tmp_path)]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["ok"] is False
    assert [(each["severity"], each["line"], each["suggestion"]) for each in printed["findings"]] == [
        ("error", 1, "phoenix")
    ]


def test_check_of_the_usual_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder is named with `-c`, as for every command, or alone; it is `sites` else. None there is an error."""
    monkeypatch.chdir(tmp_path)
    assert main(["check", "-c", "other"]) == 1
    assert capsys.readouterr().out.startswith("other: cannot be read")
    assert main(["check", "more"]) == 1
    assert capsys.readouterr().out.startswith("more: cannot be read")
    assert main(["check"]) == 1
    assert capsys.readouterr().out.startswith("sites: cannot be read: No such file or directory\n")


def test_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """`gateway schema` prints the schema of a site file or of gateway.toml."""
    assert main(["schema"]) == 0
    assert "phoenix" in json.loads(capsys.readouterr().out)["properties"]
    assert main(["schema", "--gateway"]) == 0
    assert "limits" in json.loads(capsys.readouterr().out)["properties"]


def test_a_reader_that_leaves_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """`gateway schema | head` ends without a traceback."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", buffering=1) as output:
        monkeypatch.setattr(sys, "stdout", output)
        assert cli.main(["schema"]) == 1
