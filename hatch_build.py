"""Compiles the hot modules when gateway is installed; without a C compiler it is installed all the same, slower.

Every `.pyx`, and every `.py` with a `.pxd` beside it, becomes one extension module beside its source. What was built
from which source is noted in `gateway/compiled.json`, so that `gateway.compiled` never lets an old extension stand in
for newer source. `python hatch_build.py` does the same in a checkout.
"""

from __future__ import annotations

import json
import os
import runpy
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NOTE: Final = Path("gateway/compiled.json")
SUFFIX: Final = str(sysconfig.get_config_var("EXT_SUFFIX"))
DIRECTIVES: Final = {
    "language_level": "3",
    "annotation_typing": False,
    "binding": False,
    "auto_pickle": False,
}


class CompiledPath(BuildHookInterface):
    """Hatchling's hook, for the wheel and for the editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tell the wheel of the results."""
        root = Path(self.root)
        if self.target_name != "wheel" or not compile_all(root, self.app.display_warning):
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["artifacts"] += [f"gateway/**/*{SUFFIX}", str(NOTE)]


def sources(root: Path) -> dict[str, Path]:
    """Find what is compiled: module names and the files that they are made from."""
    found = [*root.glob("gateway/**/*.pyx")]
    found += [source for pxd in root.glob("gateway/**/*.pxd") if (source := pxd.with_suffix(".py")).exists()]
    return {".".join(path.relative_to(root).with_suffix("").parts): path for path in sorted(found)}


def compile_all(root: Path, warn: Any) -> bool:
    """Compile what has changed.

    Args:
        root: The checkout.
        warn: Takes a line for whoever installs.

    Returns:
        Whether every module is compiled now.
    """
    # By its path: to import gateway would choose a form.
    digest = runpy.run_path(str(root / "gateway/compiled.py"))["digest"]
    wanted = {module: digest(source) for module, source in sources(root).items()}
    note = root / NOTE
    built = json.loads(note.read_text()) if note.exists() else {}
    if built == {"suffix": SUFFIX, "modules": wanted}:
        return True
    note.unlink(missing_ok=True)
    for old in root.glob("gateway/**/*.so"):  # without the note nothing tells that they are old
        old.unlink()
    if shutil.which(str(sysconfig.get_config_var("CC") or "cc").split()[0]) is None:
        warn("no C compiler: gateway runs as plain Python, with about twice the CPU time for a request")
        return False
    try:
        _compile(root)
    except Exception as problem:  # whatever a compiler may say, an installation goes on
        warn(f"the compiled path could not be built, gateway runs as plain Python: {problem}")
        return False
    note.write_text(json.dumps({"suffix": SUFFIX, "modules": wanted}, indent=1) + "\n")
    return True


def _compile(root: Path) -> None:
    from Cython.Build import cythonize
    from setuptools import Extension
    from setuptools.dist import Distribution

    cores = os.cpu_count() or 1
    flags = os.environ.get("GATEWAY_CFLAGS", "-O2 -g0").split()
    with tempfile.TemporaryDirectory() as folder:
        extensions = [
            Extension(module, [str(source.relative_to(root))], extra_compile_args=flags, extra_link_args=flags)
            for module, source in sources(root).items()
        ]
        before = Path.cwd()
        os.chdir(root)
        try:
            made = cythonize(
                extensions, build_dir=folder, compiler_directives=DIRECTIVES, nthreads=cores, quiet=True, force=True
            )
            command = Distribution({"ext_modules": made}).get_command_obj("build_ext")
            command.inplace = True
            command.parallel = cores
            command.build_temp = folder
            command.ensure_finalized()
            command.run()
        finally:
            os.chdir(before)


if __name__ == "__main__":
    raise SystemExit(not compile_all(Path(__file__).parent, lambda line: sys.stderr.write(f"{line}\n")))
