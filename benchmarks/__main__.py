"""The command: `python -m benchmarks [WORKLOAD ...]`."""

from __future__ import annotations

import argparse
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.backend import backend
from benchmarks.contenders import CONTENDERS, DEFAULT, find
from benchmarks.contenders.base import Contender
from benchmarks.measure import Workload
from benchmarks.process import BenchmarkError
from benchmarks.report import machine, table, write_json
from benchmarks.rounds import Result, Rounds
from benchmarks.summary import paths_table, put_between_marks, summary
from benchmarks.workloads import WORKLOADS

_TOOLS = {"nginx", "haproxy", "caddy"}


def _workload(name: str) -> Workload:
    if name not in WORKLOADS:
        raise argparse.ArgumentTypeError(f"no workload {name!r}: choose from {', '.join(WORKLOADS)}")
    return WORKLOADS[name]


def _contender(name: str) -> Contender:
    try:
        return find(name)
    except KeyError:
        raise argparse.ArgumentTypeError(f"no contender {name!r}: choose from {', '.join(CONTENDERS)}") from None


def _up_to(most: int) -> type[int]:
    class Count(int):
        def __new__(cls, text: str) -> Count:
            count = super().__new__(cls, text)
            if not 1 <= count <= most:
                raise argparse.ArgumentTypeError(f"{count} is not between 1 and {most}")
            return count

    return Count


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "workloads", nargs="*", type=_workload, metavar="WORKLOAD", help=f"all if none given: {', '.join(WORKLOADS)}"
    )
    parser.add_argument("--rounds", type=_up_to(50), default=7, help="turns of each contender; default: 7")
    parser.add_argument("--seconds", type=_up_to(30), default=2, help="how long a turn lasts; default: 2")
    parser.add_argument(
        "--contenders",
        nargs="+",
        type=_contender,
        default=[CONTENDERS[name] for name in DEFAULT],
        metavar="CONTENDER",
        help=f"of {', '.join(CONTENDERS)}, gateway@CHECKOUT; default: {', '.join(DEFAULT)}",
    )
    parser.add_argument("--readme", type=Path, metavar="FILE", help="put the short table there, between its marks")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there")
    return parser.parse_args(argv)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _taken(arguments: argparse.Namespace, versions: Mapping[str, str]) -> str:
    """When, where and how it was measured."""
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    how = f"medians of {arguments.rounds} rounds of {arguments.seconds} s each"
    return f"{datetime.now(UTC):%-d %B %Y}, {machine()}; {how}.\n{listed}"


def _terminated(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def _allow_many_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _run(arguments: argparse.Namespace) -> list[Result]:
    results = []
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name, backend(Path(name)) as application:
        for workload in arguments.workloads or WORKLOADS.values():
            rounds = Rounds(workload, arguments.contenders, application, _say)
            results.append(rounds.run(Path(name), arguments.rounds, arguments.seconds))
    return results


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the command line asks for and print the table.

    Args:
        argv: The arguments; those of the process by default.

    Returns:
        The exit status: 1 if a contender failed, 2 if nothing could be measured.
    """
    arguments = _arguments(argv)
    wanted = {"gcc", "wrk"} | {contender.name for contender in arguments.contenders} & _TOOLS
    if missing := sorted(tool for tool in wanted if not shutil.which(tool)):
        _say(f"not installed: {', '.join(missing)}")
        return 2
    signal.signal(signal.SIGTERM, _terminated)
    _allow_many_files()
    versions = {contender.name: contender.version() for contender in arguments.contenders}
    try:
        results = _run(arguments)
    except BenchmarkError as error:
        _say(str(error))
        return 2
    except KeyboardInterrupt:
        _say("interrupted; everything started has ended")
        return 130
    print(_taken(arguments, versions), end="\n\n")
    print(table(results))
    if paths := paths_table(results):
        print(f"\n{paths}")
    if arguments.readme:
        put_between_marks(arguments.readme, f"{_taken(arguments, versions)}\n\n{summary(results)}")
    if arguments.json:
        write_json(results, versions, arguments.json)
    return 1 if any(result.failures for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
