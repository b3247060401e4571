"""Measures things in turns, so that noise hits all alike, and holds what the bench has found."""

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
    """How much is measured. Sizes that goals speak of are the same at every scale if possible."""

    name: str
    rounds: int
    """How often quick things are measured; slow ones are measured less often."""
    messages: int
    build_rows: tuple[int, ...]
    """Responses that build_daily builds; the second number also over a tenth of the days."""
    build_days: int
    raw_rows_a_year: int
    """The responses a year of the 200 tenants that engines scan."""
    raw_days: int
    """How many days these have, up to the end of 2025: three years where the scale allows."""
    typical_rows: int
    """The responses a year of the tenant that stands for most tenants."""
    largest_rows: int
    """The responses a year of the largest tenant."""
    import_rows: int
    """The rows of the file that is imported."""
    large_answers: int
    """The responses a year of a tenant that no process can hold."""
    large_months: tuple[int, int] = (1, 12)
    """The first and the last month of the year in which that tenant has answers."""
    large_builds: int = 12
    """The builds in which these are made, all of as many months."""

    @property
    def months_a_build(self) -> int:
        """How many of these months each of the builds makes."""
        first, last = self.large_months
        return (last - first + 1) // self.large_builds


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
            large_months=(5, 6),
            large_builds=2,
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
    """How many seconds one thing took each time."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The time that half of all times do not exceed."""
        return statistics.median(self.seconds)

    def quantile(self, part: float) -> float:
        """The time that this part of all times does not exceed."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))]

    @property
    def text(self) -> str:
        """The median, and the range in which nine of ten times lie."""
        low, high = self.quantile(0.05), self.quantile(0.95)
        return f"{milliseconds(self.median)} ({milliseconds(low)}-{milliseconds(high)})"


def in_turns(rounds: int, things: Mapping[str, Callable[[], object]]) -> dict[str, Times]:
    """Measure how long each thing takes; every round measures all of them, one after the other.

    Garbage of one thing is collected before the next begins; what was there before the first thing
    is not searched for it again, which would take longer than most things.
    """
    taken: dict[str, list[float]] = {name: [] for name in things}
    gc.freeze()
    try:
        for _ in range(rounds):
            for name, thing in things.items():
                gc.collect()
                start = time.perf_counter()
                thing()
                taken[name].append(time.perf_counter() - start)
    finally:
        gc.unfreeze()
    return {name: Times(tuple(seconds)) for name, seconds in taken.items()}


@dataclass(frozen=True)
class Taken:
    """How many seconds one thing took each time, and the processor worked for it."""

    wall: Times
    processor: Times
    delay_s: float
    """The seconds that it waited each time, at least."""

    @property
    def alone(self) -> float:
        """About how long it takes on a machine that does nothing else."""
        return self.delay_s + self.processor.median


def worked_in_turns(
    rounds: int, things: Mapping[str, Callable[[], object]], delay_s: float
) -> dict[str, Taken]:
    """As `in_turns`, and how long this process kept the processor; each thing waits `delay_s`."""
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
    """The time as text, with as many digits as are significant."""
    ms = seconds * 1000
    return f"{ms:,.0f} ms" if ms >= 100 else f"{ms:.1f} ms" if ms >= 1 else f"{ms:.2f} ms"


@dataclass(frozen=True)
class Goal:
    """A goal and what was measured; `held` is None where this scale is too small to tell."""

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
    """Run the part of that name in a process of its own and return its section."""
    return alone(_run, name, scale)


def _run(name: str, scale: Scale) -> Section:
    part: Section = importlib.import_module(f"bench.{name}").run(scale)
    return part


def alone(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call the function in a new process whose output is thrown away; return its result."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_quiet) as process:
        return process.submit(work, *args, **kwargs).result()


def _quiet() -> None:
    """Throw away what the process writes to standard output, where functions log."""
    os.environ["POWERTOOLS_LOG_LEVEL"] = "ERROR"
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
