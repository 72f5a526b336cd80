"""What keeps the project readable: sizes, and which modules have tests of their own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(path for path in (ROOT / "gateway").rglob("*.py") if path.name != "__init__.py")
LONGEST = 400


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_are_short(module: Path) -> None:
    """A module fits into a head."""
    assert len(module.read_text("utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_say_what_they_are(module: Path) -> None:
    """A module begins with a sentence."""
    assert ast.get_docstring(ast.parse(module.read_text("utf-8")))


@pytest.mark.parametrize("package", sorted((ROOT / "gateway").rglob("__init__.py")), ids=lambda path: path.parent.name)
def test_packages_hold_no_code(package: Path) -> None:
    """`__init__.py` holds a docstring only; the root's chooses the form of the hot modules, before any is imported."""
    body = ast.parse(package.read_text("utf-8")).body
    chosen = [ast.ImportFrom, ast.ImportFrom, ast.Assign, ast.Expr] if package.parent.name == "gateway" else []
    assert [type(statement) for statement in body] == [ast.Expr, *chosen]
