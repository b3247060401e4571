"""Builds that commands run on this machine, with the caller's AWS credentials.

They use the same classes as the functions, and may run at the same time as these.
"""

import logging
import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from typing import TYPE_CHECKING

from pulse.cli import output
from pulse.cli.exits import FailedError
from pulse.errors import BuildCheckError, PulseError
from pulse.observe import logger
from pulse.settings import BuildDailySettings, BuildSettings
from pulse.store import queue

if TYPE_CHECKING:
    from pulse.tenant_years.build import ReportsResult

_ASK_EVERY_S = 1.0
_MORE_BUILDS = 2


@contextmanager
def functions_quiet() -> Iterator[None]:
    """Within the block the functions' log, JSON for CloudWatch, is not written to stdout."""
    level = logger.log_level
    streams = [h for h in logger.handlers if isinstance(h, logging.StreamHandler)]
    before = [handler.setStream(sys.stderr) for handler in streams]
    logger.setLevel("WARNING")
    try:
        yield
    finally:
        logger.setLevel(level)
        for handler, stream in zip(streams, before, strict=True):
            handler.setStream(stream or sys.stdout)


def wait_until_stored(queue_url: str, seconds: int) -> None:
    """Wait until the queue is empty, for at most so many seconds; print if it is not."""
    give_up = time.monotonic() + seconds
    said = False
    while left := queue.depth(queue_url):
        if time.monotonic() >= give_up:
            output.say(f"About {left:,} messages are still on their way: the next build has them.")
            return
        if not said:
            output.say("Waiting until what was accepted is stored …")
            said = True
        time.sleep(_ASK_EVERY_S)


def build_daily(
    settings: BuildDailySettings,
    start: date | None = None,
    end: date | None = None,
    *,
    impatient: bool = False,
) -> tuple[date, ...]:
    """Build every day that has changed, or every day from start to end; returns the days built.

    Days that are known to fail are tried again when they are due, or now if `impatient`. On a
    terminal a bar shows how many days are done.
    """
    from pulse.daily.build import BuildDaily  # slow to import: it brings pandas

    stage = BuildDaily.from_settings(settings)
    output.say("Building days …")
    built: set[date] = set()
    finished = False
    with output.bars() as show:
        while not finished:
            # no event: the reports are built here next, not by the deployed function as well
            result = stage.run(
                start,
                end,
                remaining_s=_no_limit,
                wake=False,
                impatient=impatient,
                whole=True,
                progress=lambda stream, done, total: show(f"days of {stream}", done, total),
            )
            built |= set(result.built)
            finished = result.finished
    return tuple(sorted(built))


def build_reports(settings: BuildSettings, *, impatient: bool = False) -> "ReportsResult":
    """Write the changed days of every tenant's years; return the sum of all runs' results.

    Years that are known to fail are tried again when they are due, or now if `impatient`.
    """
    from pulse.tenant_years.build import BuildReports, ReportsResult  # slow to import: pandas

    stage = BuildReports.from_settings(settings)
    output.say("Building reports …")
    results: list[ReportsResult] = []
    while not results or not results[-1].finished:
        results.append(stage.run(remaining_s=_no_limit, impatient=impatient, whole=True))
    return ReportsResult(
        rewritten=tuple(sorted({one for result in results for one in result.rewritten})),
        examined=sum(result.examined for result in results),
        folded=sum(result.folded for result in results),
        written=sum(result.written for result in results),
        finished=True,
    )


def rebuild(
    settings: BuildDailySettings, *, reports: bool = True, erased_of: str | None = None
) -> None:
    """Build the days that an erasure, a purge or a restoration has changed, and reports if wanted.

    If rows of the tenant `erased_of` were erased, its older report objects are removed. A build
    that reads a day while the day is rewritten refuses its own result, so it is tried again. Raises
    FailedError, with what to do, if that does not succeed.
    """
    try:
        try:
            for _ in range(_MORE_BUILDS):
                with suppress(BuildCheckError):
                    build_daily(settings)
                    break
            else:
                build_daily(settings)
        finally:  # reports are built even if a day cannot be
            if reports:
                build_reports(settings)
        if erased_of:
            _remove_replaced(settings, erased_of)
    except PulseError as error:
        raise FailedError(
            f"{error}. Raw has changed, but not all reports have been built from it yet: run "
            "`pulse build`, then this command again."
        ) from error


def _remove_replaced(settings: BuildSettings, tenant: str) -> None:
    """Remove every report object of a tenant that newer ones have replaced."""
    from pulse.tenant_years.folding import Folding  # slow to import: it brings pyarrow

    Folding.from_settings(settings).fold(tenant)


def _no_limit() -> float:
    return math.inf
