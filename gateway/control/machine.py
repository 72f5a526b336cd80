"""What can be seen of the machine while checking: files, and who listens."""

from __future__ import annotations

import glob
import os
import socket
from pathlib import Path

from gateway.units import Seconds
from gateway.upstream.address import UpstreamAddress

_CONNECT_TIME = Seconds(1)  # local apps answer in a millisecond; a check may not hang for far ones
_LISTEN = "0A"  # TCP_LISTEN, linux/include/net/tcp_states.h


class Machine:
    """The machine that the check runs on.

    Args:
        proc: Where the kernel shows its sockets.
    """

    def __init__(self, proc: Path = Path("/proc/net")) -> None:
        self._proc = proc

    def has_folder(self, path: str) -> bool:
        """Tell whether a folder is there; `path` may be a pattern."""
        return any(os.path.isdir(each) for each in glob.iglob(path))

    def has_file(self, path: str) -> bool:
        """Tell whether a file is there."""
        return os.path.isfile(path)

    def listens(self, upstream: UpstreamAddress) -> bool:
        """Tell whether somebody accepts connections at an address."""
        family = socket.AF_UNIX if upstream.path else socket.AF_INET
        try:
            if family == socket.AF_UNIX:
                with socket.socket(family) as probe:
                    probe.settimeout(_CONNECT_TIME)
                    probe.connect(upstream.path)
            else:
                socket.create_connection((upstream.host, upstream.port), _CONNECT_TIME).close()
        except OSError:
            return False
        return True

    def open_ports(self) -> frozenset[int]:
        """List the ports that are listened on at all addresses, where the kernel tells (Linux)."""
        ports = set()
        for name in ("tcp", "tcp6"):
            try:
                lines = (self._proc / name).read_text().splitlines()[1:]
            except OSError:
                continue
            for line in lines:
                _, local, _, state, *_ = line.split()
                address, _, port = local.partition(":")
                if state == _LISTEN and not address.strip("0"):
                    ports.add(int(port, 16))
        return frozenset(ports)
