"""`pulse report`: a report as the interface gives it, for eyes, scripts or spreadsheets."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

import typer
from rich.console import Group, RenderableType
from rich.table import Table

from pulse import days
from pulse.cli import output
from pulse.cli.api import Answer, Api, refusal
from pulse.cli.arguments import known_tenant, named_values
from pulse.cli.exits import FailedError, WrongUseError
from pulse.cli.keyring import passing_key
from pulse.cli.target import StackName, Target, find_target
from pulse.tenants.keys import PREFIXES

Format = Literal["table", "json", "csv"]

_KEY_LASTS_US = 300 * days.SECOND
_MOST_ROWS = "10000"
"""A page as large as the interface gives one: fewer requests."""
_INTERVAL = ("ci_low", "ci_high")
_INTERVAL_TITLE = "95 % interval"


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
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="DIM=VALUE",
            help="Rows of this value alone. May repeat, with the same DIM for either value; "
            "DIM=!VALUE: all but this; DIM=(none): not given.",
        ),
    ] = None,
    form: Annotated[
        Format, typer.Option("--format", help="json and csv: as the interface gives them.")
    ] = "table",
    key: Annotated[
        str | None,
        typer.Option(
            envvar="PULSE_KEY",
            help="A key that may read. Default: one made for this call.",
        ),
    ] = None,
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
        "limit": _MOST_ROWS,
        "format": "csv" if form == "csv" else "json",
    }
    target = find_target(stack)
    with _key(target, tenant, key) as usable:
        api = Api(target.api_url, usable)
        asked = report_query(query, [*(filters or ()), *_tenant_filter(usable, tenant)])
        path = f"/v1/reports/{quote(name, safe='')}"
        if form == "csv":
            typer.echo(_all_csv(api, path, asked), nl=False)
        else:
            _print(_all_pages(api, path, asked), as_json=as_json or form == "json")


def report_query(query: Mapping[str, str | None], filters: Sequence[str]) -> str:
    """The query string: what is not None, and filters as API.md writes them.

    Each filter is DIM=VALUE or DIM=!VALUE. Raises WrongUseError where a dimension has both kinds.
    """
    asked = urlencode({name: value for name, value in query.items() if value is not None}, safe=",")
    values: dict[str, list[str]] = {}
    negated: dict[str, bool] = {}
    for name, value in named_values(filters, "--filter"):
        if negated.setdefault(name, value.startswith("!")) != value.startswith("!"):
            raise WrongUseError(f"--filter {name}: either all values with ! or none.")
        values.setdefault(name, []).append(quote(value.removeprefix("!"), safe=""))
    parts = [
        f"{quote(name, safe='')}={'!' * negated[name]}{','.join(several)}"
        for name, several in values.items()
    ]
    return "&".join(filter(None, [asked, *parts]))


def _key(target: Target, tenant: str, given: str | None) -> AbstractContextManager[str]:
    """The key given, the demo tenant's, or one made for this call."""
    if given is not None:
        return nullcontext(given)
    if tenant == target.demo_tenant:
        return nullcontext(target.demo_keys["report"])
    known_tenant(target, tenant)
    return passing_key(target.tenants, "report", tenant, lasting_us=_KEY_LASTS_US)


def _tenant_filter(key: str, tenant: str) -> list[str]:
    return [f"tenant={tenant}"] if key.startswith(PREFIXES["operator"]) else []


def _get(api: Api, path: str, query: str, accept: str = "application/json") -> Answer:
    answer = api.get(path, query, accept=accept)
    if answer.status != 200:
        raise refusal(answer)
    return answer


def _all_pages(api: Api, path: str, query: str) -> dict[str, Any]:
    """The whole report: the first page's reply with the rows of all."""
    whole: dict[str, Any] | None = None
    cursor = None
    while whole is None or cursor:
        following = f"&cursor={quote(cursor, safe='')}" if cursor else ""
        page = _get(api, path, query + following).json()
        if not isinstance(page, dict) or "rows" not in page:
            raise FailedError("The interface's answer is not a report.")
        if whole is None:
            whole = page
        else:
            whole["rows"] += page["rows"]
        cursor = page.get("next_cursor")
    return whole | {"next_cursor": None}


def _all_csv(api: Api, path: str, query: str) -> str:
    """The whole report as CSV: one header line, the rows of all pages."""
    pages: list[str] = []
    following: str | None = query
    while following is not None:
        answer = _get(api, path, following, "text/csv")
        text = answer.body.decode()
        pages.append(text.partition("\n")[2] if pages else text)
        following = next_query(answer.headers.get("link", ""))
    return "".join(pages)


def next_query(link: str) -> str | None:
    """The query of the next page, from a Link header (RFC 8288)."""
    address, _, relation = link.partition(">")
    return address.partition("?")[2] if 'rel="next"' in relation else None


def _print(reply: dict[str, Any], *, as_json: bool) -> None:
    output.show(reply, Group(*report_tables(reply)), as_json=as_json)
    for warning in reply["meta"].get("warnings", ()):
        output.say(f"warning: {warning}")


def report_tables(reply: Mapping[str, Any]) -> list[RenderableType]:
    """A report drawn for a terminal: a heading, the rows with their totals, the breakdown."""
    parts: list[RenderableType] = [_heading(reply["report"], reply["meta"]), _table(reply)]
    if reply.get("breakdown"):
        parts += ["", _breakdown(reply["breakdown"])]
    return parts


def _heading(name: str, meta: Mapping[str, Any]) -> str:
    span = meta["date_range"]
    dates = f", {span['start_date']} to {span['end_date']}" if "start_date" in span else ""
    zone = f" ({span['timezone']})" if "timezone" in span else ""
    as_of = meta.get("as_of")
    built = f"as of {as_of[:16].replace('T', ' ')} UTC" if as_of else "nothing built yet"
    return f"{name}{dates}{zone}, {built}\n"


def _table(reply: Mapping[str, Any]) -> Table:
    """Rows, then totals; the two ends of an interval are one column."""
    columns = [column for column in reply["columns"] if column["name"] not in _INTERVAL]
    titles = [_title(column) for column in columns]
    right = [_title(column) for column in columns if column["kind"] == "metric"]
    if len(columns) < len(reply["columns"]):
        titles.append(_INTERVAL_TITLE)
        right.append(_INTERVAL_TITLE)
    rows = [_cells(row, columns, len(titles)) for row in reply["rows"]]
    totals = [_total(_cells(row, columns, len(titles))) for row in reply.get("totals") or ()]
    return output.table(titles, rows, right=right, totals=totals)


def _title(column: Mapping[str, Any]) -> str:
    """A column's name with its unit, where that is neither a count nor the scale's own."""
    name = str(column["name"])
    if column.get("unit") == "percent":
        return f"{name.removesuffix('_pct')} %"
    return f"{name} (points)" if column.get("unit") == "points" else name


def _cells(
    row: Mapping[str, Any], columns: Sequence[Mapping[str, Any]], width: int
) -> list[str | None]:
    cells = [_text(row.get(column["name"])) for column in columns]
    if len(cells) < width:
        low, high = (_text(row.get(name)) for name in _INTERVAL)
        cells.append(None if low is None else f"{low} … {high}")
    return cells


def _text(value: Any) -> str | None:
    """A value for eyes: thousands apart, broken numbers with two decimals."""
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return None if value is None else str(value)


def _total(cells: Sequence[str | None]) -> list[str]:
    """A row of totals: it names no group, so the first cell that is left out says "total"."""
    first = next((index for index, cell in enumerate(cells) if cell is None), None)
    return [
        cell if cell is not None else "total" if index == first else ""
        for index, cell in enumerate(cells)
    ]


def _breakdown(rows: Sequence[Mapping[str, Any]]) -> Table:
    names = list(rows[0])
    right = [name for name in names if not isinstance(rows[0][name], str)]
    cells = [[_text(row.get(name)) for name in names] for row in rows]
    return output.table(names, cells, right=right)
