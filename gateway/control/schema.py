"""`gateway schema`: print the JSON Schema of a site file, for editors."""

from __future__ import annotations

import argparse
import json

from gateway.config.schema import gateway_schema, site_schema


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("schema", help="print the JSON Schema of a site file, for editors")
    parser.add_argument("--gateway", action="store_true", help="of gateway.toml instead")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    schema = gateway_schema() if options.gateway else site_schema()
    print(json.dumps(schema, indent=2, ensure_ascii=False))
    return 0
