"""Runs the tests of what is compiled under AddressSanitizer and UndefinedBehaviorSanitizer.

    python -m tests.fuzz.sanitize                    # heads and content: both hostile corpora, and Hypothesis
    python -m tests.fuzz.sanitize --all              # every compiled module: all tests in memory
    python -m tests.fuzz.sanitize -- tests/http -x   # what else pytest shall run

In a temporary copy of the checkout every module is compiled anew with the sanitizers; the checkout itself is left as it
is. Python's own allocator is off, so that each object is an allocation that AddressSanitizer watches. Needs gcc with
libasan and libubsan. Exits with the status of pytest; a finding ends pytest with a report on standard error.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
FLAGS = "-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined"
LAYERS = ("protocol", "http")
"""Whose compiled modules read and write octets of strangers; those of other layers only pass objects on."""
TESTS = ("tests/protocol", "tests/exchange/test_hostile.py", "tests/exchange/test_garbage.py")
SKIPPED = shutil.ignore_patterns("__pycache__", "*.so", "compiled.json", ".venv", ".git", "node_modules", "build")
CRASH = """
import ctypes
import gateway
print(gateway.FORM)
block = ctypes.create_string_buffer(16)
ctypes.memset(ctypes.addressof(block) + 16, 1, 64)
"""


def main() -> int:
    """Compile, see that the sanitizers are awake, and run pytest.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.sanitize", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--all", action="store_true", help="every compiled module, and all tests in memory")
    parser.add_argument("tests", nargs="*", help="what pytest runs, after --")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sanitize-") as name:
        folder = Path(name) / "gateway"
        _copy(folder, whole=arguments.all)
        _run([sys.executable, "hatch_build.py"], folder, {"GATEWAY_CFLAGS": FLAGS}, check=True)
        if not all(b"__asan_report" in made.read_bytes() for made in (folder / "gateway").rglob("*.so")):
            sys.stderr.write("the modules were compiled without the sanitizers\n")
            return 2
        environment = _environment()
        asleep = _run([sys.executable, "-c", CRASH], folder, environment, quiet=True)
        if "AddressSanitizer" not in asleep.stderr or not asleep.stdout.startswith("compiled ("):
            sys.stderr.write(f"the sanitizers do not work here:\n{asleep.stdout}{asleep.stderr}")
            return 2
        tests = arguments.tests or (["tests", "-m", "not e2e and not conformance"] if arguments.all else list(TESTS))
        return _run(
            [sys.executable, "-m", "pytest", "-q", "--capture=sys", "-p", "no:cacheprovider", *tests],
            folder,
            environment,
        ).returncode


def _copy(folder: Path, *, whole: bool) -> None:
    shutil.copytree(ROOT, folder, ignore=SKIPPED, symlinks=True)
    if not whole:
        for declared in (folder / "gateway").rglob("*.p[xy][dx]"):
            if declared.parent.name not in LAYERS:
                declared.unlink()


def _environment() -> dict[str, str]:
    """Let the sanitizers' libraries come before Python, which is not built with them."""
    libraries = [_library("libasan.so"), _library("libubsan.so")]
    return {
        "LD_PRELOAD": " ".join(libraries),
        "PYTHONMALLOC": "malloc",
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1:allocator_may_return_null=1:strict_string_checks=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    }


def _library(name: str) -> str:
    argv = ["gcc", f"-print-file-name={name}"]
    return str(Path(subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()).resolve())


def _run(
    argv: list[str], folder: Path, environment: dict[str, str], *, check: bool = False, quiet: bool = False
) -> subprocess.CompletedProcess[str]:
    cleared = {name: value for name, value in os.environ.items() if name != "GATEWAY_PURE"}
    return subprocess.run(
        argv,
        cwd=folder,
        env={**cleared, "PYTHONPATH": str(folder), **environment},
        capture_output=quiet,
        text=True,
        check=check,
    )


if __name__ == "__main__":
    sys.exit(main())
