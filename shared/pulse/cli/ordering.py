"""`pulse export responses` and `interactions`: single rows as a file, over the interface."""

import json
from collections.abc import Mapping
from pathlib import Path
from time import sleep
from typing import Annotated, Any, Literal
from urllib.request import urlopen

import typer

from pulse import days
from pulse.cli import output
from pulse.cli.api import Api, refusal
from pulse.cli.arguments import known_tenant
from pulse.cli.exits import FailedError, WrongUseError
from pulse.cli.keyring import passing_key
from pulse.cli.reporting import Excel, Separator, report_query
from pulse.cli.target import StackName, find_target

Stream = Literal["responses", "interactions"]

_KEY_LASTS_US = 3600 * days.SECOND
_ASK_EVERY_S = 2.0
_PIECE = 2**20

TenantId = Annotated[str, typer.Option("--tenant", metavar="ID")]
To = Annotated[Path, typer.Option("--to", metavar="FILE", help="A new file: .csv or .parquet.")]
Preset = Annotated[str | None, typer.Option(metavar="P", help="Such as last_month, or days:")]
Start = Annotated[str | None, typer.Option(metavar="DAY", help="First day, with --end.")]
End = Annotated[str | None, typer.Option(metavar="DAY", help="Last day, inclusive.")]
Filters = Annotated[
    list[str] | None,
    typer.Option("--filter", metavar="DIM=VALUE", help="As of pulse report. May repeat."),
]


def responses(
    tenant: TenantId,
    to: To,
    preset: Preset = None,
    start: Start = None,
    end: End = None,
    filters: Filters = None,
    excel: Excel = False,
    separator: Separator = "comma",
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Write every response that counts into a file, with its comment.

    Example:

        pulse export responses --tenant bank --preset last_month --to october.csv
    """
    order = _order("responses", to, preset, start, end, filters, excel, separator)
    _export(order, tenant, to, stack, as_json=as_json)


def interactions(
    tenant: TenantId,
    to: To,
    preset: Preset = None,
    start: Start = None,
    end: End = None,
    filters: Filters = None,
    excel: Excel = False,
    separator: Separator = "comma",
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Write every interaction into a file, its updates merged.

    Example:

        pulse export interactions --tenant bank --preset last_week --to calls.parquet
    """
    order = _order("interactions", to, preset, start, end, filters, excel, separator)
    _export(order, tenant, to, stack, as_json=as_json)


def _order(
    stream: Stream,
    to: Path,
    preset: str | None,
    start: str | None,
    end: str | None,
    filters: list[str] | None,
    excel: bool,
    separator: str,
) -> dict[str, Any]:
    """The order, in the form of docs/http.md. Raises WrongUseError if the file exists."""
    form = to.suffix.removeprefix(".")
    if form not in ("csv", "parquet"):
        raise WrongUseError(f"--to takes a name that ends in .csv or .parquet, not {to.name!r}.")
    if to.exists():
        raise WrongUseError(f"{to} is there already: name a new file.")
    asked = {"preset": preset, "start_date": start, "end_date": end}
    return {
        "stream": stream,
        "format": form,
        "excel": excel,
        "separator": separator,
        **report_query(asked, filters or ()),
    }


def _export(
    order: Mapping[str, Any], tenant: str, to: Path, stack: str | None, *, as_json: bool
) -> None:
    """Order the export, wait until it is done, and write its file."""
    target = find_target(stack)
    known_tenant(target, tenant)
    with passing_key(target.tenants, "secret", tenant, lasting_us=_KEY_LASTS_US) as key:
        done = _done(Api(target.api_url, key), order)
    size = _download(done["link"], to)
    shown = {name: done[name] for name in ("stream", "start_date", "end_date", "rows")}
    shown |= {"file": str(to), "bytes": size}
    said = f"{done['rows']:,} rows, {done['start_date']} to {done['end_date']}: {to}"
    output.show(shown, said, as_json=as_json)


def _done(api: Api, order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Wait until the export is done; return it. Raises FailedError if it failed."""
    answer = api.post("/v1/exports", json.dumps(order).encode())
    if answer.status != 202:
        raise refusal(answer)
    place = answer.headers["location"]
    output.say("Waiting until the rows are read …")
    while True:
        answer = api.get(place)
        if answer.status != 200:
            raise refusal(answer)
        export: Mapping[str, Any] = answer.json()
        if export["state"] == "done":
            return export
        if export["state"] == "failed":
            raise FailedError(f"The export failed: {export['reason']}")
        sleep(_ASK_EVERY_S)


def _download(link: str, to: Path) -> int:
    """Download a link into a new file; return its bytes. A file that is incomplete is removed."""
    try:
        with urlopen(link) as reply, to.open("xb") as file:  # noqa: S310 # the stack's own
            while piece := reply.read(_PIECE):
                file.write(piece)
            return file.tell()
    except OSError as error:
        to.unlink(missing_ok=True)
        raise FailedError(f"The file could not be written to {to}: {error}.") from error
