from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.config.source import MAX_SIZE, Origin, Source, dotted
from gateway.errors import ConfigError


def test_finds_the_way_that_a_setting_was_written() -> None:
    """Keys that a short form leaves out or decorates do not hide the place; the last part counts most."""
    source = Source(Path("a.toml"), 'proxy = [1, 2]\n[headers]\n"+X" = 1\n[routes]\n"/a" = { proxy = 1, strip = 1 }\n')
    assert source.find(("proxy", "to", 1)) == ("proxy", 1)
    assert source.find(("headers", "add", "X")) == ("headers", "+X")
    assert source.find(("routes", "/a", "proxy", "strip")) == ("routes", "/a", "strip")
    assert source.find(("routes", "/a", "proxy", "to", 0)) == ("routes", "/a", "proxy")
    assert source.find(("slash",)) == ()


def test_dotted_writes_a_path_as_toml_does() -> None:
    """A key path reads like TOML, quoted where it must be."""
    assert dotted(("routes", '/a\\b"', "to", 0)) == 'routes."/a\\\\b\\"".to[0]'


def test_line_ends_of_windows_are_read() -> None:
    """CRLF changes no position."""
    source = Source(Path("a.toml"), "a = 1\r\nb = 2\r\n")
    assert source.error("x", ("b",)).place == "a.toml:2:5"
    assert source.origin(("b",)) == Origin("a.toml", 2, 1, "b", "b = 2")
    assert str(source.origin(("b",))) == "a.toml:2 b"
    assert str(source.origin(("c",))) == "a.toml"


def test_octets_that_are_not_utf8_are_found(tmp_path: Path) -> None:
    """A file in another encoding is refused at the first wrong octet."""
    file = tmp_path / "a.toml"
    file.write_bytes(b"a = 1\nb = '\xe9'\n")
    with pytest.raises(ConfigError, match="is not UTF-8: octet 0xe9") as caught:
        Source.read(file)
    assert (caught.value.line, caught.value.column) == (2, 6)


def test_a_file_that_is_missing_or_a_folder_or_too_large_is_refused(tmp_path: Path) -> None:
    """What cannot be a site file is refused with the reason."""
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        Source.read(tmp_path / "a.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        Source.read(tmp_path)
    (tmp_path / "b.toml").write_bytes(b"#" * (MAX_SIZE + 1))
    with pytest.raises(ConfigError, match="is larger than 1000000 octets"):
        Source.read(tmp_path / "b.toml")


def test_a_fifo_does_not_hang(tmp_path: Path) -> None:
    """A FIFO named like a site file is refused, and nobody waits for its writer, who may have opened it."""
    os.mkfifo(tmp_path / "a.toml")
    with pytest.raises(ConfigError, match="is no regular file"):
        Source.read(tmp_path / "a.toml")
    descriptor = os.open(tmp_path / "a.toml", os.O_RDWR)
    with pytest.raises(ConfigError, match="is no regular file"):
        Source.read(tmp_path / "a.toml")
    os.close(descriptor)


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    """What Windows editors put before a file changes neither its meaning nor a position."""
    file = tmp_path / "a.toml"
    file.write_bytes(b"\xef\xbb\xbfa = 1\n")
    source = Source.read(file)
    assert source.data == {"a": 1}
    assert source.error("x", ("a",)).column == 5


@pytest.mark.parametrize(
    "text",
    [
        f"a = {'[' * 5000}{']' * 5000}",
        f"a = {'[' * 40}{']' * 40}",
        f"[{'.'.join('a' * 900)}]",
        f"{'.'.join('a' * 5000)} = 1",
    ],
)
def test_senseless_depths_are_refused(text: str) -> None:
    """A file cannot make those that read it run out of stack."""
    with pytest.raises(ConfigError, match="nested too deeply"):
        Source(Path("a.toml"), text)


def test_nesting_without_end_is_refused() -> None:
    """A file that nests too deeply is an error, not a crash."""
    with pytest.raises(ConfigError, match="nested too deeply"):
        Source(Path("a.toml"), "a = " + "[" * 5000 + "]" * 5000)


def test_an_error_at_the_end_of_the_document_has_a_place() -> None:
    """Where tomllib names no line, the end of the file is meant."""
    with pytest.raises(ConfigError, match="no valid TOML") as caught:
        Source(Path("a.toml"), "a = 1\nb = '''x")
    assert caught.value.place == "a.toml:2:9"
    assert caught.value.source_line == "b = '''x"
