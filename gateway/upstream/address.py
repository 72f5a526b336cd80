"""Where an upstream listens, in the short forms that people write."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import IPv6Address
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from gateway.settings import beside_file


@dataclass(frozen=True, slots=True)
class UpstreamAddress:
    """One upstream.

    Attributes:
        host: Name or IP address, looked up per connection; empty for a UNIX socket.
        port: TCP port; 0 for a UNIX socket.
        path: Path of a UNIX socket, in a site file relative to that file; empty otherwise.
        tls: Whether to speak HTTPS to it.
    """

    host: str = ""
    port: int = 0
    path: str = ""
    tls: bool = False

    @property
    def name(self) -> str:
        """The address as log lines and metrics show it."""
        if self.path:
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https://' if self.tls else ''}{host}:{self.port}"


def parse_address(value: int | str) -> UpstreamAddress:
    """Read `4000`, `"host:port"`, `"unix:/run/app.sock"`, `"http://host[:port]"` or `"https://host[:port]"`.

    Raises:
        ValueError: It is none of these.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 < value < 65536:
            raise ValueError(f"a port is between 1 and 65535, got {value}")
        return UpstreamAddress("127.0.0.1", value)
    if isinstance(value, str):
        if value.isascii() and value.isdigit():
            return parse_address(int(value))
        if value.startswith("unix:") and len(value) > len("unix:") and "\0" not in value:
            return UpstreamAddress(path=value.removeprefix("unix:"))
        found = _HOST_PORT.fullmatch(value)
        if found and (found["port"] or found["scheme"]):
            tls = found["scheme"] == "https://"
            port = int(found["port"] or (443 if tls else 80))
            with suppress(ValueError):
                host = str(IPv6Address(found["six"])) if found["six"] else found["name"]
                if 0 < port < 65536:
                    return UpstreamAddress(host, port, tls=tls)
    raise ValueError(f'expected a port, "host:port", "unix:/path" or "https://host", got {value!r}')


def _read(value: Any, info: ValidationInfo) -> Any:
    address = value if isinstance(value, UpstreamAddress) else parse_address(value)
    return replace(address, path=beside_file(address.path, info))


Upstream = Annotated[
    UpstreamAddress,
    BeforeValidator(_read),
    WithJsonSchema({"type": ["integer", "string"], "description": 'Port, "host:port", "unix:/path" or "https://host"'}),
]

_LABEL = r"[A-Za-z0-9_-]{1,63}"
_HOST = rf"(?P<name>{_LABEL}(?:\.{_LABEL})*\.?)|\[(?P<six>[0-9A-Fa-f:.]+)\]"
_HOST_PORT = re.compile(rf"(?P<scheme>https?://)?(?:{_HOST})(?::(?P<port>\d{{1,5}}))?/?", re.ASCII)
