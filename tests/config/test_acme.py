"""The table `[acme]` of gateway.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.loader import load


def acme(folder: Path, text: str, **environ: str):
    (folder / "gateway.toml").write_text(f"[acme]\n{text}")
    return load(folder, environ)


def test_defaults(tmp_path: Path) -> None:
    """Without `email` or `agree` nobody is asked; with one of them the challenges that need nothing are used."""
    config = acme(tmp_path, "").config
    assert config is not None
    assert not config.acme.enabled
    config = acme(tmp_path, 'email = "a@example.org"\n').config
    assert config is not None
    assert config.acme.enabled
    assert config.acme.chosen_challenges == ("http-01", "tls-alpn-01")
    config = acme(tmp_path, "agree = true\n").config
    assert config is not None
    assert config.acme.enabled


def test_commands(tmp_path: Path) -> None:
    """A command is a program or a list; a path is relative to the file, a bare name is looked up in PATH."""
    config = acme(tmp_path, 'dns_hook = "./hook.sh"\nalarm_hook = ["mail", "-s", "./x"]\n').config
    assert config is not None
    assert config.acme.dns_hook == (f"{tmp_path}/hook.sh",)
    assert config.acme.alarm_hook == ("mail", "-s", "./x")
    assert config.acme.chosen_challenges == ("http-01", "tls-alpn-01", "dns-01")


def test_external_account(tmp_path: Path) -> None:
    """The key of an external account comes from where secrets are, and is shown nowhere."""
    config = acme(tmp_path, 'eab = { kid = "kid-1", hmac = "env:KEY" }\n', KEY="c2VjcmV0").config
    assert config is not None
    assert config.acme.eab is not None
    assert config.acme.eab.hmac == "c2VjcmV0"
    assert "c2VjcmV0" not in repr(config)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('challenges = ["dns-01"]', "dns_hook"),
        ('challenges = ["http-02"]', "http-01"),
        ('directory = "http://ca"', "https:// URL"),
        ('staging = "nowhere"', "https:// URL"),
        ('alarm_webhook = "ftp://x"', "http:// or https:// URL"),
        ("dns_hook = 5", "list"),
        ('dns_hook = [""]', "a program"),
        ('eab = { kid = "x" }', "missing"),
        ('eab = { kid = "x", hmac = "not base64!" }', "hmac"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, said: str) -> None:
    """Mistakes are told with their line."""
    errors = acme(tmp_path, f"{text}\n").errors
    assert len(errors) == 1
    assert errors[0].line == 2 or "dns_hook" in said
    assert said in errors[0].message or said in errors[0].key, errors[0].message
