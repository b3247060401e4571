"""The embedded stack stands alone: it knows a template, and nothing of what the template is of."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

LOCAL = Path(__file__).parents[2] / "local"
OF_PULSE = ("__main__.py", "documents.py", "pictures.py", "sample")
"""make run, make docs and make pictures, and the sample: what is of Pulse and not of the stack."""
MODULES = [
    path for path in sorted(LOCAL.rglob("*.py")) if path.relative_to(LOCAL).parts[0] not in OF_PULSE
]


def name(path: Path) -> str:
    return str(path.relative_to(LOCAL))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_the_stack_imports_nothing_of_pulse_and_of_local_only_itself(path: Path) -> None:
    ours = {"pulse", "functions", "tests", "bench", "web"}
    found = list(imported(path))
    assert [module for module in found if module.split(".")[0] in ours] == []
    own = {f"local.{part.removesuffix('.py')}" for part in OF_PULSE}
    assert [m for m in found if ".".join(m.split(".")[:2]) in own] == []


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.parent.name == "athena"], ids=name
)
def test_the_embedded_athena_needs_nothing_else_of_the_stack(path: Path) -> None:
    others = [m for m in imported(path) if m.startswith("local.") and "athena" not in m]
    assert others == []


def test_modules_are_found() -> None:
    assert {"stack.py", "athena/engine.py", "iam.py"} <= set(map(name, MODULES))
    assert "pulse.days" in list(imported(LOCAL / "__main__.py"))
