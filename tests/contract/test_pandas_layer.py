"""layers/pandas leaves out of its packages only what Pulse never loads."""

import json
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

import pytest

from tests.contract.test_template import ROOT

MAKEFILE = (ROOT / "layers" / "pandas" / "Makefile").read_text()
PACKAGES = ("awswrangler", "dateutil", "numpy", "packaging", "pandas", "pyarrow")
LOAD_EVERYTHING = """
import importlib, json, pathlib, sys
for path in pathlib.Path("shared").rglob("*.py"):
    name = ".".join(path.relative_to("shared").with_suffix("").parts)
    importlib.import_module(name.removesuffix(".__init__"))
files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
maps = pathlib.Path("/proc/self/maps")
if maps.exists():  # shared libraries that the modules brought with them
    files |= {line.split()[-1] for line in maps.read_text().splitlines()}
print(json.dumps([file for file in files if file]))
"""


@pytest.fixture(scope="module")
def loaded() -> list[PurePath]:
    """The packages' files that Pulse loads when all of it is imported, from the package on."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD_EVERYTHING],
        cwd=ROOT,
        env={"PYTHONPATH": "shared"},
        capture_output=True,
        text=True,
        check=True,
    )
    parts = (re.split(r"site-packages/", path)[-1] for path in json.loads(done.stdout))
    return [PurePath(path) for path in parts if path.split("/")[0].split(".")[0] in PACKAGES]


def left_out(path: PurePath) -> bool:
    """Whether the layer is built without the file."""
    folders = re.findall(r"\$\(PYTHON\)/([a-z0-9/]+)\"", MAKEFILE)
    of_all, of_pyarrow = re.findall(
        r"^\tfind \"[^\"]+\" -type f (.+?) -delete", MAKEFILE, re.M | re.S
    )
    names = re.findall(r"-name '([^']+)'", of_all)
    if path.parts[0] == "pyarrow":
        names += re.findall(r"-name '([^']+)'", of_pyarrow)
    assert len(folders) >= 4
    return (
        "tests" in path.parts[:-1]
        or any(path.is_relative_to(folder) for folder in folders if folder != "pyarrow")
        or any(fnmatchcase(path.name, name) for name in names)
    )


def test_what_pulse_loads_is_in_the_layer(loaded: list[PurePath]) -> None:
    assert {path.parts[0] for path in loaded} >= {"awswrangler", "numpy", "pandas", "pyarrow"}
    if Path("/proc/self/maps").exists():
        assert any(path.name.startswith("libarrow_python.so") for path in loaded)
    assert [path for path in loaded if left_out(path)] == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("pandas/tests/test_algos.py", True),
        ("numpy/f2py/crackfortran.py", True),
        ("pyarrow/libarrow_flight.so.2500", True),
        ("pyarrow/libarrow_python.so.2500.1.0", True),
        ("pyarrow/libarrow_python.so.2500", False),
        ("pyarrow/libparquet.so.2500", False),
        ("pyarrow/include/arrow/api.h", True),
        ("pandas/_testing/__init__.py", False),
        ("awswrangler/athena/__init__.py", False),
    ],
)
def test_the_makefile_is_read_right(path: str, expected: bool) -> None:
    assert left_out(PurePath(path)) == expected
