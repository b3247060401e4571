"""`make bench` measures, and writes RESULTS.md.

    python -m bench [--quick | --full] [--part PART …] [--results FILE]

The default takes about half an hour on two idle cores. BENCH_SCALE names the scale too.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.measure import SCALES, Scale, Section, measured
from bench.page import page

PARTS = (
    "imports",
    "ingest",
    "write_raw",
    "build_daily",
    "reports",
    "statements",
    "years",
    "questions",
    "read",
    "comments",
    "insights",
    "large",
)
RESULTS = Path(__file__).with_name("RESULTS.md")


def main(arguments: Sequence[str]) -> int:
    """Measure the parts and write the page; return 0, also where goals are missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Pulse.")
    parser.add_argument("--part", action="append", choices=PARTS, help="only this part")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the page to write")
    scales = parser.add_mutually_exclusive_group()
    for name in SCALES:
        scales.add_argument(
            f"--{name}",
            action="store_const",
            const=name,
            dest="scale",
            help="how much is measured",
        )
    given = parser.parse_args(arguments)
    scale = SCALES[given.scale or os.environ.get("BENCH_SCALE", "default")]
    start = time.monotonic()
    parts = [_measured(name, scale) for name in given.part or PARTS]
    given.results.write_text(page(scale, parts, time.monotonic() - start))
    _say(f"The results are in {given.results}.")
    return 0


def _measured(name: str, scale: Scale) -> Section:
    _say(f"{name}, scale {scale.name} …")
    part = measured(name, scale)
    for goal in part.goals:
        verdict = {True: "held", False: "MISSED", None: "not judged"}[goal.held]
        _say(f"  {verdict}: {goal.text}: {goal.measured}")
    return part


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
