"""Searches the repository for secrets, and its dependencies for vulnerabilities (`make lint`).

    python -m local.scan

It needs a Python with detect-secrets and pip-audit (requirements-scan.txt). Its exit code is 1 if
it finds a secret or a known vulnerability. Vulnerabilities are looked up in a public service; if
that cannot be reached, or does not know a package, this is printed and is no failure.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FETCHED = {".git", "node_modules", "dist", "__pycache__", "build"}
"""Folders of other people's or generated files, like all whose names begin with a dot."""
UNREAD = {".png", ".mmdb", ".svg"}
MADE_UP = ("tests", "events", "docs", "bench")
"""Folders whose ids and keys are examples, as hard to guess as real ones."""
GUESSING = ("KeywordDetector", "HexHighEntropyString", "Base64HighEntropyString")
"""Detectors that take such examples for secrets. Detectors of known forms read all folders."""
LOOK_UP_WITHIN_S = 120


def main() -> int:
    """Search for secrets and vulnerabilities; return the exit code."""
    found = [_secrets_in(_files(*MADE_UP), without=GUESSING)]
    found.append(_secrets_in(_files(*(p.name for p in ROOT.iterdir() if p.name not in MADE_UP))))
    found.append(_vulnerabilities(_locks()))
    return int(any(found))


def _files(*names: str) -> list[Path]:
    """All files below these paths of the repository."""
    return sorted(path for name in names for path in _below(ROOT / name))


def _below(path: Path) -> Iterator[Path]:
    if path.name.startswith(".") or path.name in FETCHED:
        return
    if path.is_dir():
        for inner in path.iterdir():
            yield from _below(inner)
    elif path.suffix not in UNREAD and path not in _locks() and path.name != "package-lock.json":
        yield path.relative_to(ROOT)


def _locks() -> list[Path]:
    """The lock files of pip, whose hashes look like secrets."""
    below = (*ROOT.glob("layers/*/requirements.txt"), ROOT / "bench" / "requirements.txt")
    return sorted([*ROOT.glob("requirements*.txt"), *below])


def _secrets_in(files: list[Path], without: tuple[str, ...] = ()) -> bool:
    """Print the secrets in the files; return whether there are any. `without` names detectors."""
    options = [part for detector in without for part in ("--disable-plugin", detector)]
    command = ["-m", "detect_secrets.pre_commit_hook", "--no-verify", "--cores", "2", *options]
    return subprocess.run([sys.executable, *command, *files], cwd=ROOT).returncode != 0  # noqa: S603


def _vulnerabilities(locks: list[Path]) -> bool:
    """Print known vulnerabilities and what was not looked up; return whether there are any."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        packages = [package for found in pool.map(_looked_up, locks) for package in found]
    unknown = {package["name"] for package in packages if "skip_reason" in package}
    if unknown:
        _say(f"NOT LOOKED UP: the service does not know {len(unknown)} packages.")
    faults = {
        f"{package['name']} {package['version']}: {fault['id']}, "
        f"mended in {', '.join(fault['fix_versions']) or 'no version yet'}"
        for package in packages
        for fault in package.get("vulns", ())
    }
    known = {package["name"] for package in packages} - unknown
    for said in sorted(faults) or [f"none in {len(known)} packages."] * bool(known):
        _say(said)
    return bool(faults)


def _looked_up(lock: Path) -> list[dict[str, Any]]:
    """pip-audit's results for a file's packages; if it fails, print why and return none."""
    options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    command = [sys.executable, "-m", "pip_audit", *options, "--requirement", str(lock)]
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=ROOT, capture_output=True, text=True, timeout=LOOK_UP_WITHIN_S
        )
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        _say(f"NOT LOOKED UP: {lock.name}, no answer within {LOOK_UP_WITHIN_S} seconds.")
        return []
    except ValueError:
        _say(f"NOT LOOKED UP: {lock.name}, {done.stderr.strip().rpartition(chr(10))[2]}")
        return []
    return packages


def _say(text: str) -> None:
    sys.stdout.write(f"Known vulnerabilities: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
