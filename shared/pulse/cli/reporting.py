"""`pulse report`: prints a report of the interface as a table, as JSON or as CSV."""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Any, Literal
from urllib.parse import quote

import typer
from rich.console import Group

from pulse import days
from pulse.cli import output
from pulse.cli.api import Api, HttpReply, refusal
from pulse.cli.arguments import known_tenant, named_values
from pulse.cli.drawing import report_tables
from pulse.cli.exits import FailedError, WrongUseError
from pulse.cli.keyring import given_key, passing_key
from pulse.cli.target import StackName, Target, find_target
from pulse.serve.posted import LONGEST_ADDRESS
from pulse.serve.query import MOST_ROWS
from pulse.tenants.keys import PREFIXES

Format = Literal["table", "json", "csv"]

Query = Mapping[str, str]
"""A report's parameters by name, each in the form of a query string."""

ReadingKey = Annotated[
    str | None,
    typer.Option(envvar="PULSE_KEY", help="A key that may read. Default: one made for this call."),
]
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="DIM=VALUE",
        help="Rows of this value alone. May repeat, with the same DIM for either value; "
        r"DIM=!VALUE: all but this; DIM=\!VALUE: a value that begins with !; "
        "DIM=(none): not given.",
    ),
]

_ESCAPED = re.compile(r"^\\(\\*!)")
_KEY_LASTS_US = 300 * days.SECOND
Excel = Annotated[
    bool, typer.Option("--excel", help="CSV with the mark by which Excel knows UTF-8.")
]
Separator = Annotated[
    Literal["comma", "semicolon"],
    typer.Option(help="semicolon: CSV with commas as decimal marks."),
]
"""The limit of a page: the interface's largest, for fewer requests."""


def report(
    name: Annotated[str, typer.Argument(metavar="NAME", help="For example daily, nps or source.")],
    tenant: Annotated[str, typer.Option("--tenant", metavar="ID")],
    preset: Annotated[
        str | None, typer.Option(metavar="P", help="Such as last_28_days, the default.")
    ] = None,
    start: Annotated[str | None, typer.Option(metavar="DAY", help="First day, with --end.")] = None,
    end: Annotated[str | None, typer.Option(metavar="DAY", help="Last day, inclusive.")] = None,
    group_by: Annotated[
        str | None, typer.Option(metavar="DIMS", help="Dimensions, comma-separated.")
    ] = None,
    granularity: Annotated[
        str | None, typer.Option(metavar="G", help="total, day, week or month.")
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(metavar="WITH", help="previous_period or previous_year: shows what changed."),
    ] = None,
    date_basis: Annotated[
        str | None,
        typer.Option(
            metavar="BASIS",
            help="Of experience: answered, the default, or entered, the interaction's day.",
        ),
    ] = None,
    subtotals: Annotated[
        bool, typer.Option("--subtotals", help="Rows per level of the grouping.")
    ] = False,
    fill: Annotated[
        bool, typer.Option("--fill", help="Periods without answers have their rows, too.")
    ] = False,
    names: Annotated[
        bool, typer.Option("--names", help="Agents' and surveys' names behind their ids.")
    ] = False,
    order_by: Annotated[
        str | None, typer.Option(metavar="COLUMNS", help="Such as -responses,country.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=MOST_ROWS, help="The first N rows alone."),
    ] = None,
    filters: Filters = None,
    form: Annotated[
        Format, typer.Option("--format", help="json and csv: as the interface gives them.")
    ] = "table",
    excel: Excel = False,
    separator: Separator = "comma",
    key: ReadingKey = None,
    stack: StackName = None,
    as_json: Annotated[bool, typer.Option("--json", help="Same as --format json.")] = False,
) -> None:
    """Print a report.

    Example:

        pulse report nps --tenant bank --preset last_90_days --group-by channel
    """
    if as_json and form == "csv":
        raise WrongUseError("--json and --format csv ask for two things: choose one.")
    query = {
        "preset": preset,
        "start_date": start,
        "end_date": end,
        "group_by": group_by,
        "granularity": granularity,
        "compare": compare,
        "date_basis": date_basis,
        "subtotals": "true" if subtotals else None,
        "fill": "true" if fill else None,
        "names": "true" if names else None,
        "order_by": order_by,
        "limit": str(limit or MOST_ROWS),
        "format": "csv" if form == "csv" else "json",
        "excel": "true" if excel else None,
        "separator": separator if separator != "comma" else None,
    }
    target = find_target(stack)
    with reading_key(target, tenant, key) as usable:
        api = Api(target.api_url, usable)
        asked = report_query(query, [*(filters or ()), *tenant_filter(usable, tenant)])
        path = f"/v1/reports/{quote(name, safe='')}"
        if form == "csv":
            output.write(_csv(api, path, asked, whole=limit is None))
        else:
            reply = _reply(api, path, asked, whole=limit is None)
            _print(tenant, reply, as_json=as_json or form == "json")


def report_query(query: Mapping[str, str | None], filters: Sequence[str]) -> Query:
    """The parameters that are not None, and the filters (docs/http.md#filters), percent-encoded.

    Each filter is DIM=VALUE or DIM=!VALUE; after a backslash the ! is a part of the value. Raises
    WrongUseError if a dimension has both kinds.
    """
    asked = {name: quote(text, safe=",") for name, text in query.items() if text is not None}
    values: dict[str, list[str]] = {}
    negated: dict[str, bool] = {}
    for name, value in named_values(filters, "--filter"):
        if negated.setdefault(name, value.startswith("!")) != value.startswith("!"):
            raise WrongUseError(f"--filter {name}: either all values with ! or none.")
        plain = _ESCAPED.sub(r"\1", value.removeprefix("!"))
        values.setdefault(name, []).append(quote(plain, safe=""))
    for name, several in values.items():
        asked[name] = "!" * negated[name] + ",".join(several)
    return asked


def reading_key(target: Target, tenant: str, given: str | None) -> AbstractContextManager[str]:
    """The key given, the demo tenant's, or one made for this call."""
    known_tenant(target, tenant)
    if given is not None:
        return nullcontext(given_key(target.tenants, given, tenant))
    if tenant == target.demo_tenant:
        return nullcontext(target.demo_keys["report"])
    return passing_key(target.tenants, "report", tenant, lasting_us=_KEY_LASTS_US)


def tenant_filter(key: str, tenant: str) -> list[str]:
    """The filter by which an operator's key names whose figures it reads; of others none."""
    return [f"tenant={tenant}"] if key.startswith(PREFIXES["operator"]) else []


def _ask(api: Api, path: str, query: Query, cursor: str | None) -> HttpReply:
    """Request one page, by POST if the address would be too long."""
    asked = {**query, "cursor": quote(cursor, safe="")} if cursor else query
    text = "&".join(f"{quote(name, safe='')}={raw}" for name, raw in asked.items())
    if len(path) + len("?") + len(text) > LONGEST_ADDRESS:
        reply = api.post(path, json.dumps(asked).encode())
    else:
        reply = api.get(path, text)
    if reply.status != 200:
        raise refusal(reply)
    return reply


def _reply(api: Api, path: str, query: Query, *, whole: bool) -> dict[str, Any]:
    """The first page's reply; if `whole`, with the rows of all pages."""
    found: dict[str, Any] | None = None
    cursor = None
    while found is None or (whole and cursor):
        page = _ask(api, path, query, cursor).json()
        if not isinstance(page, dict) or "rows" not in page:
            raise FailedError("The interface's answer is not a report.")
        cursor = page.get("next_cursor")
        if found is None:
            found = page
        else:
            found["rows"] += page["rows"]
    return found | {"next_cursor": cursor}


def _csv(api: Api, path: str, query: Query, *, whole: bool) -> str:
    """The first page as CSV; if `whole`, with the rows of all pages under one header line."""
    pages: list[str] = []
    cursor = None
    while not pages or (whole and cursor):
        reply = _ask(api, path, query, cursor)
        text = reply.body.decode()
        pages.append(text.partition("\n")[2] if pages else text)
        cursor = reply.headers.get("x-next-cursor")
    return "".join(pages)


def _print(tenant: str, reply: dict[str, Any], *, as_json: bool) -> None:
    output.show(reply, Group(*report_tables(tenant, reply)), as_json=as_json)
    for warning in reply["meta"].get("warnings", ()):
        output.say(f"warning: {warning['message']}")
