"""Which form of the hot modules runs: the extensions made at installation, or the Python they were made from.

Extensions are used where all of them are there and were made from the source beside them; a source that has changed
since, or `GATEWAY_PURE=1` in the environment, means plain Python. Both do the same; plain Python takes about twice the
CPU time for a request.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from sysconfig import get_config_var
from types import ModuleType
from typing import Final

NOTE: Final = Path(__file__).with_suffix(".json")
ACCELERATORS: Final = frozenset(
    {"gateway.http._removal", "gateway.observe._line_formats", "gateway.protocol._http1_head"}
)
"""Modules that exist in compiled form only; who imports one has plain Python to stand in for it."""


class PlainSource(MetaPathFinder):
    """Finds modules by their source, past extensions that lie beside it.

    Args:
        modules: The sources by module name.
    """

    def __init__(self, modules: dict[str, Path]) -> None:
        self._modules = modules

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find one of the modules; any other is left to the usual finders.

        Raises:
            ModuleNotFoundError: The module has no plain form.
        """
        if fullname in ACCELERATORS:
            raise ModuleNotFoundError(f"{fullname} is not compiled", name=fullname)
        source = self._modules.get(fullname)
        return None if source is None else spec_from_file_location(fullname, source)


def choose() -> str:
    """Decide which form is imported from now on; `gateway` calls it once, before any of the modules is imported.

    Returns:
        What runs, in words for the log and for `gateway --version`.
    """
    try:
        note = json.loads(NOTE.read_text())
    except FileNotFoundError:
        # Extensions of which nothing tells what they were made from may lie there all the same.
        declared = (path.with_suffix(".py") for path in NOTE.parent.rglob("*.pxd"))
        sys.meta_path.insert(0, PlainSource({_module(path): path for path in declared}))
        return "plain Python: nothing was compiled at installation"
    sources = {module: _source(module) for module in note["modules"] if module not in ACCELERATORS}
    if os.environ.get("GATEWAY_PURE") == "1":
        reason = "GATEWAY_PURE=1"
    elif note["suffix"] != get_config_var("EXT_SUFFIX"):
        reason = f"compiled for another Python ({note['suffix']}): install gateway again"
    elif changed := [module for module, known in note["modules"].items() if digest(_source(module)) != known]:
        reason = f"{changed[0]} has changed since it was compiled: install gateway again"
    else:
        return f"compiled ({len(note['modules'])} modules)"
    sys.meta_path.insert(0, PlainSource(sources))
    return f"plain Python: {reason}"


def _source(module: str) -> Path:
    suffix = ".pyx" if module in ACCELERATORS else ".py"
    return NOTE.parent.joinpath(*module.split(".")[1:]).with_suffix(suffix)


def _module(source: Path) -> str:
    return ".".join(source.relative_to(NOTE.parents[1]).with_suffix("").parts)


def digest(source: Path) -> str:
    """Name the state of a module's source and of its declarations, for the build's note."""
    declarations = source.with_suffix(".pxd")
    content = source.read_bytes() + (declarations.read_bytes() if declarations.exists() else b"")
    return hashlib.sha256(content).hexdigest()
