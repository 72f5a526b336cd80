"""The `gateway` command: finds the subcommand and runs it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version

from gateway import FORM
from gateway.control import certs, check, schema, settings

Register = Callable[["argparse._SubParsersAction[argparse.ArgumentParser]"], None]
"""Adds one subcommand: its parser's default `run` takes the arguments and gives the exit status."""

COMMANDS: Sequence[Register] = (check.register, certs.register, schema.register, settings.register)
"""All subcommands, in the order that the help shows."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Command line without the program's name; by default the process's.

    Returns:
        The exit status: 0 if all is well, 1 if something is wrong with what was looked at, 2 for wrong usage.
    """
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
