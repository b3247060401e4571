"""`pulse restore`: brings back deleted or damaged events and records, as far as AWS has kept them.

Events come back from older versions of the objects in raw; records come back from a table that AWS
has restored beside the stack's own. docs/operations.md has the steps.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from pulse import lake
from pulse.cli import building, output
from pulse.cli.arguments import DryRun, Stream, day_range
from pulse.cli.exits import FailedError, WrongUseError
from pulse.cli.target import StackName, find_target
from pulse.erasure.purge import Purge
from pulse.errors import ConflictError
from pulse.store.held import HeldRuns
from pulse.store.records import Record, Records

if TYPE_CHECKING:
    from pulse.raw.restore import DayRestored, RestoreRaw

app = typer.Typer(no_args_is_help=True, help="Bring back what was lost.")


@app.command()
def raw(
    start: Annotated[str, typer.Option(metavar="DAY", help="The first day to look at.")],
    end: Annotated[str, typer.Option(metavar="DAY", help="The last one.")],
    stream: Stream = None,
    dry_run: DryRun = False,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Bring back events that are missing in raw, if an older version of an object still has them.

    Older versions are kept for a week. Events that were erased, were purged or have expired do not
    come back. The days are built again. Running it twice does no harm.

    Example:

        pulse restore raw --start 2026-11-18 --end 2026-11-20
    """
    first, last = day_range(start, end)
    settings = find_target(stack).build_settings
    from pulse.raw.restore import RestoreRaw  # slow to import: pyarrow

    stage = RestoreRaw.from_settings(settings, output.say, time.sleep)
    datasets = [dataset for dataset in lake.DATASETS if stream in (None, dataset.stream)]
    with building.functions_quiet():
        days = [
            found
            for dataset in datasets
            for day in sorted(stage.ledger.entries(dataset.stream))
            if first <= day <= last and (found := _restore_day(stage, dataset, day, dry=dry_run))
        ]
        if not dry_run:
            building.rebuild(settings)
    restored = [asdict(part) | {"day": str(part.day)} for found in days for part in found.objects]
    unreadable = [key for found in days for key in found.unreadable]
    columns = ("stream", "day", "rows", "key")
    rows = [[one[name] for name in columns] for one in restored]
    shown = output.table(columns, rows, right=["rows"]) if rows else "Nothing is missing."
    result = {"restored": restored, "unreadable": unreadable, "dry_run": dry_run}
    output.show(result, shown, as_json=as_json)
    if unreadable:
        raise FailedError(
            f"These objects cannot be read, and no older version can replace them: "
            f"{', '.join(unreadable)}."
        )


def _restore_day(
    stage: "RestoreRaw", dataset: lake.Dataset, day: date, *, dry: bool
) -> "DayRestored | None":
    """Restore one day. Raises FailedError naming it."""
    try:
        return stage.day(dataset, day, dry=dry)
    except (ValueError, ConflictError) as error:
        raise FailedError(f"{dataset.stream} of {day}: {error}") from error


@app.command()
def table(
    source: Annotated[
        str, typer.Option("--from", metavar="TABLE", help="The table that AWS has restored.")
    ],
    only: Annotated[
        list[str],
        typer.Option(
            metavar="PK", help="Only records whose pk begins like this, such as SURVEYS#acme."
        ),
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Write back also records that have changed since.")
    ] = False,
    dry_run: DryRun = False,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Write records back from a table that AWS restored to a point in time.

    It writes the records that are missing now; with --replace also those that differ. It never
    deletes a record, and brings nothing back of a tenant that was deleted since. --only may be
    given more than once; the docstrings at the top of shared/pulse/store/*.py say which records
    there are.

    Example:

        pulse restore table --from pulse-before --only SURVEYS#acme --only TENANTS --dry-run
    """
    if any(never.startswith(pk) for pk in only for never in ("ERASURES", "COUNTERS")):
        raise WrongUseError(
            "--only takes the beginning of a pk, but not of orders to erase (ERASURES, COUNTERS): "
            "with older ones, people who were erased since would come back."
        )
    target = find_target(stack)
    there, here = Records(source), Records(target.outputs.table)
    gone = _deleted_since(there, here)
    found = _all(there, only)
    before = {
        place: record
        for place, record in found.items()
        if not gone or _tenant_of(record, there) not in gone
    }
    missing, changed = _differing(before, _all(here, only))
    if not dry_run:
        for record in missing:
            here.create(record)
        for record in changed * replace:
            here.put(record)
        if any(record["pk"] == "TENANTS" for record in [*missing, *changed * replace]):
            # they name older parts of reports, so the next build writes all parts again
            HeldRuns(target.outputs.table).forget()
    result = {
        "missing": [_place(record) for record in missing],
        "changed": [_place(record) for record in changed],
        "deleted_since": sorted(gone),
        "replaced": replace and not dry_run,
        "dry_run": dry_run,
    }
    rows = [["missing", *_place(record)] for record in missing]
    rows += [["changed", *_place(record)] for record in changed]
    shown = output.table(("", "pk", "sk"), rows) if rows else "Nothing differs."
    output.show(result, shown, as_json=as_json)
    if len(before) < len(found):
        output.say(f"Left out, for they were deleted since: {', '.join(sorted(gone))}.")
    if changed and not replace:
        output.say(
            f"{len(changed):,} records have changed since, and stay as they are now. "
            "--replace writes them back as well."
        )
    if not dry_run:
        output.say("Within a minute every process uses the restored records.")


def _all(records: Records, only: list[str]) -> Mapping[tuple[str, str], Record]:
    """The records of these partitions, by pk and sk."""
    return {_place(record): record for pk in only for record in records.scan(pk)}


def _differing(
    before: Mapping[tuple[str, str], Record], now: Mapping[tuple[str, str], Record]
) -> tuple[list[Record], list[Record]]:
    """The records of `before` that are missing in `now`, and those that differ, both in order."""
    missing = [record for place, record in sorted(before.items()) if place not in now]
    changed = [r for place, r in sorted(before.items()) if place in now and now[place] != r]
    return missing, changed


def _place(record: Record) -> tuple[str, str]:
    return record["pk"], record["sk"]


def _deleted_since(there: Records, here: Records) -> set[str]:
    """The tenants that were deleted after the other table's moment, by their tombstones."""
    known = {record["sk"] for record in there.scan("ERASURES")}
    orders = [record for record in here.scan("ERASURES") if record["sk"] not in known]
    return {
        order["tenant"]
        for order in orders
        if order["customer"] == Purge.of_all(order["tenant"], order["erased_us"]).identity_hash
    }


def _tenant_of(record: Record, there: Records) -> str | None:
    """The tenant of a record; None if it is no tenant's."""
    pk, sk = _place(record)
    kind, _, rest = pk.partition("#")
    if kind in ("TENANTS", "FINANCE", "EXPORT_LINES"):
        return sk
    if kind in ("SURVEYS", "KEYS", "KEY_USES", "NAMES", "EXPORTS", "IMPORTS", "IMPORT_IDS"):
        return rest.partition("#")[0]
    if kind == "KEY_IDS":
        key = there.get(f"KEY#{record['sha256']}", "KEY")
        return key["tenant"] if key else None
    return record["tenant"] if kind == "KEY" else None
