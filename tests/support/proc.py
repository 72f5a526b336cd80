"""What Linux tells of processes in /proc: whom they started, what they have open, whose a connection is."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from tests.support.waiting import eventually

_LOCAL, _REMOTE, _STATE, _INODE = 1, 2, 3, 9  # columns of /proc/net/tcp, and of udp
_LISTENS = "0A"


def running(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not yet asked how does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children(pid: int) -> set[int]:
    """Ids of the processes that a process has started and that run."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(each) for each in found if running(int(each))}


def owners(local: int, remote: int, pids: Collection[int]) -> set[int]:
    """Whose of these processes an end of an IPv4 connection is, by its ports; nobody's before it is accepted."""
    ends = {line[_INODE] for line in _table("tcp") if (_port(line[_LOCAL]), _port(line[_REMOTE])) == (local, remote)}
    sockets = {f"socket:[{inode}]" for inode in ends - {"0"}}
    return {pid for pid in pids if sockets.intersection(_descriptors(pid))}


def receives(port: int) -> bool:
    """Whether somebody receives datagrams at a port of an IPv4 address."""
    return any(_port(line[_LOCAL]) == port for line in _table("udp"))


def kinds(pid: int) -> list[str]:
    """What the descriptors of a process are, numbers left out: `socket:[]`, `pipe:[]`, or the path of a file.

    What event loops and watches of folders have is left out too: it comes when it comes.
    """
    return sorted(re.sub(r"\[\d+\]", "[]", each) for each in _descriptors(pid) if not each.startswith("anon_inode:"))


def kinds_at_rest(pid: int) -> list[str]:
    """The same, once no connection is up: whoever found out that a server listens has connected to it."""

    def connections() -> list[str]:
        return [f"socket:[{line[_INODE]}]" for line in _table("tcp") if line[_STATE] != _LISTENS]

    eventually(lambda: not set(connections()).intersection(_descriptors(pid)), lambda: kinds(pid))
    return kinds(pid)


def _descriptors(pid: int) -> Iterator[str]:
    for descriptor in Path(f"/proc/{pid}/fd").glob("*"):  # of a process that is gone, none
        with suppress(FileNotFoundError):
            yield os.readlink(descriptor)


def _table(protocol: str) -> list[list[str]]:
    return [line.split() for line in Path(f"/proc/net/{protocol}").read_text().splitlines()[1:]]


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)
