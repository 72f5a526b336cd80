"""Listeners: where the gateway listens, in the short forms that people write, and the sockets for it."""

from __future__ import annotations

import errno
import os
import re
import socket
import stat
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from gateway.errors import Blame, GatewayError


class ListenError(GatewayError):
    """A listener cannot be opened; the message says which and what to do."""

    status = None
    blame = Blame.OPERATOR
    reason = "listen"


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where to listen: a host and port, a UNIX socket, or sockets that systemd holds.

    Attributes:
        host: IP address; empty for the other forms. `::` takes IPv4 too.
        port: TCP port; 0 lets the system choose.
        path: Path of a UNIX socket.
        systemd: Name of sockets in LISTEN_FDNAMES.
        mode: Permissions of a UNIX socket's file.
    """

    host: str = ""
    port: int = 0
    path: str = ""
    systemd: str = ""
    mode: int = 0o660

    @property
    def name(self) -> str:
        """The address as it is written in settings and log lines."""
        if self.path:
            return f"unix:{self.path}"
        if self.systemd:
            return f"systemd:{self.systemd}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(text: str) -> ListenAddress:
    """Read `"ADDRESS:PORT"`, `"[::]:80"`, `"unix:PATH"` or `"systemd:NAME"`.

    Raises:
        ValueError: It is none of these.
    """
    scheme, _, rest = text.partition(":")
    if scheme == "unix" and rest and "\0" not in rest:
        return ListenAddress(path=rest)
    if scheme == "systemd" and rest:
        return ListenAddress(systemd=rest)
    found = _ADDRESS.fullmatch(text)
    if found and int(found["port"]) < 65536:
        host = found["four"] or found["six"]
        try:
            ip_address(host)
        except ValueError as problem:
            raise ValueError(f"expected {_FORMS}, got {text!r}: {host!r} is not an IP address") from problem
        return ListenAddress(host, int(found["port"]))
    raise ValueError(f"expected {_FORMS}, got {text!r}")


def bind(address: ListenAddress, source: str, *, reuse: bool = False) -> list[socket.socket]:
    """Open the sockets of a listener, bound but not accepting yet.

    Args:
        address: Where to listen.
        source: File and key that ask for it, for error messages.
        reuse: Whether other sockets of this user may be bound to the same port, to have a share of its connections.

    Returns:
        One socket; several if systemd holds several of this name.

    Raises:
        ListenError: The address is taken, not permitted, not of this machine, or not held by systemd.
    """
    if address.systemd:
        return _inherited(address, source)
    if address.path:
        return [_bind_path(address, source)]
    return [_bind_port(address, source, reuse)]


def remove_socket_file(address: ListenAddress) -> None:
    """Remove a UNIX socket's file.

    Raises:
        OSError: The folder does not let us; what is left is replaced at the next start.
    """
    if address.path:
        Path(address.path).unlink(missing_ok=True)


def _bind_port(address: ListenAddress, source: str, reuse: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as problem:
        raise refusal(address, source, problem) from problem
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted sockets inherit it
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind((address.host, address.port))
    except OSError as problem:
        sock.close()
        raise refusal(address, source, problem) from problem
    return sock


def _bind_path(address: ListenAddress, source: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        _remove_stale(address.path)
        sock.bind(address.path)
        Path(address.path).chmod(address.mode)
    except OSError as problem:
        sock.close()
        raise refusal(address, source, problem) from problem
    return sock


def _remove_stale(path: str) -> None:
    """Remove the socket file of a process that is gone.

    Raises:
        OSError: Somebody listens there, or it is not a socket.
    """
    try:
        mode = os.stat(path, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(errno.EEXIST, "there is a file of that name that is not a socket", path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        if probe.connect_ex(path) != errno.ECONNREFUSED:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), path)
    Path(path).unlink()


def _inherited(address: ListenAddress, source: str) -> list[socket.socket]:
    held = held_by_systemd(Path("/proc/self/environ").read_bytes(), os.getpid())
    found = [descriptor for name, descriptor in held if name == address.systemd]
    if not found:
        names = ", ".join(sorted({name for name, _ in held})) or "none"
        raise ListenError(
            f"cannot listen on {address.name} ({source}): systemd handed over no socket of that name (it has {names}); "
            f"set FileDescriptorName={address.systemd} in the .socket unit and start the service through it"
        )
    sockets = []
    for descriptor in found:
        sock = socket.socket(fileno=os.dup(descriptor))
        sock.setblocking(False)
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sockets.append(sock)
    return sockets


def held_by_systemd(environment: bytes, pid: int) -> list[tuple[str, int]]:
    """List the sockets that systemd handed to this process.

    Args:
        environment: As it was when the process started, in the form of `/proc/self/environ`: importing Twisted's
            endpoints removes these variables from `os.environ`.
        pid: This process; what was handed to another is not ours (so it takes `twistd -n`).

    Returns:
        Names and descriptors.

    Source: sd_listen_fds(3).
    """
    variables = dict(entry.split(b"=", 1) for entry in environment.split(b"\0") if b"=" in entry)
    count = variables.get(b"LISTEN_FDS", b"")
    if variables.get(b"LISTEN_PID") != str(pid).encode() or not count.isdigit():
        return []
    given = variables.get(b"LISTEN_FDNAMES", b"").decode(errors="replace")
    names = given.split(":")
    if not given or len(names) != int(count):
        names = ["unknown"] * int(count)
    return list(zip(names, range(3, 3 + int(count)), strict=True))


def refusal(address: ListenAddress, source: str, problem: OSError) -> ListenError:
    """Say which listener failed, why, and what to do.

    Args:
        address: Where to listen.
        source: File and key that ask for it.
        problem: What the system said.
    """
    advice = {
        errno.EADDRINUSE: _in_use,
        errno.EACCES: _not_permitted,
        errno.EPERM: _not_permitted,
        errno.EADDRNOTAVAIL: _not_here,
        errno.EAFNOSUPPORT: _no_family,
        errno.ENOENT: _no_folder,
    }.get(problem.errno or 0)
    reason = problem.strerror or str(problem)
    sentence = f"cannot listen on {address.name} ({source}): {reason[:1].lower()}{reason[1:]}"
    return ListenError(f"{sentence}; {advice(address)}" if advice else sentence)


def _in_use(address: ListenAddress) -> str:
    if address.path:
        return "another program listens there: stop it or choose another path"
    return f"find the program with \"ss -ltnp 'sport = :{address.port}'\" and stop it, or choose another port"


def _not_permitted(address: ListenAddress) -> str:
    if address.path:
        return "the gateway's user may not write in that folder"
    return (
        'ports below 1024 are privileged: start as root with "twistd --uid", set '
        "AmbientCapabilities=CAP_NET_BIND_SERVICE in the systemd unit, or choose a port such as 8080"
    )


def _not_here(address: ListenAddress) -> str:
    return f'this machine has no address {address.host}: choose one that "ip address" shows, or "[::]:{address.port}"'


def _no_family(address: ListenAddress) -> str:
    return f'IPv6 is switched off on this machine: choose "0.0.0.0:{address.port}"'


def _no_folder(address: ListenAddress) -> str:
    return f"make the folder {Path(address.path).parent} first"


_FORMS = '"ADDRESS:PORT", "[::]:PORT", "unix:PATH" or "systemd:NAME"'
_ADDRESS = re.compile(r"(?:(?P<four>[0-9.]+)|\[(?P<six>[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)\]):(?P<port>\d{1,5})", re.ASCII)
