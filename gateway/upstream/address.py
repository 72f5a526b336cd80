"""Where an upstream listens, in the short forms that people write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema


@dataclass(frozen=True, slots=True)
class UpstreamAddress:
    """One upstream.

    Attributes:
        host: Name or IP address, looked up per connection; empty for a UNIX socket.
        port: TCP port; 0 for a UNIX socket.
        path: Path of a UNIX socket; empty otherwise.
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
        if value.startswith("unix:") and len(value) > len("unix:"):
            return UpstreamAddress(path=value.removeprefix("unix:"))
        found = _HOST_PORT.fullmatch(value)
        if found and (found["port"] or found["scheme"]):
            tls = found["scheme"] == "https://"
            port = int(found["port"] or (443 if tls else 80))
            if 0 < port < 65536:
                return UpstreamAddress(found["host"].strip("[]"), port, tls=tls)
    raise ValueError(f'expected a port, "host:port", "unix:/path" or "https://host", got {value!r}')


def _read(value: Any) -> Any:
    return value if isinstance(value, UpstreamAddress) else parse_address(value)


Upstream = Annotated[
    UpstreamAddress,
    BeforeValidator(_read),
    WithJsonSchema({"type": ["integer", "string"], "description": 'Port, "host:port", "unix:/path" or "https://host"'}),
]

_HOST_PORT = re.compile(
    r"(?P<scheme>https?://)?(?P<host>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?/?", re.ASCII
)
