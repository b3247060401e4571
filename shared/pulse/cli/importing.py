"""`pulse import responses`: a CSV file through POST /v1/batch/responses.

The file is read twice: once to see that every row can be read without guessing, before anything
is sent, and once to send it. Neither reading holds more than a few batches of rows in memory.
"""

import shlex
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from pulse import days
from pulse.cli import output
from pulse.cli.api import Api
from pulse.cli.arguments import assignments, known_tenant, survey_id
from pulse.cli.csv_file import CsvFile, Row
from pulse.cli.exits import REJECTED, CommandError, FailedError, WrongUseError
from pulse.cli.keyring import given_key, passing_key
from pulse.cli.posting import PATH, Item, Send, item, post
from pulse.cli.rejects import RejectsFile
from pulse.cli.responses import Plan, RowError, RowIds
from pulse.cli.target import StackName, Target, find_target
from pulse.cli.times import TimeFormatError, TimeReader, check_date_format
from pulse.errors import FieldError
from pulse.lake import CHANNELS
from pulse.tenants.tenant import Tenant

_KEY_LASTS_US = 6 * 3600 * days.SECOND
"""Longer than any import takes; one that is stopped by it goes on when it is run again."""

_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t"}

app = typer.Typer(no_args_is_help=True, help="Bring in what other systems have collected.")


@app.callback()
def _group() -> None:
    """Keeps `import` a group while it has but one command."""


@app.command("responses")
def import_responses(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="UTF-8, with a header line.")],
    tenant: Annotated[str, typer.Option("--tenant", metavar="ID")],
    mapping: Annotated[
        list[str],
        typer.Option("--map", metavar="FIELD=COLUMN", help="Where a field stands. May repeat."),
    ],
    survey: Annotated[
        str | None, typer.Option("--survey", metavar="ID", help="Same as --set survey_id=ID.")
    ] = None,
    fixed: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="One value for all rows. May repeat."),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Of times without an offset. Default: the tenant's."),
    ] = None,
    date_format: Annotated[
        str | None,
        typer.Option(
            metavar="FMT",
            help="How answered_at is written, in strptime's terms, for example %d/%m/%Y. "
            "Not needed for RFC 3339 and where the year comes first.",
        ),
    ] = None,
    delimiter: Annotated[
        str | None,
        typer.Option(help="Between cells: , ; or tab. Default: what the header shows."),
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where rejected rows go, with their reasons. Default: FILE.csv.rejects.csv",
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="A secret key of the tenant. Default: one made for this import."),
    ] = None,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Import survey responses from a CSV file.

    Interrupted or run again with the same --map and --set, it counts no row twice: a row without
    a response_id gets one made of its content, and equal rows of a file stay distinct. A date
    without a time of day counts as noon. Columns become tags by --map tags.NAME=COLUMN.

    Example:

        pulse import responses nps.csv --tenant bank --survey email \\
          --map score=rating --map answered_at=date --map customer_id=user \\
          --set channel=external
    """
    source = CsvFile.open(file, _delimiter(delimiter))
    columns, values = assignments(mapping, "--map"), assignments(fixed or (), "--set")
    if survey is not None and values.setdefault("survey_id", survey) != survey:
        raise WrongUseError("--survey and --set survey_id name different surveys.")
    target = find_target(stack)
    known = known_tenant(target, tenant)
    _check_values(target, known, values)
    plan = Plan.make(source, columns, values, _times(timezone or known.timezone, date_format))
    total = check_rows(source, plan)
    tally = Tally()
    rejected = RejectsFile(source, rejects)
    with _key(target, known, key) as usable, rejected, output.progress("Importing", total) as step:
        api = Api(target.api_url, usable)
        run = Import(source, plan, rejected, tally, step)
        _explain_stops(run, lambda body: api.post(PATH, body))
    _report(tally, rejected.path, as_json=as_json)


def check_rows(source: CsvFile, plan: Plan) -> int:
    """How many rows the file has.

    Raises WrongUseError if a time could be read in two ways: then nothing has been sent yet.
    """
    count = 0
    for count, row in enumerate(source.rows(), 1):  # noqa: B007 # it is the result
        try:
            plan.response(row)
        except TimeFormatError as error:
            formats = " or ".join(
                f"--date-format {shlex.quote(one.format)} ({one.first} first)"
                for one in error.formats
            )
            raise WrongUseError(
                f"{source.path}, line {row.line}: {error}. Say how all of the file is written: "
                f"{formats}."
            ) from error
        except RowError:
            pass  # it is rejected when its turn comes
    return count


@dataclass
class Tally:
    """What has become of the rows so far."""

    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    """Rejected rows by their code."""


@dataclass(frozen=True)
class Import:
    """One file on its way."""

    source: CsvFile
    plan: Plan
    rejects: RejectsFile
    tally: Tally
    step: Callable[[int], None]

    def run(self, send: Send) -> None:
        """Post every row, and set aside those that cannot be read or are not taken."""
        with closing(post(self._items(), send)) as results:
            for posted in results:
                for one in posted.rejected:
                    self._reject(one.origin, FieldError(one.field, one.code, one.message))
                self.tally.accepted += posted.accepted
                self.step(posted.accepted)

    def _items(self) -> Iterator[Item[Row]]:
        ids = RowIds()
        for row in self.source.rows():
            try:
                response = self.plan.response(row)
            except RowError as error:
                self._reject(row, error.fault)
                continue
            yield item({**response, "response_id": ids.identify(response)}, row)

    def _reject(self, row: Row, fault: FieldError) -> None:
        self.rejects.add(row, fault)
        self.tally.rejected[fault.code] += 1
        self.step(1)


def _explain_stops(run: Import, send: Send) -> None:
    """Run; if it ends early, say how far it came and that it can go on."""
    so_far = "{:,} rows were accepted. Run the same command again: no row counts twice."
    try:
        run.run(send)
    except KeyboardInterrupt as error:
        raise FailedError("Interrupted: " + so_far.format(run.tally.accepted)) from error
    except CommandError:
        if run.tally.accepted:
            output.say(so_far.format(run.tally.accepted))
        raise


def _delimiter(name: str | None) -> str | None:
    delimiter = _DELIMITERS.get(name or "", name)
    if delimiter is not None and len(delimiter) != 1:
        raise WrongUseError(f"--delimiter takes one character or tab, not {name!r}.")
    return delimiter


def _times(timezone: str, date_format: str | None) -> TimeReader:
    try:
        days.zone(timezone)
        if date_format is not None:
            check_date_format(date_format)
    except ValueError as error:
        option = "--timezone" if "time zone" in str(error) else "--date-format"
        raise WrongUseError(f"{option}: {error}.") from error
    return TimeReader(timezone, date_format)


def _check_values(target: Target, tenant: Tenant, values: dict[str, str]) -> None:
    """Refuse values for all rows that would have each of them rejected."""
    channel = values.get("channel")
    if channel is not None and channel not in CHANNELS:
        raise WrongUseError(f"channel must be one of {', '.join(CHANNELS)}, not {channel!r}.")
    survey = values.get("survey_id")
    if survey is not None and target.tenants.survey(tenant.id, survey_id(survey)) is None:
        others = ", ".join(s.id for s in target.tenants.surveys(tenant.id)) or "none yet"
        raise WrongUseError(
            f"{tenant.id} has no survey {survey!r} (it has: {others}). Add it with, for example: "
            f"pulse survey add {tenant.id} {survey} --metric nps --scale 0-10"
        )


def _key(target: Target, tenant: Tenant, given: str | None) -> AbstractContextManager[str]:
    if given is not None:
        return nullcontext(given_key(target.tenants, given, tenant.id))
    return passing_key(target.tenants, "secret", tenant.id, lasting_us=_KEY_LASTS_US)


def _report(tally: Tally, rejects: Path, *, as_json: bool) -> None:
    rejected = tally.rejected.total()
    result = {
        "accepted": tally.accepted,
        "rejected": rejected,
        "codes": dict(tally.rejected),
        "rejects": str(rejects) if rejected else None,
    }
    text = f"{tally.accepted:,} accepted, {rejected:,} rejected"
    output.show(result, text, as_json=as_json)
    if rejected:
        codes = ", ".join(f"{code} {count:,}" for code, count in tally.rejected.most_common())
        output.say(
            f"Rejected rows and their reasons are in {rejects} ({codes}). Correct them in the "
            "file and import it again: what was accepted does not count twice."
        )
        raise typer.Exit(REJECTED)
