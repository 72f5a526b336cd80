"""Writes log lines in a thread of its own: a disk that is slow, full or gone stops no request."""

from __future__ import annotations

from queue import SimpleQueue
from threading import Event, Thread
from typing import Final

from twisted.logger import Logger

from gateway.observe.log_file import LinesLostError, LogFolder
from gateway.units import ByteCount, Seconds

log = Logger()

WAITING: Final = ByteCount(8_000_000)
"""Octets that may wait to be written; further lines are lost."""

Batch = list[tuple[str, bytes]]


class LogWriter:
    """Takes lines in the reactor's thread and writes them in its own.

    Args:
        folder: Where lines go.
        waiting: Octets that may wait to be written.

    Attributes:
        lost: Lines that could not be written so far.
    """

    def __init__(self, folder: LogFolder, waiting: ByteCount = WAITING) -> None:
        self._folder = folder
        self._waiting = waiting
        self._jobs: SimpleQueue[tuple[Batch, int] | LogFolder | Event | None] = SimpleQueue()
        self._thread: Thread | None = None
        # Each of these is changed by one thread only: what was given here, the rest there.
        self._given = 0
        self._taken = 0
        self._overflowed = 0
        self._unwritten = 0
        self._problem = ""
        self._told = 0
        self._failing = False

    @property
    def lost(self) -> int:
        """Number of lines lost."""
        return self._overflowed + self._unwritten

    @property
    def _waits(self) -> int:
        return self._given - self._taken

    def write(self, lines: Batch, size: int) -> None:
        """Take lines of `size` octets together; they are lost where too much waits already."""
        if self._waits > self._waiting:
            self._overflowed += len(lines)
            return
        self._given += size
        if self._thread is None:
            # Not before there is something to write: twistd forks after the service was made.
            self._thread = Thread(target=self._run, name="access log", daemon=True)
            self._thread.start()
        self._jobs.put((lines, size))

    def reopen(self) -> None:
        """Open all files anew once what was given before is written."""
        if self._thread is not None:
            self._jobs.put(Event())

    def move(self, folder: LogFolder) -> None:
        """Write to another folder what is given from now on."""
        if self._thread is not None:
            self._jobs.put(folder)
        else:
            self._folder = folder

    def drain(self, patience: Seconds) -> bool:
        """Wait until all is written and all files are closed.

        Returns:
            Whether that was so in time.
        """
        if self._thread is None:
            return True
        done = Event()
        self._jobs.put(done)
        return done.wait(patience)

    def stop(self, patience: Seconds) -> None:
        """Write what waits, in the time allowed, and end the thread."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(patience)
            self._thread = None

    def look(self) -> None:
        """Tell the operator that lines are being lost, once, and that the log is written again, once."""
        lost, problem = self.lost, self._problem
        if lost > self._told and not self._failing:
            self._failing = True
            reason = problem or "the disk does not keep up"
            log.error("the access log loses lines: {reason}", reason=reason)
        elif self._failing and lost == self._told and not problem and self._waits <= self._waiting // 2:
            self._failing = False
            log.warn("the access log is written again; it lost {lost} lines so far", lost=lost)
        self._told = lost

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            if isinstance(job, Event):
                self._folder.reopen()
                job.set()
                continue
            if isinstance(job, LogFolder):
                self._folder.reopen()
                self._folder = job
                continue
            lines, size = job
            try:
                self._folder.write(lines)
            except LinesLostError as error:
                self._unwritten += error.count
                self._problem = str(error)
            else:
                self._problem = ""
            self._taken += size
        self._folder.reopen()
