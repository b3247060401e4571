"""`pulse report`: a report as the interface gives it, for eyes, scripts or spreadsheets."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

import typer
from rich.console import Group

from pulse import days
from pulse.cli import output
from pulse.cli.api import Answer, Api, refusal
from pulse.cli.arguments import known_tenant, named_values
from pulse.cli.drawing import report_tables
from pulse.cli.exits import FailedError, WrongUseError
from pulse.cli.keyring import given_key, passing_key
from pulse.cli.target import StackName, Target, find_target
from pulse.tenants.keys import PREFIXES

Format = Literal["table", "json", "csv"]

_KEY_LASTS_US = 300 * days.SECOND
_MOST_ROWS = "10000"
"""A page as large as the interface gives one: fewer requests."""


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
    subtotals: Annotated[
        bool, typer.Option("--subtotals", help="Rows per level of the grouping.")
    ] = False,
    fill: Annotated[
        bool, typer.Option("--fill", help="Periods without answers have their rows, too.")
    ] = False,
    order_by: Annotated[
        str | None, typer.Option(metavar="COLUMNS", help="Such as -responses,country.")
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
        "compare": compare,
        "subtotals": "true" if subtotals else None,
        "fill": "true" if fill else None,
        "order_by": order_by,
        "limit": _MOST_ROWS,
        "format": "csv" if form == "csv" else "json",
    }
    target = find_target(stack)
    with _key(target, tenant, key) as usable:
        api = Api(target.api_url, usable)
        asked = report_query(query, [*(filters or ()), *_tenant_filter(usable, tenant)])
        path = f"/v1/reports/{quote(name, safe='')}"
        if form == "csv":
            output.write(_all_csv(api, path, asked))
        else:
            _print(tenant, _all_pages(api, path, asked), as_json=as_json or form == "json")


def report_query(query: Mapping[str, str | None], filters: Sequence[str]) -> str:
    """The query string: what is not None, and filters as docs/http.md#filters has them.

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
    known_tenant(target, tenant)
    if given is not None:
        return nullcontext(given_key(target.tenants, given, tenant))
    if tenant == target.demo_tenant:
        return nullcontext(target.demo_keys["report"])
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


def _print(tenant: str, reply: dict[str, Any], *, as_json: bool) -> None:
    output.show(reply, Group(*report_tables(tenant, reply)), as_json=as_json)
    for warning in reply["meta"].get("warnings", ()):
        output.say(f"warning: {warning['message']}")
