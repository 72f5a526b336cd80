from __future__ import annotations

import socket
from pathlib import Path

from gateway.control.machine import Machine
from gateway.upstream.address import UpstreamAddress
from tests.support.ports import HOST, free_port

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0FA0 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
   1: 00000000:0FA1 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2
   2: 00000000:0FA2 0100007F:1234 01 00000000:00000000 00:00000000 00000000     0        0 3
"""
TABLE6 = """\
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:0FA3 00000000000000000000000000000000:0000 0A
   1: 00000000000000000000000001000000:0FA4 00000000000000000000000000000000:0000 0A
"""


def test_ports_open_to_all_are_read_from_the_kernel(tmp_path: Path) -> None:
    """Only sockets that listen on all addresses count, of both families."""
    (tmp_path / "tcp").write_text(TABLE)
    (tmp_path / "tcp6").write_text(TABLE6)
    assert Machine(tmp_path).open_ports() == {4001, 4003}


def test_a_kernel_that_tells_nothing(tmp_path: Path) -> None:
    """Elsewhere than on Linux nothing is known, and nothing said."""
    assert Machine(tmp_path).open_ports() == frozenset()


def test_files_and_folders(tmp_path: Path) -> None:
    """Folders may be patterns, for releases have their version in the name."""
    (tmp_path / "app-1.0").mkdir()
    (tmp_path / "page.html").write_text("")
    machine = Machine()
    assert machine.has_folder(f"{tmp_path}/app-*")
    assert not machine.has_folder(f"{tmp_path}/page.html")
    assert machine.has_file(f"{tmp_path}/page.html")
    assert not machine.has_file(f"{tmp_path}/other.html")


def test_listening_upstreams(tmp_path: Path) -> None:
    """An upstream listens if it accepts a connection, over TCP or a UNIX socket."""
    machine = Machine()
    port = free_port()
    with socket.create_server((HOST, port)), socket.socket(socket.AF_UNIX) as local:
        local.bind(str(tmp_path / "s"))
        local.listen()
        assert machine.listens(UpstreamAddress(HOST, port))
        assert machine.listens(UpstreamAddress(path=str(tmp_path / "s")))
    assert not machine.listens(UpstreamAddress(HOST, port))
    assert not machine.listens(UpstreamAddress(path=str(tmp_path / "no")))
