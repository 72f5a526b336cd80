"""`gateway settings`: print the reference of all settings, as `docs/settings.md` has it."""

from __future__ import annotations

import argparse

from gateway.control.reference import reference


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("settings", help="print the reference of all settings, as Markdown")
    parser.set_defaults(run=_run)


def _run(_: argparse.Namespace) -> int:
    print(reference(), end="")
    return 0
