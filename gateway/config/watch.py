"""Noticing that site files may have changed: the system's notifications, and a look every second at what they miss.

The notifications of `watchfiles` say at once that something happened in the folder. They do not tell when the folder
itself is replaced, goes away or comes back, nor when the target of a symbolic link changes, so the same thread looks at
these every second; where the system cannot notify, it looks at all files. What changed is for `SiteFolder` to find out.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from typing import Final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from watchfiles import Change, watch

from gateway.config.flags import is_flag_file
from gateway.config.loader import is_site_file
from gateway.config.site_folder import Signature, scan, signature
from gateway.units import Seconds

log = Logger()

LOOK: Final = Seconds(1)
"""How often the thread looks for itself."""
QUIET: Final = Seconds(0.3)
"""How long nothing may happen before files are read: an editor or a copy writes in pieces."""
PATIENCE: Final = Seconds(1)
"""How long to wait for quiet; with `LOOK` and the time to read this stays below two seconds."""


class FolderWatch:
    """Calls whenever files of a folder may have changed.

    Args:
        folder: The folder; it need not be there.
        call: Runs a function in the reactor's thread, such as `reactor.callFromThread`.
        notice: Called there.
        polling: Do without notifications.
    """

    def __init__(
        self,
        folder: Path,
        call: Callable[[Callable[[], object]], object],
        notice: Callable[[], object],
        *,
        polling: bool = False,
    ) -> None:
        self._folder = folder
        self._call = call
        self._notice = notice
        self._polling = polling
        self._stop = Event()
        self._ended: Deferred[None] = Deferred()
        self._thread: Thread | None = None
        self._seen: dict[str, Signature | None] | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = Thread(target=self._run, name="site files", daemon=True)
        self._thread.start()

    def stop(self) -> Deferred[None]:
        """End the thread; fires when it is gone."""
        self._stop.set()
        return self._ended if self._thread is not None else succeed(None)

    # In the thread.

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                if self._polling or not self._follow():
                    self._stop.wait(LOOK)
                    self._look()
        finally:
            self._call(self._end)

    def _follow(self) -> bool:
        """Follow notifications for as long as the folder stays the same one; False where there are none."""
        folder = _identity(self._folder)
        if folder is None:
            return False
        self._seen = None  # what changes until there are notifications, nobody notifies of
        try:
            changes = watch(
                self._folder,
                watch_filter=_counts,
                debounce=_STEP * 2,
                step=_STEP,
                stop_event=self._stop,
                rust_timeout=int(LOOK * 1000),
                yield_on_timeout=True,
                raise_interrupt=False,
                recursive=False,
            )
            with closing(changes):
                for happened in changes:
                    self._look(bool(happened))
                    if _identity(self._folder) != folder:
                        return True
        except (OSError, RuntimeError) as error:
            reason = str(error)
            self._polling = os.path.isdir(self._folder)
            if self._polling:
                self._call(
                    lambda: log.warn(
                        "no notifications of {folder}: {reason}; it is looked at every second",
                        folder=str(self._folder),
                        reason=reason,
                    )
                )
            return False
        return True

    def _look(self, happened: bool = False) -> None:
        """Look at what nobody notifies of."""
        seen = self._glance()
        if happened or seen != self._seen:
            self._seen = seen
            self._call(self._notice)

    def _glance(self) -> dict[str, Signature | None]:
        try:
            if self._polling:
                return {"": signature(self._folder), **scan(self._folder)}
            with os.scandir(self._folder) as entries:
                links = [entry.name for entry in entries if is_site_file(entry.name) and entry.is_symlink()]
        except OSError:
            return {}
        return {name: signature(self._folder / name) for name in ("", *links)}

    # In the reactor's thread.

    def _end(self) -> None:
        self._ended.callback(None)


class Settling:
    """Acts once nothing has happened for a moment, but does not wait for ever.

    Args:
        reactor: For timers.
        act: What to do.
    """

    def __init__(self, reactor: IReactorTime, act: Callable[[], object]) -> None:
        self._reactor = reactor
        self._act = act
        self._timer: IDelayedCall | None = None
        self._latest = Seconds(0)

    def touch(self) -> None:
        """Take note that something happened."""
        now = self._reactor.seconds()
        if self._timer is None:
            self._latest = Seconds(now + PATIENCE)
            self._timer = self._reactor.callLater(QUIET, self._ripe)
        else:
            self._timer.reset(max(0, min(QUIET, self._latest - now)))

    def cancel(self) -> None:
        """Forget what happened."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ripe(self) -> None:
        self._timer = None
        self._act()


def _counts(change: Change, path: str) -> bool:
    name = os.path.basename(path)
    return is_site_file(name) or is_flag_file(name)


def _identity(folder: Path) -> tuple[int, int] | None:
    found = signature(folder)
    return None if found is None else (found[0], found[1])


_STEP: Final = 100
"""Milliseconds between looks of watchfiles at what was notified and at the stop event: ten short wake-ups a second."""
