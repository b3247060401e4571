"""Timing in turns, so that noise hits all alike, and what a part of the bench found."""

import gc
import importlib
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Scale:
    """How much is measured. The sizes that goals speak of are kept where they can be."""

    name: str
    rounds: int
    """How often quick things are measured; slow ones less."""
    messages: int
    build_rows: tuple[int, ...]
    """Responses for build_daily; the second size is also built over a tenth of the days."""
    build_days: int
    raw_rows_a_year: int
    """Responses of 200 tenants that engines scan, a year."""
    raw_days: int
    """The days of them, the last being the end of 2025; three years if it can be."""
    typical_rows: int
    """Responses a year of the tenant that stands for most."""
    largest_rows: int
    """Responses a year of the largest tenant."""
    import_rows: int
    """Rows of the file that is imported."""
    large_answers: int
    """Responses a year of a tenant that no process can hold."""
    large_builds: int = 12
    """In how many builds its year is made, each of as many months."""


_DEFAULT = Scale(
    name="default",
    rounds=40,
    messages=10_000,
    build_rows=(1_000_000, 5_000_000, 20_000_000),
    build_days=100,
    raw_rows_a_year=5_000_000,
    raw_days=3 * 365 + 1,
    typical_rows=100_000,
    largest_rows=3_400_000,
    import_rows=20_000,
    large_answers=5_000_000,
)
SCALES: Mapping[str, Scale] = {
    scale.name: scale
    for scale in (
        Scale(
            name="tiny",  # what a test has time for; nothing is told by its figures
            rounds=1,
            messages=200,
            build_rows=(20_000,),
            build_days=10,
            raw_rows_a_year=200_000,
            raw_days=25,
            typical_rows=5_000,
            largest_rows=5_000,
            import_rows=200,
            large_answers=20_000,
            large_builds=3,
        ),
        replace(
            _DEFAULT,
            name="quick",
            rounds=15,
            messages=4_000,
            build_rows=(500_000, 1_000_000),
            build_days=20,
            raw_rows_a_year=1_000_000,
            large_answers=1_000_000,
        ),
        _DEFAULT,
        replace(
            _DEFAULT,
            name="full",
            raw_rows_a_year=20_000_000,
            large_answers=100_000_000,
        ),
    )
}


@dataclass(frozen=True)
class Times:
    """How long one thing took, each time; seconds."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Half of the times are below."""
        return statistics.median(self.seconds)

    def quantile(self, part: float) -> float:
        """The time that this part of all times does not exceed."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))]

    @property
    def text(self) -> str:
        """Median, and between what nine of ten times lie."""
        low, high = self.quantile(0.05), self.quantile(0.95)
        return f"{milliseconds(self.median)} ({milliseconds(low)}-{milliseconds(high)})"


def in_turns(rounds: int, things: Mapping[str, Callable[[], object]]) -> dict[str, Times]:
    """How long each thing takes, one after the other in each round."""
    taken: dict[str, list[float]] = {name: [] for name in things}
    for _ in range(rounds):
        for name, thing in things.items():
            gc.collect()
            start = time.perf_counter()
            thing()
            taken[name].append(time.perf_counter() - start)
    return {name: Times(tuple(seconds)) for name, seconds in taken.items()}


@dataclass(frozen=True)
class Taken:
    """How long one thing took, and how long the processor worked for it; each time, seconds."""

    wall: Times
    processor: Times
    delay_s: float
    """What it waited for, at least."""

    @property
    def alone(self) -> float:
        """About how long it takes where nothing else is done."""
        return self.delay_s + self.processor.median


def worked_in_turns(
    rounds: int, things: Mapping[str, Callable[[], object]], delay_s: float
) -> dict[str, Taken]:
    """As `in_turns`, with what the processor worked in this process; each waits that long."""
    worked: dict[str, list[float]] = {name: [] for name in things}

    def timed(name: str, thing: Callable[[], object]) -> Callable[[], object]:
        def run() -> None:
            start = time.process_time()
            thing()
            worked[name].append(time.process_time() - start)

        return run

    walls = in_turns(rounds, {name: timed(name, thing) for name, thing in things.items()})
    return {name: Taken(wall, Times(tuple(worked[name])), delay_s) for name, wall in walls.items()}


def milliseconds(seconds: float) -> str:
    """As text, with as many digits as tell something."""
    ms = seconds * 1000
    return f"{ms:,.0f} ms" if ms >= 100 else f"{ms:.1f} ms" if ms >= 1 else f"{ms:.2f} ms"


@dataclass(frozen=True)
class Goal:
    """One goal and what was measured; `held` is None where this scale cannot tell."""

    text: str
    measured: str
    held: bool | None


@dataclass(frozen=True)
class Section:
    """A section of RESULTS.md: what one part of the bench found."""

    title: str
    about: str
    """What was measured, how, and what speaks for or against the comparison."""
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    goals: tuple[Goal, ...] = field(default=())


def measured(name: str, scale: Scale) -> Section:
    """What the part of that name finds."""
    return alone(_run, name, scale)


def _run(name: str, scale: Scale) -> Section:
    part: Section = importlib.import_module(f"bench.{name}").run(scale)
    return part


def alone(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the function returns in a process that knows nothing else and prints nowhere."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_quiet) as process:
        return process.submit(work, *args, **kwargs).result()


def _quiet() -> None:
    """Functions log to standard output, and so they do here, to nobody."""
    os.environ["POWERTOOLS_LOG_LEVEL"] = "ERROR"
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
