from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.loader import load
from gateway.config.secrets import MAX_SECRET, look_up, resolve

SECRET = "tops3cret-tops3cret"


def test_references_are_replaced_anywhere(tmp_path: Path) -> None:
    """A text from the environment, a file or systemd's credentials may stand for any text, also within lists."""
    (tmp_path / "token").write_text("from file\n")
    (tmp_path / "cred").write_text("from systemd")
    environ = {"A": "from env", "CREDENTIALS_DIRECTORY": str(tmp_path)}
    data = {"a": "env:A", "b": {"c": ["file:token", 1, "plain"]}, "d": "credential:cred", "e": "env:NOWHERE"}
    resolved = resolve(data, str(tmp_path), environ, lambda path: path == ("e",))
    assert resolved.data == {
        "a": "from env",
        "b": {"c": ["from file", 1, "plain"]},
        "d": "from systemd",
        "e": "env:NOWHERE",
    }
    assert resolved.references[("b", "c", 0)] == "file:token"
    assert data["a"] == "env:A"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("env:NOWHERE", "the environment variable NOWHERE is not set"),
        ("env:", "nothing stands behind `env:`"),
        ("file:nowhere", "nowhere cannot be read: No such file or directory"),
        ("credential:../x", "no name of a credential"),
        ("credential:..", "no name of a credential"),
        ("file:large", "is larger than 65536 octets"),
        ("file:binary", "is not UTF-8"),
    ],
)
def test_what_is_not_there_is_an_error(tmp_path: Path, reference: str, message: str) -> None:
    """A reference that leads nowhere says why."""
    (tmp_path / "large").write_bytes(b"x" * (MAX_SECRET + 1))
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(LookupError) as caught:
        look_up(reference, str(tmp_path), {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert message in str(caught.value)
    missing = resolve(
        {"a": reference}, str(tmp_path), {"CREDENTIALS_DIRECTORY": str(tmp_path)}, lambda path: False
    ).missing
    assert len(missing) == 1
    assert message in missing[0][1]


@pytest.mark.parametrize(
    "source",
    [
        'phoenix = 1\nmax_body = "env:S"\n',
        'phoenix = 1\ncanonical = "env:S"\n',
        'phoenix = 1\nhosts = ["env:S"]\n',
        'phoenix = "env:S"\n',
        'redirect = "env:S"\n',
        'phoenix = 1\n[redirects]\n"/a" = "env:S"\n',
        'phoenix = { to = 1, idle_timeout = "env:S" }\n',
        'phoenix = { to = 1, strip = "env:S" }\n',
        'phoenix = 1\n[headers]\nX-A = "env:S"\nremove = ["env:S"]\n',
        'phoenix = 1\n[headers]\nX-A = "env:T"\n',
        'phoenix = 1\nsecurity_txt = "env:S"\n',
    ],
)
def test_no_error_shows_a_secret(tmp_path: Path, source: str) -> None:
    """However wrong a secret is for its place, the error names its reference and never its value."""
    (tmp_path / "a.com.toml").write_text(source)
    loaded = load(tmp_path, {"S": SECRET + " ", "T": f"{SECRET}\n{SECRET}"})
    assert loaded.errors
    shown = repr(loaded) + repr([vars(error) for error in loaded.errors])
    assert SECRET not in shown
    assert "env:" in shown


def test_no_repr_shows_a_secret(tmp_path: Path) -> None:
    """A secret header value is used, but whoever prints the settings sees its reference."""
    (tmp_path / "a.com.toml").write_text('phoenix = 1\n[request_headers]\nAuthorization = "env:S"\n')
    loaded = load(tmp_path, {"S": SECRET})
    (site,) = loaded.sites
    assert site.locations[0].request_headers[0].set["Authorization"] == SECRET
    assert SECRET not in repr(loaded)
    assert "<env:S>" in repr(loaded)
