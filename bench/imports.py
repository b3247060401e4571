"""Measures how long the import of each function takes, which each cold start begins with.

Each time a fresh interpreter, in turns. Only what the function's layers hold is on its path, so
that a forgotten layer shows too.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from importlib.metadata import distribution
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from bench.account import REGION, ROOT
from bench.measure import Goal, Scale, Section, Times

LAMBDA = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
"""The packages that Lambda's runtime brings."""
PANDAS = ("awswrangler", "pyarrow", "pandas", "numpy", "packaging", "typing-extensions")
"""Those packages of AWS's layer for pandas that are imported."""
BUDGETS = {
    "ingest": 1.2,
    "write_raw": 2.5,
    "build_daily": 6.0,
    "build_reports": 6.0,
    "serve_reports": 2.5,
    "export_revenue": 2.5,
    "order_exports": 1.5,
    "export_rows": 6.0,
    "housekeep": 1.5,
    "compact_raw": 2.5,
}
"""The goals: how long each function's import may take, in times of boto3's with a client of SQS."""
_REFERENCE = "boto3 with an SQS client"
_CLIENT = "; from pulse.store.clients import client; client('sqs', fail_fast=True)"
_PROGRAM = """
import time
start = time.process_time()
{work}
print(time.process_time() - start)
"""


def run(scale: Scale) -> Section:
    """Measure the import of every function beside that of boto3."""
    with tempfile.TemporaryDirectory() as folder:
        functions = _functions(Path(folder))
        programs = {_REFERENCE: (_site(Path(folder) / "boto3", LAMBDA), _reference())}
        for name, paths in functions.items():
            programs[name] = (paths, "import app")
        programs["ingest with an SQS client"] = (functions["ingest"], f"import app{_CLIENT}")
        taken = _in_turns(max(3, scale.rounds // 4), programs)
    base = taken[_REFERENCE].median
    rows = [
        (
            name,
            times.text,
            f"{times.median / base:.2f}",
            f"{BUDGETS[name.split()[0]]:.1f}" if name != _REFERENCE else "",
        )
        for name, times in taken.items()
    ]
    ratio = taken["ingest"].median / base
    over = [name for name in functions if taken[name].median > BUDGETS[name] * base]
    return Section(
        title="Importing the functions",
        about="CPU time of `import app` in a fresh interpreter whose path holds the function, "
        "our code and what its layers have; bytecode is there. As times boto3's import with an "
        "SQS client, beside the budget. A function makes its clients at its first event; what "
        "ingest costs with one stands in a line of its own.",
        header=("what", "median (p5-p95)", "ratio", "budget"),
        rows=tuple(rows),
        goals=(
            Goal(
                "ingest's import at most 1.2 of boto3's own with an SQS client",
                f"{ratio:.2f}",
                ratio <= 1.2,
            ),
            Goal("every function within its budget", ", ".join(over) or "all are", not over),
        ),
    )


def _reference() -> str:
    return "import boto3; boto3.client('sqs')"


def _in_turns(rounds: int, programs: Mapping[str, tuple[list[Path], str]]) -> dict[str, Times]:
    """The CPU seconds that each program's work takes, as the program itself prints them."""
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(rounds + 1):
        for name, (paths, work) in programs.items():
            seconds = _seconds(paths, work)
            if number:  # the first round writes bytecode
                taken[name].append(seconds)
    return {name: Times(tuple(seconds)) for name, seconds in taken.items()}


def _seconds(paths: list[Path], work: str) -> float:
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-S", "-c", _PROGRAM.format(work=work)],
        env={
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "made-up",
            "AWS_SECRET_ACCESS_KEY": "made-up",
            "POWERTOOLS_METRICS_NAMESPACE": "Pulse",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{work}: {done.stderr}")
    return float(done.stdout)


def _functions(folder: Path) -> dict[str, list[Path]]:
    """What Lambda puts on the path of each function, by its name."""
    template = yaml_parse((ROOT / "template.yaml").read_text())
    paths = {}
    for resource in template["Resources"].values():
        code = resource.get("Properties", {}).get("CodeUri", "")
        if resource["Type"] != "AWS::Serverless::Function" or not code.startswith("functions/"):
            continue
        name = Path(code).name
        layers = json.dumps(resource["Properties"].get("Layers", []))
        wanted = {*LAMBDA, *_locked("runtime")}
        if "EnrichLayer" in layers:
            wanted |= _locked("enrich")
        if "PandasLayer" in layers:
            wanted |= set(PANDAS)
        site = _site(folder / name, sorted(wanted))
        paths[name] = [ROOT / code, ROOT / "shared", *site]
    return paths


def _locked(layer: str) -> set[str]:
    """The packages of one of our layers."""
    lines = (ROOT / "layers" / layer / "requirements.txt").read_text()
    return set(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==", lines, re.MULTILINE))


def _site(folder: Path, packages: Iterable[str]) -> list[Path]:
    """A folder with these installed packages and no others."""
    folder.mkdir()
    for package in packages:
        found = distribution(package)
        for top in {file.parts[0] for file in found.files or () if file.parts[0] != ".."}:
            if top != "__pycache__" and not (folder / top).exists():
                (folder / top).symlink_to(Path(str(found.locate_file(top))))
    return [folder]
