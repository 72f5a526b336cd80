"""gateway as users install it: from a wheel, and editable."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from tests.support.programs import ROOT, missing
from tests.support.waiting import PATIENCE


def wheel_installation(folder: Path) -> Path:
    """Build the wheel and install it into a virtual environment that has gateway from nowhere else.

    Returns:
        The environment's folder of programs. Its dependencies are those of the running environment, added as a plain
        path, so that an editable gateway in there stays unseen.
    """
    wheels, environment = folder / "wheels", folder / "venv"
    _run(ROOT, sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels))
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    site = Path(_run(folder, str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (wheel,) = wheels.glob("gateway-*.whl")
    pip = (sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check")
    _run(folder, *pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    # pip writes scripts for what the wheel itself brings; twistd is Twisted's.
    twistd = environment / "bin" / "twistd"
    twistd.write_text(f"#!{python}\nfrom twisted.scripts.twistd import run\nrun()\n")
    twistd.chmod(0o755)
    return environment / "bin"


def editable_installation(folder: Path) -> Path:
    """The programs of the running environment, if it has this checkout installed editable."""
    programs = Path(sys.executable).parent
    found = _run(folder, sys.executable, "-c", "import gateway; print(gateway.__file__)", check=False).strip()
    if found != str(ROOT / "gateway" / "__init__.py"):
        missing("this checkout is not installed into the running environment (make test does it)")
    return programs


def run_program(program: Path, *arguments: str, cwd: Path) -> str:
    """Run an installed program from another folder.

    Returns:
        What it prints.
    """
    return _run(cwd, str(program), *arguments)


def _run(cwd: Path, *command: str, check: bool = True) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=10 * PATIENCE, check=False
    )
    assert not check or done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout
