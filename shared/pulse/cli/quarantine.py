"""`pulse quarantine`: shows events that were accepted and not stored, and sends them again.

It reads and writes the lake and the queue with the caller's AWS credentials.
"""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.text import Text

from pulse import lake
from pulse.cli import output
from pulse.cli.arguments import WAIT_S, DryRun, Wait, assignments, day
from pulse.cli.building import wait_until_stored
from pulse.cli.exits import REJECTED, WrongUseError
from pulse.cli.target import StackName, Target, find_target
from pulse.raw.resend import FIELDS, LineFilter, Quarantine, QuarantineLine, Resent
from pulse.store.clients import client
from pulse.store.objects import Objects
from pulse.store.queue import Queue

app = typer.Typer(
    no_args_is_help=True,
    help="Events that were accepted and could not be stored, with the reasons.",
)

OfTenant = Annotated[
    str | None, typer.Option("--tenant", metavar="ID", help="Only lines of this tenant.")
]
OfStream = Annotated[
    str | None,
    typer.Option("--stream", metavar="STREAM", help="responses, interactions or sessions."),
]
OfReason = Annotated[
    str | None,
    typer.Option("--reason", metavar="TEXT", help="Only lines whose reason contains this text."),
]
OfDay = Annotated[
    str | None, typer.Option("--day", metavar="DAY", help="Only lines set aside on this day (UTC).")
]
_SHOWN = 20
_MOST_UNSENDABLE = 20


@app.command("list")
def list_lines(
    tenant: OfTenant = None,
    stream: OfStream = None,
    reason: OfReason = None,
    on: OfDay = None,
    limit: Annotated[
        int, typer.Option(min=0, metavar="N", help="How many lines to show one by one.")
    ] = _SHOWN,
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="With --json: show whole lines, comments of customers included."
        ),
    ] = False,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Show what was set aside: how many lines for each reason, and some of the lines.

    Example:

        pulse quarantine list --tenant acme --reason "score must be"
    """
    if full and not as_json:
        raise WrongUseError(
            "--full needs --json: it prints whole lines for a file that you can edit."
        )
    wanted = _wanted(tenant, stream, reason, on)
    counts: Counter[tuple[str, str, str]] = Counter()
    events: Counter[tuple[str, str, str]] = Counter()
    shown: list[Mapping[str, Any]] = []
    for line in _quarantine(find_target(stack)).lines(wanted):
        group = (line.stream, line.tenant or "", line.reason)
        counts[group] += 1
        events[group] += len(line.items)
        if len(shown) < limit:
            shown.append(_told(line, full=full))
    reasons = [
        {"stream": of, "tenant": whose or None, "reason": why, "lines": n, "events": events[group]}
        for group, n in counts.most_common()
        for of, whose, why in [group]
    ]
    result = {"lines": counts.total(), "events": events.total(), "reasons": reasons}
    output.show(result | {"shown": shown}, _listed(result, shown), as_json=as_json)


@app.command()
def resend(
    tenant: OfTenant = None,
    stream: OfStream = None,
    reason: OfReason = None,
    on: OfDay = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="FIELD=VALUE", help="Give a field of the items this value, as JSON."
        ),
    ] = None,
    mended: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Send the lines of this file, edited: it has what `list --json --full` printed.",
        ),
    ] = None,
    dry_run: DryRun = False,
    wait: Wait = WAIT_S,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Send again what was set aside, with its own kind of key, country, browser, time and id.

    Lines that were sent leave the quarantine; what cannot be stored again returns to it. Nothing
    is counted twice.

    Example:

        pulse quarantine resend --tenant acme --reason "scale" --set 'scale="1-5"'
    """
    wanted = _wanted(tenant, stream, reason, on)
    values = _values(changes or [])
    lines = _mended(mended) if mended else None
    target = find_target(stack)
    found: set[str] = set()

    def mend(line: QuarantineLine) -> QuarantineLine | None:
        found.add(line.id)
        return _edited(line, lines, values)

    resent = _quarantine(target).resend(wanted, mend, dry=dry_run)
    missing = sorted((lines or {}).keys() - found)
    if resent.lines and not dry_run:
        wait_until_stored(target.outputs.queue_url, wait)
    result = {
        "dry_run": dry_run,
        "lines": resent.lines,
        "events": resent.events,
        "unsendable": [
            {**_told(line, full=False), "why": why}
            for line, why in resent.unsendable[:_MOST_UNSENDABLE]
        ],
        "unsendable_lines": len(resent.unsendable),
        "not_found": missing,
    }
    output.show(result, _sent(resent, missing, dry_run=dry_run), as_json=as_json)
    if resent.unsendable or missing:
        raise typer.Exit(REJECTED)


def _edited(
    line: QuarantineLine, lines: Mapping[str, Mapping[str, Any]] | None, values: Mapping[str, Any]
) -> QuarantineLine | None:
    """The line with the file's content and these values; None if a file is given without it."""
    if lines is None:
        return line.with_values(values)
    if line.id not in lines:
        return None
    return QuarantineLine(line.key, {**line.told, **lines[line.id]}).with_values(values)


def _quarantine(target: Target) -> Quarantine:
    for service in ("s3", "sqs"):
        client(service)  # made before there are threads, which botocore needs
    return Quarantine(Objects(target.outputs.lake_bucket), Queue(target.outputs.queue_url))


def _wanted(
    tenant: str | None, stream: str | None, reason: str | None, on: str | None
) -> LineFilter:
    if stream is not None and stream not in lake.STREAMS:
        raise WrongUseError(f"--stream takes one of {', '.join(lake.STREAMS)}, not {stream!r}.")
    return LineFilter(tenant, stream, reason, day(on, "--day") if on else None)


def _values(changes: list[str]) -> dict[str, Any]:
    """FIELD=VALUE texts as values: parsed as JSON, or the text itself if it is no JSON."""
    values: dict[str, Any] = {}
    for name, text in assignments(changes, "--set").items():
        if name not in FIELDS:
            raise WrongUseError(f"--set: no event has {name!r}. There are: {_names(FIELDS)}.")
        try:
            values[name] = json.loads(text)
        except ValueError:
            values[name] = text
    return values


def _names(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _mended(path: Path) -> dict[str, Mapping[str, Any]]:
    """The contents of edited lines, by the ids of the lines that they replace."""
    try:
        told = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise WrongUseError(f"{path} cannot be read: {error}.") from error
    lines: Any = told.get("shown") if isinstance(told, dict) else told
    try:
        return {
            line["id"]: {name: line[name] for name in ("row", "message") if name in line}
            for line in lines
        }
    except (TypeError, KeyError) as error:
        raise WrongUseError(
            f"{path} has no lines: give a file that `pulse quarantine list --json --full` printed."
        ) from error


def _told(line: QuarantineLine, *, full: bool) -> dict[str, Any]:
    told = {
        "id": line.id,
        "object": line.key,
        "stream": line.stream,
        "tenant": line.tenant,
        "reason": line.reason,
        "received": line.told["received"],
        "events": line.event_ids,
        "being_resent": line.is_marked,
    }
    if full:
        told |= {name: line.told[name] for name in ("row", "message") if name in line.told}
    return told


def _listed(result: Mapping[str, Any], shown: list[Mapping[str, Any]]) -> Group | str:
    if not result["lines"]:
        return "nothing is set aside"
    reasons = output.table(
        ["stream", "tenant", "reason", "lines", "events"],
        [list(row.values()) for row in result["reasons"]],
        right=["lines", "events"],
    )
    lines = output.table(
        ["line", "received", "reason", "events"],
        [
            [line["id"], line["received"], line["reason"], ", ".join(line["events"][:3])]
            for line in shown
        ],
    )
    more = result["lines"] - len(shown)
    return Group(reasons, Text(), lines, *([Text(f"and {more:,} more")] if more else []))


def _sent(resent: Resent, missing: list[str], *, dry_run: bool) -> str:
    would = "would be sent" if dry_run else "were sent"
    text = [f"{resent.lines:,} lines with {resent.events:,} events {would} again"]
    reasons = Counter(why for _, why in resent.unsendable)
    text += [
        f"{n:,} lines cannot be sent before they are edited: {why}"
        for why, n in reasons.most_common(5)
    ]
    text += [f"there is no line {name} any more" for name in missing[:5]]
    if resent.lines and not dry_run:
        text.append("`pulse build` brings them into the reports")
    return "\n".join(text)
