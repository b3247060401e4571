"""`pulse insights`: what happened in some days, in sentences, and what moved a score."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table

from pulse.cli import output
from pulse.cli.api import Api, refusal
from pulse.cli.exits import FailedError
from pulse.cli.reporting import Filters, ReadingKey, reading_key, report_query, tenant_filter
from pulse.cli.target import StackName, find_target

PATH = "/v1/insights"
DRIVERS = "/v1/insights/drivers"


def insights(
    tenant: Annotated[str, typer.Option("--tenant", metavar="ID")],
    preset: Annotated[
        str | None, typer.Option(metavar="P", help="Such as last_28_days, the default.")
    ] = None,
    start: Annotated[str | None, typer.Option(metavar="DAY", help="First day, with --end.")] = None,
    end: Annotated[str | None, typer.Option(metavar="DAY", help="Last day, inclusive.")] = None,
    compare: Annotated[
        str | None,
        typer.Option(metavar="WITH", help="previous_period, previous_year or none."),
    ] = None,
    drivers: Annotated[
        bool,
        typer.Option("--drivers", help="What goes with the score instead: no sentences."),
    ] = False,
    lang: Annotated[
        str | None, typer.Option(metavar="L", help="en, de, fr or es: the sentences' language.")
    ] = None,
    filters: Filters = None,
    key: ReadingKey = None,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Tell what happened: the headlines, the worst days, for whom and at what cost.

    Example:

        pulse insights --tenant demo --preset last_28_days --lang de
    """
    query = {
        "preset": preset,
        "start_date": start,
        "end_date": end,
        "compare": compare,
        "lang": lang,
    }
    target = find_target(stack)
    with reading_key(target, tenant, key) as usable:
        given = report_query(query, [*(filters or ()), *tenant_filter(usable, tenant)])
        reply = _ask(Api(target.api_url, usable), DRIVERS if drivers else PATH, given)
    drawn = _drivers(reply) if drivers else _told(reply)
    output.show(reply, Group(*(drawn or ["Nothing in these days."])), as_json=as_json)
    for warning in reply["meta"]["warnings"]:
        output.say(f"warning: {warning['message']}")


def _told(reply: Mapping[str, Any]) -> list[RenderableType]:
    """The sentences, and what moved the first headline."""
    drawn: list[RenderableType] = [one["text"] for one in reply["sentences"]]
    if reply["movers"]:
        drawn += ["", _movers(reply["movers"])]
    return drawn


def _drivers(reply: Mapping[str, Any]) -> list[RenderableType]:
    """What goes with the score, and of each dimension the groups beside the rest."""
    drawn: list[RenderableType] = []
    for driver in reply["drivers"]:
        share, sure = driver["explains_pct"], driver["significant"]
        drawn.append(
            f"{driver['dimension']}: {share:.2f} % of the spread goes with it"
            + ("" if sure else ", which may be chance")
        )
        rows = [
            (
                one["name"],
                f"{one['responses']:,}",
                _figure(one["score"]),
                _signed(one["difference"]),
                _signed(one["points"]),
                _signed(one["adjusted_difference"]),
            )
            for one in driver["rows"]
        ]
        columns = ("group", "answers", "score", "against the rest", "points", "adjusted")
        drawn += [output.table(columns, rows, right=columns[1:]), ""]
    return drawn


def _ask(api: Api, path: str, query: Mapping[str, str]) -> dict[str, Any]:
    """The interface's reply to raw values by parameter. Raises what it refuses with."""
    answer = api.get(path, "&".join(f"{name}={raw}" for name, raw in query.items()))
    if answer.status != 200:
        raise refusal(answer)
    reply = answer.json()
    if not isinstance(reply, dict) or "meta" not in reply:
        raise FailedError("The interface's answer is not what was asked for.")
    return reply


def _movers(movers: Mapping[str, Any]) -> Table:
    """What moved the first headline, the losses first."""
    rows = [
        (
            one["name"],
            one["dimension"],
            _signed(one["points"]),
            _figure(one["score"]),
            _figure(one["score_previous"]),
            f"{one['responses']:,}",
            "yes" if one["significant"] else "no",
            ", ".join(other["name"] for other in one["within"]) or None,
        )
        for one in movers["rows"]
    ]
    title = f"what moved {movers['metric']} {movers['scale']} by {movers['change']:+.2f}"
    columns = (title, "by", "points", "score", "before", "answers", "significant", "with it")
    return output.table(columns, rows, right=columns[2:6])


def _signed(value: float | None) -> str | None:
    return None if value is None else f"{value:+.2f}"


def _figure(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"
