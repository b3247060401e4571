"""`pulse build`, `check`, `invoke` and `redrive`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from typing import Annotated

import typer

from pulse.cli import building, output
from pulse.cli.arguments import WAIT_S, Wait, day_range
from pulse.cli.exits import FailedError, WrongUseError
from pulse.cli.target import StackName, find_target
from pulse.errors import AthenaError, BuildCheckError, CatalogError, ConflictError
from pulse.store import functions, queue


class Scheduled(StrEnum):
    """The functions that can be invoked with an empty event: the state says what they do."""

    BUILD_DAILY = "build_daily"
    BUILD_REPORTS = "build_reports"
    COMPACT_RAW = "compact_raw"
    EXPORT_REVENUE = "export_revenue"
    HOUSEKEEP = "housekeep"


def build(
    start: Annotated[
        str | None, typer.Option(metavar="DAY", help="Rebuild from this day on, changed or not.")
    ] = None,
    end: Annotated[str | None, typer.Option(metavar="DAY", help="To this day, inclusive.")] = None,
    wait: Wait = WAIT_S,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Bring the reports up to date: build every day, or every day of a range, that has changed.

    It first waits until the responses that have been accepted are stored.

    Example:

        pulse build
    """
    if (start is None) != (end is None):
        raise WrongUseError("--start and --end come together.")
    first, last = (None, None) if start is None or end is None else day_range(start, end)
    target = find_target(stack)
    building.wait_until_stored(target.outputs.queue_url, wait)
    failures: list[str] = []
    with building.functions_quiet():
        with _noted(failures):
            built = building.build_daily(target.build_settings, first, last, impatient=True)
        with _noted(failures):  # even after a failure: other days have been built
            reports = building.build_reports(target.build_settings, impatient=True)
    if failures:
        raise FailedError(
            f"{'; '.join(failures).rstrip('.')}. This stays as it was, the rest is built. "
            "`pulse check` says what cannot be built; mend that, then run `pulse build` again."
        )
    result = {
        "days": [str(one) for one in built],
        "reports": [{"tenant": tenant, "year": year} for tenant, year in reports.rewritten],
        "examined": reports.examined,
        "folded": reports.folded,
        "written": reports.written,
    }
    names = ", ".join(f"{tenant} {year}" for tenant, year in reports.rewritten) or "none"
    text = (
        f"days rebuilt: {_days(built)}\nreports rewritten: {names} "
        f"(days compared: {reports.examined:,}, older parts folded: {reports.folded:,}, "
        f"bytes written: {reports.written:,})"
    )
    output.show(result, text, as_json=as_json)
    if built or reports.rewritten:
        output.say("The interface remembers for a minute: then its reports show it.")


def check(stack: StackName = None, as_json: output.Json = False) -> None:
    """Check that nothing is lost and that every number follows from the events that it counts.

    ok; waiting: a build is due, or events are on their way; look: right, but not what somebody
    meant, or not to be decided; failed: events or numbers are wrong.

    Example:

        pulse check --json
    """
    from pulse.checks import CheckResult, run_checks  # slow to import: it talks to Athena
    from pulse.conservation import events_conserved
    from pulse.finance.check import finance_equals_reports

    target = find_target(stack)
    with building.functions_quiet():
        try:
            results = events_conserved(target.outputs)
        except AthenaError as error:  # for example because a day of raw cannot be read
            detail = f"could not be checked: {error}"
            results = [CheckResult("nothing lost", "failed", detail)]
        results += run_checks(target.build_settings)
        results.append(finance_equals_reports(target.finance_settings))
    rows = [[r.state, r.name, r.detail] for r in results]
    output.show(
        [vars(r) | {"ok": r.ok} for r in results],
        output.table(["", "check", "found"], rows),
        as_json=as_json,
    )
    failed = [result.name for result in results if not result.ok]
    if failed:
        raise FailedError(f"Failed: {', '.join(failed)}.")


def invoke(
    function: Annotated[
        Scheduled, typer.Argument(metavar="FUNCTION", help=f"One of: {', '.join(Scheduled)}.")
    ],
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Run one of the stack's own functions now, under its own role, and wait until it ends.

    It does the same as when its schedule or an event starts it. Another run at the same time does
    no harm.

    Example:

        pulse invoke compact_raw
    """
    name = "".join(word.capitalize() for word in function.split("_"))
    result = functions.call(functions.function_of(find_target(stack).stack, name))
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in result.items()]
    output.show(result, "\n".join(lines), as_json=as_json)


def redrive(stack: StackName = None, as_json: output.Json = False) -> None:
    """Give the messages that could not be stored after five tries another chance.

    Example:

        pulse redrive
    """
    outputs = find_target(stack).outputs
    moved = queue.redrive(outputs.dead_letter_queue_url, outputs.queue_url)
    output.show({"moved": moved}, f"{moved:,} messages are on their way again", as_json=as_json)


@contextmanager
def _noted(failures: list[str]) -> Iterator[None]:
    """If the block fails to build, the reason is added to `failures` and not raised."""
    try:
        yield
    except (AthenaError, BuildCheckError, CatalogError, ConflictError) as error:
        failures.append(str(error))


def _days(built: tuple[date, ...]) -> str:
    if len(built) <= 3:
        return ", ".join(map(str, built)) or "none"
    return f"{len(built)}, from {built[0]} to {built[-1]}"
