from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path

import pytest

from gateway.net.listeners import (
    ListenAddress,
    ListenError,
    bind,
    held_by_systemd,
    parse_listen,
    refusal,
    remove_socket_file,
)

SOURCE = "gateway.toml: http"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", ListenAddress("127.0.0.1", 8080)),
        ("0.0.0.0:80", ListenAddress("0.0.0.0", 80)),
        ("[::]:80", ListenAddress("::", 80)),
        ("[2001:db8::1]:443", ListenAddress("2001:db8::1", 443)),
        ("127.0.0.1:0", ListenAddress("127.0.0.1", 0)),
        ("unix:/run/gateway.sock", ListenAddress(path="/run/gateway.sock")),
        ("systemd:http", ListenAddress(systemd="http")),
    ],
)
def test_forms(text: str, address: ListenAddress) -> None:
    """Every form is read, and shown again as it was written."""
    assert parse_listen(text) == address
    assert address.name == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "80", ":80", "localhost:80", "::80", "[::]", "[::]:", "[::]:65536", "[::]:-1", "256.0.0.1:80"),
        *("[1.2.3.4]:80", "127.0.0.1:80x", "[::g]:80", "unix:", "unix:a\0b", "systemd:", "http://127.0.0.1:80"),
        *("127.0.0.1:\u0668\u0660", "127.0.0.1:80\n"),
    ],
)
def test_other_forms(text: str) -> None:
    """Anything else is refused with the forms there are."""
    with pytest.raises(ValueError, match=r"expected \"ADDRESS:PORT\", .*got"):
        parse_listen(text)


@pytest.mark.e2e
def test_every_address_of_both_families() -> None:
    """[::] takes IPv4 too."""
    (sock,) = bind(parse_listen("[::]:0"), SOURCE)
    with sock:
        sock.listen()
        with socket.create_connection(("127.0.0.1", sock.getsockname()[1])) as client:
            assert client.getpeername()[0] == "127.0.0.1"
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert not sock.getblocking()


@pytest.mark.e2e
def test_port_in_use() -> None:
    """A port that is taken is named with the setting and a way to find who has it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError) as caught:
            bind(parse_listen(f"127.0.0.1:{port}"), SOURCE)
    assert str(caught.value) == (
        f"cannot listen on 127.0.0.1:{port} ({SOURCE}): address already in use; "
        f"find the program with \"ss -ltnp 'sport = :{port}'\" and stop it, or choose another port"
    )


@pytest.mark.parametrize(
    ("address", "number", "advice"),
    [
        ("0.0.0.0:80", errno.EACCES, "AmbientCapabilities=CAP_NET_BIND_SERVICE"),
        ("0.0.0.0:80", errno.EACCES, "a port such as 8080"),
        ("192.0.2.1:80", errno.EADDRNOTAVAIL, "this machine has no address 192.0.2.1"),
        ("[::]:80", errno.EAFNOSUPPORT, 'choose "0.0.0.0:80"'),
        ("unix:/run/none/a.sock", errno.ENOENT, "make the folder /run/none first"),
        ("unix:/run/a.sock", errno.EACCES, "may not write in that folder"),
        ("[::]:80", errno.EIO, "(gateway.toml: http): input/output error"),
    ],
)
def test_advice(address: str, number: int, advice: str) -> None:
    """The usual refusals come with what to do."""
    error = refusal(parse_listen(address), SOURCE, OSError(number, os.strerror(number)))
    assert str(error).startswith(f"cannot listen on {address} (gateway.toml: http): ")
    assert advice in str(error)


def test_socket_file(tmp_path: Path) -> None:
    """A UNIX socket's file has its mode, is replaced when nobody listens, and is removed at the end."""
    address = ListenAddress(path=str(tmp_path / "a.sock"), mode=0o600)
    (first,) = bind(address, SOURCE)
    assert stat.S_IMODE((tmp_path / "a.sock").stat().st_mode) == 0o600
    first.close()
    (second,) = bind(address, SOURCE)
    with second:
        second.listen()
        with pytest.raises(ListenError, match="another program listens there"):
            bind(address, SOURCE)
    remove_socket_file(address)
    remove_socket_file(address)
    assert not (tmp_path / "a.sock").exists()


def test_other_files_are_kept(tmp_path: Path) -> None:
    """A file that is not a socket is never removed."""
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(ListenError, match="not a socket"):
        bind(ListenAddress(path=str(path)), SOURCE)
    assert path.read_text() == "data"


def test_missing_folder(tmp_path: Path) -> None:
    """A UNIX socket in a folder that is not there asks for the folder."""
    with pytest.raises(ListenError, match="make the folder"):
        bind(ListenAddress(path=str(tmp_path / "none" / "a.sock")), SOURCE)


@pytest.mark.parametrize(
    ("variables", "held"),
    [
        ("LISTEN_PID=7\0LISTEN_FDS=3\0LISTEN_FDNAMES=web:web:tls\0", [("web", 3), ("web", 4), ("tls", 5)]),
        ("LISTEN_PID=7\0LISTEN_FDS=1\0", [("unknown", 3)]),
        ("LISTEN_PID=8\0LISTEN_FDS=1\0LISTEN_FDNAMES=web\0", []),
        ("LISTEN_PID=7\0LISTEN_FDS=-1\0", []),
        ("LISTEN_PID=7\0", []),
        ("odd\0", []),
        ("", []),
    ],
)
def test_systemd(variables: str, held: list[tuple[str, int]]) -> None:
    """Sockets of systemd are known by name, several under one name too, and only if they are meant for this process."""
    assert held_by_systemd(variables.encode(), 7) == held


def test_systemd_without_socket() -> None:
    """A socket that systemd does not hold is named with what to write into the unit."""
    with pytest.raises(ListenError, match=r"FileDescriptorName=web .*socket unit"):
        bind(parse_listen("systemd:web"), SOURCE)
