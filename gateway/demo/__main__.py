"""`python -m gateway.demo`: run the demo app on a loopback port until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import TYPE_CHECKING

from twisted.internet import task
from twisted.internet.defer import Deferred
from twisted.web.server import Site

from gateway.demo.app import demo_site

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

DEFAULT_PORT = 4100


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m gateway.demo", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="TCP port on 127.0.0.1 (default %(default)s)")
    options = parser.parse_args()
    task.react(_serve, [options.port])


def _serve(reactor: PosixReactorBase, port: int) -> Deferred[None]:
    """Listen, and never finish: the reactor stops on SIGINT or SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: reactor.callFromThread(reactor.stop))
    listening = reactor.listenTCP(port, Site(demo_site(reactor)), interface="127.0.0.1")
    sys.stdout.write(f"demo app on http://127.0.0.1:{listening.getHost().port}/\n")
    sys.stdout.flush()
    return Deferred()


if __name__ == "__main__":
    main()
