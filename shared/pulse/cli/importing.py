"""`pulse import`: sends the rows of a file to the interface, in batches.

First the whole file is read, to check that every row can be read without guessing (preparing.py).
Only then is anything sent, one day after the other (sending.py).
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from pulse import days
from pulse.cli import output
from pulse.cli.api import Api
from pulse.cli.arguments import DryRun, assignments, known_tenant, survey_id
from pulse.cli.exits import REJECTED, FailedError, WrongUseError
from pulse.cli.given import Given, Options
from pulse.cli.interactions import INTERACTIONS
from pulse.cli.keyring import given_key, passing_key
from pulse.cli.layout import layout_names
from pulse.cli.plan import ImportPlan, Kind
from pulse.cli.preparing import prepare
from pulse.cli.rejects import RejectsFile
from pulse.cli.remembering import (
    Memory,
    Recalled,
    Repeats,
    checked_name,
    replace_former,
    undo_command,
)
from pulse.cli.responses import RESPONSES
from pulse.cli.sending import ImportTally, send_all
from pulse.cli.spool import Spool
from pulse.cli.summary import Summary
from pulse.cli.target import StackName, Target, find_target
from pulse.cli.trying import FileColumn, Trial, judge, show_columns, show_rejected, show_rows
from pulse.cli.undoing import list_imports, undo
from pulse.tenants.tenant import Tenant

_MOST_REPEATED = 3
_KEY_LASTS_US = 6 * 3600 * days.SECOND
"""How long an import's key lasts: longer than any import takes. One that takes longer goes on when
it is run again."""

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="CSV, .xlsx, .ods or .xls with a header line; also as .gz."
    ),
]
TenantId = Annotated[str, typer.Option("--tenant", metavar="ID")]
Mapped = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="Where a field stands. May repeat."),
]
Fixed = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="One value for all rows. May repeat."),
]
Timezone = Annotated[
    str | None,
    typer.Option(metavar="ZONE", help="Of times without an offset. Default: the tenant's."),
]
DateFormat = Annotated[
    str | None,
    typer.Option(
        metavar="FMT",
        help="How times are written, in strptime's terms, for example %d/%m/%Y; or unix, unix_ms "
        "(seconds, milliseconds since 1970) or excel (a spreadsheet's serial days). "
        "Not needed for RFC 3339 and where the year comes first.",
    ),
]
DecimalComma = Annotated[
    bool,
    typer.Option(
        "--decimal-comma",
        help="Numbers are written as 12,50. 1.234,50 and 1.234.567 are read, too; 12.50 and 1.234 "
        "are rejected: they may be meant with a decimal point.",
    ),
]
Delimiter = Annotated[
    str | None,
    typer.Option(help="Between cells: , ; | tab or any other. Default: what the file shows."),
]
Encoding = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Such as windows-1250. Default: what the file shows."),
]
Sheet = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Of a workbook, its name or number. Default: the first with cells."
    ),
]
HeaderRow = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="The line of the header. Default: the first that is not blank."
    ),
]
Skip = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="Rows to leave out below the header.")
]
LeaveOut = Annotated[
    list[str] | None,
    typer.Option(
        "--leave-out",
        metavar="NAME=TEXT",
        help="Rows that are none: where a field's or column's cell holds this text, or, without "
        "it, nothing. May repeat.",
    ),
]


def _layout_option(stream: str) -> Any:
    return typer.Option(
        "--layout",
        metavar="NAME",
        help=f"The export of a known system: {', '.join(layout_names(stream))}. It says where "
        "fields stand; other options go before it.",
    )


Labelled = Annotated[
    bool,
    typer.Option("--labelled", help="Numbers have labels: 5 - Very good, or Very good - 5."),
]
Values = Annotated[
    list[str] | None,
    typer.Option(
        "--value",
        metavar="FIELD:FROM=TO",
        help="What a cell of a field's column means, such as score:Good=5. May repeat.",
    ),
]
Empty = Annotated[
    list[str] | None,
    typer.Option(
        "--empty",
        metavar="TEXT,…",
        help="Cells that count as empty, such as NULL,N/A. May repeat.",
    ),
]
Rejects = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Where rejected rows go, with their reasons. Default: FILE.rejects.csv",
    ),
]
Batch = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The import's name; its rows without ids count apart from equal ones of other files.",
    ),
]
GivenKey = Annotated[
    str | None,
    typer.Option("--key", help="A secret key of the tenant. Default: one made for this import."),
]

app = typer.Typer(no_args_is_help=True, help="Bring in what other systems have collected.")
app.command("list")(list_imports)
app.command("undo")(undo)


@app.command("responses")
def import_responses(
    context: typer.Context,
    file: File,
    tenant: TenantId,
    layout: Annotated[str | None, _layout_option("responses")] = None,
    mapping: Mapped = None,
    survey: Annotated[
        str | None, typer.Option("--survey", metavar="ID", help="Same as --set survey_id=ID.")
    ] = None,
    fixed: Fixed = None,
    timezone: Timezone = None,
    date_format: DateFormat = None,
    decimal_comma: DecimalComma = False,
    labelled: Labelled = False,
    value: Values = None,
    empty: Empty = None,
    leave_out: LeaveOut = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    header_row: HeaderRow = None,
    skip: Skip = None,
    rejects: Rejects = None,
    batch: Batch = None,
    key: GivenKey = None,
    dry_run: DryRun = False,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Import survey responses from a file.

    Interrupted or run again, it counts no row twice: a row without a response_id gets one made of
    its content, and equal rows of a file stay distinct. The same file with other options replaces
    what it brought before. Of a date without a time the day alone is known. Columns become tags by
    --map tags.NAME=COLUMN.

    Example:

        pulse import responses nps.csv --tenant bank --survey email \\
          --map score=rating --map answered_at=date --map customer_id=user \\
          --set channel=external
    """
    named = assignments(fixed or (), "--set").get("survey_id")
    if survey is not None and named not in (None, survey):
        raise WrongUseError("--survey and --set survey_id name different surveys.")
    said = () if survey is None or named is not None else (f"survey_id={survey}",)
    options = _options(context, fixed=(*(fixed or ()), *said))
    into = Into.find(stack, tenant, key)
    given = Given.read(RESPONSES, file, options, into.tenant.timezone)
    _check_survey(into, given.values.get("survey_id"))
    _import(RESPONSES, given, into, rejects, batch, dry_run=dry_run, as_json=as_json)


@app.command("interactions")
def import_interactions(
    context: typer.Context,
    file: File,
    tenant: TenantId,
    layout: Annotated[str | None, _layout_option("interactions")] = None,
    mapping: Mapped = None,
    fixed: Fixed = None,
    timezone: Timezone = None,
    date_format: DateFormat = None,
    decimal_comma: DecimalComma = False,
    labelled: Labelled = False,
    value: Values = None,
    empty: Empty = None,
    leave_out: LeaveOut = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    header_row: HeaderRow = None,
    skip: Skip = None,
    rejects: Rejects = None,
    batch: Batch = None,
    key: GivenKey = None,
    dry_run: DryRun = False,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Import interactions from a file: calls, mails, chats and what became of them.

    Interrupted or run again, it counts no interaction twice: a row without an interaction_id gets
    one made of its content. The same file with other options replaces what it brought before. Of
    several rows on one interaction the last that has a value prevails, or the one with the latest
    updated_at. Without updated_at, a row overrides what was imported before, and nothing that a
    live system has sent since.

    Example:

        pulse import interactions calls.csv --tenant bank --set media_type=voice \\
          --map interaction_id=call --map entered_at=start --map accepted_at=answered \\
          --map revenue.amount=sale --set revenue.currency=EUR
    """
    options = _options(context)
    into = Into.find(stack, tenant, key)
    given = Given.read(INTERACTIONS, file, options, into.tenant.timezone)
    _import(INTERACTIONS, given, into, rejects, batch, dry_run=dry_run, as_json=as_json)


def _options(context: typer.Context, **known: tuple[str, ...]) -> Options:
    """A command's options about a file, from its parameters; `known` overrides them."""
    typed = {one.name: context.params[one.name] for one in fields(Options)} | known
    texts = {name: tuple(value) for name, value in typed.items() if isinstance(value, list)}
    return replace(Options(), **{n: v for n, v in (typed | texts).items() if v is not None})


@dataclass(frozen=True)
class Into:
    """Where the events go: a tenant of a stack, and the key that was given, if any."""

    target: Target
    tenant: Tenant
    key: str | None

    @classmethod
    def find(cls, stack: str | None, tenant: str, key: str | None) -> "Into":
        """The tenant, which must exist. Raises WrongUseError."""
        target = find_target(stack)
        return cls(target, known_tenant(target, tenant), key)

    def usable_key(self) -> AbstractContextManager[str]:
        """Within the block, a secret key of the tenant."""
        tenants, tenant = self.target.tenants, self.tenant.id
        if self.key is not None:
            return nullcontext(given_key(tenants, self.key, tenant))
        return passing_key(tenants, "secret", tenant, lasting_us=_KEY_LASTS_US)


def _import(
    kind: Kind,
    given: Given,
    into: Into,
    rejects: Path | None,
    batch: str | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    batch = None if batch is None else checked_name(batch)
    output.say(f"{given.source.path.name}: {given.source.told}.")
    plan = given.plan(kind)
    if dry_run:
        _try(plan, given, into, batch, as_json=as_json)
        return
    tally = ImportTally(RejectsFile(given.source, rejects))
    with Spool() as waiting:
        prepared = prepare(given.source, plan, into.tenant.timezone, waiting, tally.reject, batch)
        memory = Memory.of(into.target, into.tenant.id)
        recalled = memory.recall(
            given.source.path, kind.route.name, given.into(kind), prepared, batch
        )
        repeats, hashes = memory.repeats(recalled, prepared.made)
        doing = f"Importing {len(prepared.days):,} days"
        with tally.file:
            _check_readable(recalled, tally)
            with into.usable_key() as key, output.progress(doing, prepared.rows) as step:
                step(tally.rejected.total())
                memory.begin(recalled, hashes, key, shared=into.key is not None)
                send_all(kind, prepared, tally, step, Api(into.target.api_url, key).post)
    if recalled.replaced:
        _replace(into.target, memory, recalled, tally)
    memory.finish(recalled.now, tally.accepted, tally.rejected.total())
    summary = Summary.of(given.source, prepared, given.notation.times.timezone)
    _report(tally, summary, kind, recalled, repeats, as_json=as_json)


def _try(plan: ImportPlan, given: Given, into: Into, batch: str | None, *, as_json: bool) -> None:
    """Print what an import would do."""
    kind, trial = plan.kind, Trial()
    with Spool() as waiting:
        timezone = into.tenant.timezone
        prepared = prepare(given.source, plan, timezone, waiting, trial.reject, batch)
        judge(trial, kind, prepared, into.target.tenants, into.tenant.id)
    memory = Memory.of(into.target, into.tenant.id)
    recalled = memory.recall(given.source.path, kind.route.name, given.into(kind), prepared, batch)
    repeats, _ = memory.repeats(recalled, prepared.made)
    columns = FileColumn.all(given.source, given.columns)
    summary = Summary.of(given.source, prepared, plan.notation.times.timezone)
    rejected = trial.rejected.total()
    result = {
        **summary.shown(),
        "accepted": trial.accepted,
        "rejected": rejected,
        "codes": dict(trial.rejected),
        "repeated": {one.name: one.rows for one in repeats},
        "replaced": [one.name for one in recalled.replaced],
        "columns": [{"column": one.name, "fields": list(one.fields)} for one in columns],
        "first": trial.first,
        "dry_run": True,
    }
    parts = [
        show_columns(columns, given.values),
        show_rows(trial.first),
        f"{summary.text(kind, trial.accepted, rejected)}\nNothing was sent.",
    ]
    if rejected:
        parts.insert(2, "\n".join(["Rows that would be rejected:", *show_rejected(trial)]))
    output.show(result, "\n\n".join(parts), as_json=as_json)
    for warning in summary.warnings(kind):
        output.say(warning)
    for said in _repeated(repeats):
        output.say(f"{said}.")
    for before in recalled.replaced:
        output.say(f"What the import {before.name!r} has brought would be replaced.")


def _check_readable(recalled: Recalled, tally: ImportTally) -> None:
    """Raise WrongUseError if fewer rows are events than in the import that would be replaced."""
    rejected = tally.rejected.total()
    for before in recalled.replaced:
        if before.rejected is not None and rejected > before.rejected:
            raise WrongUseError(
                f"With these options {rejected:,} rows cannot be read (see {tally.file.path}); "
                f"{before.rejected:,} were rejected when the file was imported as {before.name!r}. "
                "Nothing was sent, and that import stays. Correct the options, or take it back "
                f"first: {undo_command(before)}"
            )


def _replace(target: Target, memory: Memory, recalled: Recalled, tally: ImportTally) -> None:
    if not tally.accepted:
        names = ", ".join(repr(one.name) for one in recalled.replaced)
        raise FailedError(
            f"No row was accepted (see {tally.file.path}), so what was imported as {names} stays."
        )
    for before in recalled.replaced:
        output.say(
            f"This is the import {before.name!r} of {days.iso(before.started_us)} again, with "
            "other options or rows. What it brought then is removed now, which takes some minutes; "
            "if that is interrupted, run the same command again."
        )
    replace_former(target, memory, recalled)


def _check_survey(into: Into, survey: str | None) -> None:
    """Raise WrongUseError if every row would be rejected for its survey."""
    tenants, tenant = into.target.tenants, into.tenant.id
    if survey is not None and tenants.survey(tenant, survey_id(survey)) is None:
        others = ", ".join(s.id for s in tenants.surveys(tenant)) or "none yet"
        raise WrongUseError(
            f"{tenant} has no survey {survey!r} (it has: {others}). Add it with, for example: "
            f"pulse survey add {tenant} {survey} --metric nps --scale 0-10"
        )


def _report(
    tally: ImportTally,
    summary: Summary,
    kind: Kind,
    recalled: Recalled,
    repeats: list[Repeats],
    *,
    as_json: bool,
) -> None:
    rejected = tally.rejected.total()
    result = {
        "name": recalled.now.name,
        **summary.shown(),
        "accepted": tally.accepted,
        "rejected": rejected,
        "codes": dict(tally.rejected),
        "rejects": str(tally.file.path) if rejected else None,
        "repeated": {one.name: one.rows for one in repeats},
        "replaced": [one.name for one in recalled.replaced],
    }
    output.show(result, summary.text(kind, tally.accepted, rejected), as_json=as_json)
    if tally.accepted:
        output.say("Reports have all of them after `pulse build`, or after the stack's next build.")
    for warning in summary.warnings(kind):
        output.say(warning)
    for said in _repeated(repeats):
        output.say(
            f"{said}, counted once. If they are others, import this file again with --batch NAME, "
            "which counts them apart."
        )
    if rejected:
        codes = ", ".join(f"{code} {count:,}" for code, count in tally.rejected.most_common())
        output.say(
            f"Rejected rows and their reasons are in {tally.file.path} ({codes}). Correct them in "
            "the file and import it again with the same options: what was accepted does not count "
            f"twice. Or take all of it back: {undo_command(recalled.now)}"
        )
        raise typer.Exit(REJECTED)


def _repeated(repeats: list[Repeats]) -> Iterator[str]:
    """Sentences about rows that equal rows of other imports: on the first few, and on the rest."""
    for one in repeats[:_MOST_REPEATED]:
        at = days.iso(one.started_us)
        yield f"{one.rows:,} rows equal ones imported before as {one.name!r} ({at})"
    if rest := repeats[_MOST_REPEATED:]:
        rows = sum(one.rows for one in rest)
        yield f"{rows:,} rows equal ones of {len(rest):,} other imports"
