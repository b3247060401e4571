"""Packages import what CONTRIBUTING.md lists before them, and nothing else of Pulse."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "shared" / "pulse"
UNITS = sorted(path.stem for path in PACKAGE.iterdir() if path.stem[0] != "_")
"""What stands directly below shared/pulse: packages, and modules that are alone."""


def order() -> list[str]:
    """The packages in the order of the table, the one that imports nothing first."""
    text = (ROOT / "CONTRIBUTING.md").read_text().partition("## What imports what\n")[2]
    rows = re.findall(r"^\| [a-z ]+ \| (`.*`) \|", text.partition("\n## ")[0], re.MULTILINE)
    return re.findall(r"`(\w+)`", " ".join(rows))


def imports(source: str) -> Iterator[str]:
    """The packages of pulse that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "pulse":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from _below(node.module)
        elif isinstance(node, ast.Import):
            yield from (name for alias in node.names for name in _below(alias.name))


def _below(module: str) -> list[str]:
    return re.findall(r"^pulse\.(\w+)", module)


def modules(unit: str) -> list[Path]:
    """The files of a package, or the one of a module."""
    return sorted((PACKAGE / unit).rglob("*.py")) or [PACKAGE / f"{unit}.py"]


def test_the_table_lists_every_package_once() -> None:
    assert sorted(order()) == UNITS


@pytest.mark.parametrize("unit", UNITS)
def test_a_package_imports_what_stands_before_it(unit: str) -> None:
    before = {*order()[: order().index(unit)], unit}
    running_up = {
        f"{path.relative_to(ROOT)} imports pulse.{name}"
        for path in modules(unit)
        for name in imports(path.read_text())
        if name not in before
    }
    assert not running_up


@pytest.mark.parametrize(
    "source",
    [
        "from pulse import serve",
        "from pulse.serve.query import parse",
        "import pulse.serve.query as query",
        "def late() -> None:\n    from pulse.serve import query",
    ],
)
def test_every_way_to_import_is_seen(source: str) -> None:
    assert list(imports(source)) == ["serve"]
