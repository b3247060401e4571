"""`pulse import list` and `pulse import undo`."""

from collections import Counter
from typing import Annotated

import typer

from pulse import days
from pulse.cli import output
from pulse.cli.arguments import DryRun, known_tenant
from pulse.cli.remembering import Memory, take_back
from pulse.cli.target import StackName, find_target

TenantId = Annotated[str, typer.Option("--tenant", metavar="ID")]


def list_imports(tenant: TenantId, stack: StackName = None, as_json: output.Json = False) -> None:
    """Show what was imported, by name.

    Example:

        pulse import list --tenant acme
    """
    target = find_target(stack)
    found = Memory.of(target, known_tenant(target, tenant).id).imports.of_tenant(tenant)
    shown = [
        {
            "name": one.name,
            "stream": one.stream,
            "into": one.into,
            "file": one.file,
            "started": days.iso(one.started_us),
            "rows": one.rows,
            "accepted": one.accepted,
            "rejected": one.rejected,
        }
        for one in found
    ]
    columns = ["name", "into", "started", "rows", "accepted", "rejected"]
    drawn = output.table(
        columns,
        [
            [(one["into"] or one["stream"]) if c == "into" else one[c] for c in columns]
            for one in shown
        ],
        right=["rows", "accepted", "rejected"],
    )
    output.show(shown, drawn if shown else f"{tenant} has no imports.", as_json=as_json)


def undo(
    name: Annotated[str, typer.Argument(help="As `pulse import list` shows it.")],
    tenant: TenantId,
    forget: Annotated[
        bool,
        typer.Option("--forget", help="Only forget the import; what it brought stays."),
    ] = False,
    dry_run: DryRun = False,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Take an import back: remove every event that it brought, and build reports without them.

    What else was collected stays, also answers that equal a row of the file. It takes some minutes
    and asks nothing; interrupted, it is run again.

    Example:

        pulse import undo answers.csv --tenant acme --dry-run
    """
    target = find_target(stack)
    memory = Memory.of(target, known_tenant(target, tenant).id)
    imported = memory.find(name)
    if forget:
        if not dry_run:
            memory.imports.forget(imported)
        receipts = []
    else:
        receipts = take_back(target, memory, imported, dry_run=dry_run)
    removed: Counter[str] = Counter()
    for receipt in receipts:
        removed.update(receipt.removed)
    stored = sorted(
        {day for receipt in receipts for found in receipt.days.values() for day in found}
    )
    result = {
        "name": imported.name,
        "removed": dict(removed),
        "days": [day.isoformat() for day in stored],
        "receipts": [] if dry_run else [receipt.key for receipt in receipts],
        "dry_run": dry_run,
    }
    would = "would be removed" if dry_run else "removed"
    events = ", ".join(f"{count:,} {stream}" for stream, count in removed.items()) or "nothing"
    output.show(
        result, f"{imported.name}: {events} {would}, of {len(stored):,} days", as_json=as_json
    )
