"""Texts that stand elsewhere: `env:NAME`, `file:PATH` and systemd's `credential:NAME`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.config.positions import KeyPath
from gateway.settings import Secret
from gateway.units import ByteCount

MAX_SECRET = ByteCount(65_536)
"""Octets of a file taken as a setting; keys and tokens are far smaller."""

SCHEMES = ("env:", "file:", "credential:")


@dataclass(frozen=True, slots=True)
class Resolved:
    """Data with its references replaced.

    Attributes:
        data: The data; texts from elsewhere are `Secret`.
        references: The reference that stood at each key path.
        missing: What could not be found: key path and sentence.
    """

    data: dict[str, object]
    references: dict[KeyPath, str] = field(default_factory=dict)
    missing: list[tuple[KeyPath, str]] = field(default_factory=list)


def resolve(
    data: Mapping[str, object],
    folder: str,
    environ: Mapping[str, str],
    skip: Callable[[KeyPath], bool],
) -> Resolved:
    """Replace all references in parsed TOML.

    Args:
        data: Parsed TOML; stays as it is.
        folder: What relative paths start from.
        environ: The environment.
        skip: Tells which key paths to leave alone.
    """
    resolved = Resolved({})

    def walk(value: object, path: KeyPath) -> object:
        if skip(path):
            return value
        if isinstance(value, dict):
            return {key: walk(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [walk(inner, (*path, index)) for index, inner in enumerate(value)]
        if not isinstance(value, str) or not value.startswith(SCHEMES):
            return value
        resolved.references[path] = value
        try:
            return Secret(look_up(value, folder, environ), value)
        except LookupError as error:
            resolved.missing.append((path, str(error.args[0])))
            return Secret("", value)

    for key, value in data.items():
        resolved.data[key] = walk(value, (key,))
    return resolved


def look_up(reference: str, folder: str, environ: Mapping[str, str]) -> str:
    """Find what a reference stands for; a final line end of a file is dropped.

    Raises:
        LookupError: It is not there; the message never holds the value.
    """
    scheme, _, name = reference.partition(":")
    if not name:
        raise LookupError(f"nothing stands behind `{scheme}:`")
    if scheme == "env":
        value = environ.get(name)
        if value is None:
            raise LookupError(f"the environment variable {name} is not set")
        return value
    if scheme == "credential":
        credentials = environ.get("CREDENTIALS_DIRECTORY")
        if credentials is None:
            raise LookupError("no systemd credentials: $CREDENTIALS_DIRECTORY is not set")
        if "/" in name or name in (".", ".."):
            raise LookupError(f"no name of a credential: {name}")
        return _read(os.path.join(credentials, name))
    return _read(os.path.join(folder, name))


def _read(path: str) -> str:
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as stream:
            octets = stream.read(MAX_SECRET + 1)
    except OSError as error:
        raise LookupError(f"the file {path} cannot be read: {error.strerror}") from None
    if len(octets) > MAX_SECRET:
        raise LookupError(f"the file {path} is larger than {MAX_SECRET} octets")
    try:
        return octets.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise LookupError(f"the file {path} is not UTF-8") from None
