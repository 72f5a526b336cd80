"""An asyncio loop and a transport that only remember what they were asked."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from functools import partial


class Handle:
    """A call that can be taken back."""

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeLoop:
    """Runs what `call_soon` was given when `turn` is called.

    Attributes:
        later: What `call_later` was given.
        readers: Who waits for a descriptor to be readable; writers likewise.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[Handle, Callable[[], object]]] = []
        self.later: list[tuple[Handle, Callable[[], object]]] = []
        self.readers: dict[int, Callable[[], object]] = {}
        self.writers: dict[int, Callable[[], object]] = {}

    def call_later(self, delay: float, function: Callable[[], object]) -> Handle:
        assert delay > 0
        handle = Handle()
        self.later.append((handle, function))
        return handle

    def add_reader(self, descriptor: int, function: Callable[[], object]) -> None:
        assert os.fstat(descriptor)
        self.readers[descriptor] = function

    def remove_reader(self, descriptor: int) -> None:
        del self.readers[descriptor]

    def add_writer(self, descriptor: int, function: Callable[[], object]) -> None:
        assert os.fstat(descriptor)
        self.writers[descriptor] = function

    def remove_writer(self, descriptor: int) -> None:
        del self.writers[descriptor]

    def poll(self) -> None:
        """Tell those whose descriptors are ready, once."""
        readable, writable, _ = select.select(list(self.readers), list(self.writers), [], 0)
        for descriptor in readable:
            if descriptor in self.readers:
                self.readers[descriptor]()
        for descriptor in writable:
            if descriptor in self.writers:
                self.writers[descriptor]()

    def call_soon(self, function: Callable[[], object]) -> Handle:
        handle = Handle()
        self.calls.append((handle, function))
        return handle

    def turn(self) -> None:
        calls, self.calls = self.calls, []
        for handle, function in calls:
            if not handle.cancelled:
                function()


class PollingLoop:
    """Calls the reader of a descriptor when a test says that there is something to read.

    Attributes:
        readers: What is called, by descriptor.
        writers: The same for writing.
        timers: What was put off, and for how many seconds.
    """

    def __init__(self) -> None:
        self.readers: dict[int, Callable[[], object]] = {}
        self.writers: dict[int, Callable[[], object]] = {}
        self.timers: list[tuple[float, Handle, Callable[[], object]]] = []
        self.calls: list[tuple[Callable[..., object], tuple[object, ...]]] = []

    def add_reader(self, descriptor: int, function: Callable[[], object]) -> None:
        self.readers[descriptor] = function

    def add_writer(self, descriptor: int, function: Callable[[], object]) -> None:
        self.writers[descriptor] = function

    def remove_reader(self, descriptor: int) -> bool:
        return self.readers.pop(descriptor, None) is not None

    def remove_writer(self, descriptor: int) -> bool:
        return self.writers.pop(descriptor, None) is not None

    def call_soon(self, function: Callable[..., object], *args: object) -> None:
        self.calls.append((function, args))

    def call_later(self, delay: float, function: Callable[..., object], *args: object) -> Handle:
        handle = Handle()
        self.timers.append((delay, handle, partial(function, *args)))
        return handle

    def turn(self) -> None:
        """Call every reader once, then what was to be called soon, and what that asked for."""
        for function in list(self.readers.values()):
            function()
        while self.calls:
            calls, self.calls = self.calls, []
            for called, args in calls:
                called(*args)


class FakeLoopTransport:
    """uvloop's side of a connection: starts to read after connection_made, whatever was said before.

    Attributes:
        did: What was asked of it, in order.
        written: What was written.
    """

    def __init__(self, peer: object = ("192.0.2.7", 4321), host: object = ("127.0.0.1", 80)) -> None:
        self.names = {"peername": peer, "sockname": host}
        self.did: list[str] = []
        self.written: list[bytes] = []
        self.unsent = 0
        self.high_water = 65536
        self.reading = False
        self.closing = False
        self.data_received: Callable[[bytes], None] | None = None

    def attach(self, protocol) -> None:
        self.set_protocol(protocol)
        protocol.connection_made(self)
        self.reading = not self.closing

    def receive(self, data: bytes) -> None:
        assert self.reading
        assert self.data_received is not None
        self.data_received(data)

    def set_protocol(self, protocol) -> None:
        self.data_received = protocol.data_received
        self.protocol = protocol

    def set_write_buffer_limits(self, high: int = 65536) -> None:
        self.high_water = high
        if self.unsent > high:
            self.protocol.pause_writing()

    def drain(self) -> None:
        """Let all be sent that was written."""
        self.unsent = 0
        self.protocol.resume_writing()

    def get_extra_info(self, name: str) -> object:
        return self.names.get(name)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def write_eof(self) -> None:
        self.did.append("write_eof")

    def close(self) -> None:
        self.closing = True
        self.did.append("close")

    def abort(self) -> None:
        self.closing = True
        self.did.append("abort")

    def pause_reading(self) -> None:
        self.reading = False
        self.did.append("pause_reading")

    def resume_reading(self) -> None:
        self.reading = True
        self.did.append("resume_reading")
