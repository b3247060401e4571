"""The environments that functions run in: both ways to start one, and what is in them."""

import json
import subprocess
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import pytest

from local.deployment import FunctionConfig
from local.functions import FunctionError
from tests.runtime.bootstrap import LAYER_CODECS
from tests.runtime.conftest import ROOT, VENV
from tests.runtime.environment import Tools, start

LAYER = VENV / "layer" / "python"
APP = """
import os

def handler(event, context):
    if "error" in event:
        raise ValueError(event["error"])
    return {
        "event": event,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "milliseconds": context.get_remaining_time_in_millis(),
        "seen": os.environ["SEEN"],
    }
"""


@pytest.fixture(params=["the emulator", "the tests' own"])
def either(request: pytest.FixtureRequest, tools: Tools) -> Tools:
    """With AWS's emulator, and as where it cannot be built."""
    if request.param == "the emulator" and tools.emulator is None:
        pytest.skip("no Go, and so no aws-lambda-rie")
    return tools if request.param == "the emulator" else Tools(tools.python, None)


def function(tmp_path: Path, code: str) -> tuple[FunctionConfig, dict[str, str]]:
    """A function of that code, and its variables."""
    folder = tmp_path / "function"
    folder.mkdir()
    (folder / "app.py").write_text(code)
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:echo"
    config = FunctionConfig("echo", arn, "app.handler", {}, 90, 128, "", (folder,))
    environment = {
        "AWS_LAMBDA_FUNCTION_NAME": "echo",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "PYTHONPATH": str(folder),
        "SEEN": "seen",
    }
    return config, environment


def test_a_function_is_called_as_on_lambda(tmp_path: Path, either: Tools) -> None:
    config, environment = function(tmp_path, APP)
    with start(config, environment, either, tmp_path) as running:
        reply = running.invoke({"text": "wörter 😀"})
        assert reply["event"] == {"text": "wörter 😀"}
        assert reply["arn"].endswith(":function:echo")
        assert reply["memory"] == "128"
        assert 0 < reply["milliseconds"] <= 90_000
        assert reply["seen"] == "seen"
        with pytest.raises(FunctionError, match="ValueError: on purpose"):
            running.invoke({"error": "on purpose"})
        assert running.invoke({})["event"] == {}  # the environment outlives an exception
        assert running.init_ms > 0
        assert running.peak_bytes > 1024 * 1024


def test_what_cannot_be_imported_is_an_error(tmp_path: Path, either: Tools) -> None:
    config, environment = function(tmp_path, "import moto")
    with (
        start(config, environment, either, tmp_path) as running,
        pytest.raises(FunctionError, match=r"Runtime\.ImportModuleError: .*No module named 'moto'"),
    ):
        running.invoke({})


def test_lambdas_packages_and_no_others_are_found(tools: Tools) -> None:
    """The environment has what requirements-runtime.txt pins, and pip, which installed it."""
    (site,) = VENV.glob("lib/python3.13/site-packages")
    assert _versions(site) == _pinned("requirements-runtime.txt")
    assert _versions(LAYER) == _pinned("requirements-layer.txt")
    said = _run(tools, "import json, sys; print(json.dumps([sys.version_info[:2], sys.path]))")
    version, path = json.loads(said.stdout)
    assert version == [3, 13]
    assert not [entry for entry in path if Path(entry).is_relative_to(ROOT / ".venv")]


def test_the_layer_reads_and_writes_the_codecs_of_awss_alone(tools: Tools, tmp_path: Path) -> None:
    code = f"""
from runpy import run_path
run_path({str(LAYER_CODECS)!r})["install"]()
import pyarrow as pa, pyarrow.parquet as pq
table = pa.table({{"a": [1]}})
pq.write_table(table, "snappy.parquet", compression="snappy")
print(pq.read_table("snappy.parquet").num_rows)
pq.write_table(table, "zstd.parquet", compression="zstd")
"""
    said = _run(tools, code, PYTHONPATH=str(LAYER), cwd=tmp_path)
    assert said.stdout == "1\n"
    assert "Support for codec 'zstd' not built" in said.stderr


def _run(tools: Tools, code: str, cwd: Path = ROOT, **environment: str) -> Any:
    return subprocess.run(
        [tools.python, "-P", "-c", code], cwd=cwd, env=environment, capture_output=True, text=True
    )


def _versions(folder: Path) -> dict[str, str]:
    found: list[Distribution] = list(distributions(path=[str(folder)]))
    named = {d.metadata["Name"].lower().replace("_", "-").replace(".", "-"): d for d in found}
    return {name: d.version for name, d in named.items() if name != "pip"}


def _pinned(name: str) -> dict[str, str]:
    lines = Path(__file__).with_name(name).read_text("utf-8").splitlines()
    pinned = [line for line in lines if line[:1].isalpha() and "sys_platform ==" not in line]
    return dict(line.split(" ")[0].split("==") for line in pinned)
