"""What contenders are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.certificate import Certificate
from benchmarks.contenders import CONTENDERS
from benchmarks.contenders.base import ADDED_FIELDS, SITES, Task

_WRITTEN = {"nginx": "nginx.conf", "caddy": "caddy.json", "gateway": f"sites/{SITES[6]}.toml"}


def _configuration(name: str, folder: Path, static: Path | None) -> str:
    keys = Certificate(folder / "cert.pem", folder / "key.pem", folder / "both.pem")
    CONTENDERS[name].prepare(Task(folder, port=4001, tls_port=4003, certificate=keys, backend=4002, static=static))
    return (folder / _WRITTEN[name]).read_text()


@pytest.mark.parametrize("name", _WRITTEN)
def test_static_sites_have_a_folder_each_and_no_application(name: str, tmp_path: Path) -> None:
    """Each site serves the folder of its own name, and nothing leads to an application."""
    text = _configuration(name, tmp_path, Path("/files"))
    assert f"/files/{SITES[6]}" in text
    assert not any(word in text for word in ("proxy_pass", "reverse_proxy", "proxy = "))


@pytest.mark.parametrize("name", _WRITTEN)
def test_applications_have_no_folder(name: str, tmp_path: Path) -> None:
    """Without static sites, every site is an application and nothing is said of how long answers are kept."""
    text = _configuration(name, tmp_path, None)
    assert "4002" in text
    assert "max-age" not in text
    assert SITES[6] in text or name == "gateway"


@pytest.mark.parametrize("static", [None, Path("/files")])
@pytest.mark.parametrize("name", _WRITTEN)
def test_fields_are_added_in_either_case(name: str, static: Path | None, tmp_path: Path) -> None:
    """The same security fields are added to files and to answers of applications."""
    text = _configuration(name, tmp_path, static)
    assert all(field in text and value in text for field, value in ADDED_FIELDS.items())
