"""OpenSSL directly on a socket: handshake, reading, writing and the end, told by the loop when to go on.

One wake-up reads what has come, up to `READ`, and hands it over in one piece; writes of one turn leave as one record.
OpenSSL reads no further than the record it decrypts, so that what is left shows in the socket and wakes us again.
The states stand in `gateway.net.tls_state`.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final

from OpenSSL import SSL
from twisted.internet import error

from gateway.net.draining import Draining
from gateway.net.tls_output import RECORD, Output
from gateway.net.tls_state import PLAIN_HTTP, State
from gateway.net.tls_turn import Turn
from gateway.units import ByteCount, Seconds

READ: Final = ByteCount(4 * RECORD)
"""Octets read in one wake-up."""

LOOK: Final = Seconds(2)
"""How long after octets came they are read for again, whether or not the loop tells of more.

libuv tells of an error once. A reset that was there before the octets in front of it were read would go unnoticed
until something is written, and an upload cut short would hold its connection until a deadline.
"""

# Looked up here once: an attribute of an Enum costs several times a global.
_GREETING, _HANDSHAKE, _OPEN, _DRAINING, _CLOSED = State
_RESET = struct.pack("ii", 1, 0)  # linger on, for 0 s: closing sends RST


class TLSWire:
    """One server connection; a subclass hears what happens through the methods that begin with `on_`.

    Args:
        turn: Of the loop the connection lives on.
        sock: The accepted socket, not blocking; belongs to the connection from here on.
        context: The context to begin with.
        tcp: Whether it is a TCP socket.

    Attributes:
        state: How it stands.
        disconnecting: Whether the connection is being closed.
    """

    __slots__ = (
        "_awaiting_room",
        "_draining",
        "_fd",
        "_look",
        "_loop",
        "_output",
        "_peer_done",
        "_reading",
        "_scheduled",
        "_sock",
        "_tls",
        "_turn",
        "_write_closed",
        "disconnecting",
        "state",
    )

    def __init__(self, turn: Turn, sock: socket.socket, context: SSL.Context, *, tcp: bool) -> None:
        self._turn = turn
        self._loop = turn.loop
        self._awaiting_room = False
        self._sock = sock
        self._fd = sock.fileno()
        self._tls = SSL.Connection(context, sock)
        self._tls.set_accept_state()
        self._output = Output(sock if tcp else None)
        self._scheduled = False
        self._reading = True
        self._peer_done = False
        self._write_closed = False
        self._draining: Draining | None = None
        self._look: asyncio.TimerHandle | None = None
        self.state = _GREETING
        self.disconnecting = False
        self._loop.add_reader(self._fd, self._readable)

    # What a subclass hears.

    def on_open(self) -> None:
        """Learn that the handshake is done."""

    def on_data(self, data: bytes) -> None:
        """Take octets; afterwards the connection may be gone."""

    def on_end_of_data(self) -> None:
        """Learn that the client will send no more."""

    def on_sent(self) -> None:
        """Learn that OpenSSL took some or all of what was to be sent."""

    def on_lost(self, reason: Exception) -> None:
        """Learn that the connection is gone; never during a call from above."""

    def fail(self, problem: Exception) -> None:
        """End: the protocol above failed."""
        self.end(problem)

    # What it does.

    def send(self, data: bytes) -> None:
        """Send octets together with the others of this turn; much of it is sent at once."""
        output = self._output
        output.add(data)
        if self.state is _OPEN and not output.blocked:
            if output.size >= READ:
                self.flush()
            elif not self._scheduled:
                self._scheduled = True
                self._turn.add(self)

    def pause_reading(self) -> None:
        """Stop reading; a handshake goes on."""
        self._reading = False
        if self.state is _OPEN:
            self._loop.remove_reader(self._fd)

    def resume_reading(self) -> None:
        """Read again."""
        self._reading = True
        if self.state is _OPEN and not self._peer_done:
            self._loop.add_reader(self._fd, self._readable)

    def close(self) -> None:
        """Send what is written and close_notify, wait a moment for the client's, then close."""
        if self.disconnecting:
            return
        self.disconnecting = True
        if self._output.size:
            return
        if self.state is _OPEN:
            self._say_goodbye()
        else:
            self.end(error.ConnectionAborted())

    def close_write(self) -> None:
        """Send what is written and close_notify; reading goes on."""
        if not self._write_closed:
            self._write_closed = True
            if self.state is _OPEN and not self._output.size:
                self._say_goodbye()

    def abort(self) -> None:
        """Close at once with a reset, so that the client cannot take it for an orderly end."""
        if self.state is not _CLOSED:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.end(error.ConnectionAborted())

    def end(self, reason: Exception) -> None:
        """Close the socket; `on_lost` follows in the next turn."""
        if self.state is _CLOSED:
            return
        self.state = _CLOSED
        self.disconnecting = self._write_closed = True
        self._output.drop()
        if self._draining is not None:
            self._draining.stop()
            self._draining = None
        self._stop_looking()
        self._loop.remove_reader(self._fd)
        if self._awaiting_room:
            self._loop.remove_writer(self._fd)
        self._sock.close()
        self._loop.call_soon(self.on_lost, reason)

    # What the loop calls.

    def _readable(self) -> None:
        state = self.state
        if state is _OPEN:
            self._read()
        elif state is _HANDSHAKE:
            self._output.hold()  # the client has what came before: what OpenSSL says now may wait for more
            self._shake_hands()
        elif state is _GREETING:
            if self._greeted():
                self._shake_hands()
        elif self._draining is not None:
            self._draining.readable()

    def _writable(self) -> None:
        self._awaiting_room = False
        self._loop.remove_writer(self._fd)
        if self.state is _HANDSHAKE:
            self._shake_hands()
        elif self._output.blocked:
            self.flush()
        elif self.state is _OPEN:
            self._say_goodbye()

    def _await_room(self) -> None:
        self._awaiting_room = True
        self._loop.add_writer(self._fd, self._writable)

    def _greeted(self) -> bool:
        """Look at the first octet: TLS begins with 22, a handshake (RFC 8446 §5.1)."""
        try:
            first = self._sock.recv(1, socket.MSG_PEEK)
            if first == b"\x16":
                self.state = _HANDSHAKE
                return True
            if first.isalpha():
                self._sock.send(PLAIN_HTTP)
                self._drain()
            else:
                self.end(error.ConnectionLost("not TLS"))
        except BlockingIOError:
            pass
        except OSError as problem:
            self.end(error.ConnectionLost(str(problem)))
        return False

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            self._output.let_go()
            return
        except SSL.WantWriteError:
            self._await_room()
            return
        except SSL.SysCallError as problem:
            self.end(error.ConnectionLost(str(problem)))
            return
        except SSL.Error:
            self._drain()  # OpenSSL has sent its alert
            return
        self.state = _OPEN
        self.on_open()
        self.flush()
        asked = False
        if self.state is _OPEN:
            if self._reading:
                asked = self._read()  # the first request often comes together with the client's last message
            else:
                self._loop.remove_reader(self._fd)
        if not asked and self.state is _OPEN:
            self._output.let_go()  # tickets too: they bring the acknowledgement that a client's Nagle waits for

    def _read(self) -> bool:
        """Hand over what has come; tell whether there was something."""
        problem: SSL.Error | None = None
        receive = self._tls.recv
        data = b""
        try:
            data = receive(RECORD)
            if len(data) == RECORD:
                while len(data) < READ:
                    data += receive(RECORD)
        except SSL.WantReadError:
            pass
        except SSL.Error as found:
            problem = found
        if data:
            if self._look is None and problem is None:
                self._look = self._loop.call_later(LOOK, self._look_again)
            self.on_data(data)
        if problem is not None and self.state is _OPEN:
            self._read_no_more(problem)
        return len(data) > 0

    def _look_again(self) -> None:
        """Read for what the loop did not tell of: see `LOOK`."""
        self._look = None
        if self.state is _OPEN and self._reading and not self._peer_done:
            self._read()

    def _stop_looking(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _read_no_more(self, problem: SSL.Error) -> None:
        if not isinstance(problem, SSL.ZeroReturnError):
            self.end(error.ConnectionLost(str(problem) or "TLS error"))
            return
        self._peer_done = True
        self._loop.remove_reader(self._fd)
        if self._write_closed and not self._output.size:
            self.end(error.ConnectionDone())
        else:
            self.on_end_of_data()

    def flush(self) -> None:
        """Give OpenSSL what is unsent, as far as it takes it."""
        self._scheduled = False
        output = self._output
        if self.state is not _OPEN or not output.size:
            return
        if self.disconnecting or self._write_closed:
            output.hold()
        try:
            output.send(self._tls)
        except SSL.WantWriteError:
            self._await_room()
        except SSL.Error as problem:
            self.end(error.ConnectionLost(str(problem) or "TLS error"))
            return
        self.on_sent()
        if self.state is not _OPEN or output.size:
            return
        if self.disconnecting or self._write_closed:
            self._say_goodbye()
        else:
            output.let_go()

    # The end.

    def _say_goodbye(self) -> None:
        """Send close_notify (RFC 8446 §6.1) and, with it, FIN."""
        self._write_closed = True
        self._output.hold()
        try:
            both = self._tls.shutdown()
        except SSL.WantWriteError:
            self._await_room()
            return
        except SSL.Error:  # said before, or nobody is there to hear it
            both = True
        if both or self._peer_done:
            self.end(error.ConnectionDone())
        elif self.disconnecting:
            self._drain()
        else:
            self._shut_down()

    def _drain(self) -> None:
        """Close our half and drop what still comes."""
        self.state = _DRAINING
        self.disconnecting = self._write_closed = True
        self._output.drop()
        self._stop_looking()
        self._draining = Draining(self._loop, self._sock, self._drained)
        if not self._reading:
            self._loop.add_reader(self._fd, self._readable)
        self._shut_down()

    def _shut_down(self) -> None:
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:  # the peer is gone already
            self.end(error.ConnectionDone())

    def _drained(self) -> None:
        self.end(error.ConnectionDone())
