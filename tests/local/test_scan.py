"""The scan distinguishes a report without findings from a missing report."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local import scan

LOCK = Path("requirements.txt")
SAFE = {"name": "safe", "version": "1.0", "vulns": []}
FAULTY = {
    "name": "faulty",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}],
}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}


def answering(monkeypatch: pytest.MonkeyPatch, stdout: str, stderr: str = "") -> None:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, stdout, stderr)

    monkeypatch.setattr(subprocess, "run", run)


@pytest.mark.parametrize(
    ("packages", "fails", "said"),
    [
        ([SAFE], False, "none in 1 packages"),
        ([SAFE, FAULTY], True, "faulty 1.0: PYSEC-1, mended in 1.1"),
        ([SAFE, UNKNOWN], False, "NOT LOOKED UP: the service does not know 1 packages"),
    ],
)
def test_what_is_known_fails_and_what_is_not_is_told(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    packages: list[dict[str, Any]],
    fails: bool,
    said: str,
) -> None:
    answering(monkeypatch, json.dumps({"dependencies": packages}))
    assert scan._vulnerabilities([LOCK]) is fails
    assert said in capsys.readouterr().out


def test_a_service_out_of_reach_is_no_clean_bill(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(monkeypatch, "", "Traceback\nConnectionError: no such host")
    assert scan._vulnerabilities([LOCK]) is False
    said = capsys.readouterr().out
    assert "NOT LOOKED UP: requirements.txt, ConnectionError: no such host" in said
    assert "none in" not in said


def test_all_that_people_write_is_read() -> None:
    read = {str(path) for path in scan._files(*scan.MADE_UP, "shared", "web", "template.yaml")}
    assert {"template.yaml", "shared/pulse/http.py", "tests/local/test_scan.py"} <= read
    assert not [path for path in read if "node_modules" in path or path.endswith(".png")]
