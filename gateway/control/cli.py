"""The `gateway` command: finds the subcommand and runs it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from io import TextIOWrapper

from gateway import FORM
from gateway.control import certs, check, schema, settings

Register = Callable[["argparse._SubParsersAction[argparse.ArgumentParser]"], None]
"""Adds one subcommand: its parser's default `run` takes the arguments and gives the exit status."""

COMMANDS: Sequence[Register] = (check.register, certs.register, schema.register, settings.register)
"""All subcommands, in the order that the help shows."""

LATER: Mapping[str, str] = {
    "deploy": "",
    "dev": "`local_ca = true` in gateway.toml makes certificates for *.localhost",
    "drain": "",
    "explain": "",
    "fmt": "",
    "hash-password": "",
    "import": "",
    "init": "",
    "maintenance": "`maintenance = true` in a site file, or a file NAME.down beside it, switches it on",
    "reload": "changed files take effect by themselves, and SIGHUP reads them all again",
    "run": "`twistd -n gateway -c FOLDER` runs it",
    "status": "",
    "systemd": "docs/running.md has a unit",
    "tail": "",
    "test": "",
}
"""Subcommands that wait for a later version, each with what serves until then."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Command line without the program's name; by default the process's.

    Returns:
        The exit status: 0 if all is well, 1 if something is wrong with what was looked at, 2 for wrong usage.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files may have letters that a terminal has not
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] in LATER:
        meanwhile = LATER[words[0]]
        message = f"gateway: `{words[0]}` is not yet supported; it will come with a later version"
        print(f"{message}: {meanwhile}" if meanwhile else message, file=sys.stderr)
        return 2
    parser = argparse.ArgumentParser(prog="gateway", description="The front door for one machine with many sites.")
    parser.add_argument("--version", action="version", version=f"gateway {version('gateway')}, {FORM}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for register in COMMANDS:
        register(commands)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
    except BrokenPipeError:
        # Whoever read has seen enough (`gateway schema | head`); nothing may be flushed to them at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status
