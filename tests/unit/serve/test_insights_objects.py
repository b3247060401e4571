"""Insights and drivers are the same whichever report objects are read, also by tags."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pulse import days, lake
from pulse.errors import BadRequestError
from pulse.serve.formats import to_json
from pulse.serve.insights import insights_query
from pulse.serve.insights.drivers import drivers
from pulse.serve.insights.reading import Reader
from pulse.serve.insights.routes import insights
from pulse.serve.own import own_dimensions, taken_names, with_own
from pulse.serve.plan import plan_of
from pulse.serve.years import Piece, Years, without_limit
from pulse.tenants.keys import Key
from pulse.tenants.tenant import CUBE, TableState, Tenant, YearState
from tests import report_parts
from tests.unit.serve.events import Answer, as_piece, pairs
from tests.unit.serve.test_every_object import Shelf
from tests.unit.serve.test_insights import ACME, DAYS, FIRST, SECRET, Names, answers

ROUTES: dict[str, tuple[Callable[..., dict[str, Any]], Any]] = {
    "insights": (insights, insights_query.PARAMETERS),
    "drivers": (drivers, insights_query.DRIVERS),
}
BOTS = [
    Answer(FIRST + timedelta(days=at), 1, device="bot", agent="anna", country="AT")
    for at in range(28)
]
SOME = [*answers(), *BOTS]


def ask(route: str, query: str, tenants: Sequence[Tenant], shelf: Shelf, key: Key = SECRET) -> Any:
    find, parameters = ROUTES[route]
    own = own_dimensions(tenants)
    report = with_own(insights_query.REPORT, own)
    across = key.kind == "operator"
    question = insights_query.parse(pairs(query), parameters, across_tenants=across, own=own)
    plan = plan_of(report, question.query, tenants, key)
    reader = Reader(tenants, key, Years(shelf), without_limit)
    return json.loads(to_json(find(reader, plan, question, Names())))


def told(route: str, query: str, state: YearState, shelf: Shelf) -> Any:
    tables = {lake.SCORES.name: TableState({2026: state}, as_of_us=1)}
    return ask(route, query, [replace(ACME, tables=tables)], shelf)


def with_cube(state: YearState, *, alone: bool) -> YearState:
    """The state of parts with nothing but the cube, or with one that nobody would choose."""
    parts = (
        replace(part, sizes={CUBE: 1} if alone else {**part.sizes, CUBE: 2**25})
        for part in state.parts
    )
    return replace(state, parts=tuple(parts))


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("layout", ["now", "of before"])
@pytest.mark.parametrize(
    "narrowed", ["", "&channel=chat", "&device=bot", "&device=!mobile", "&agent=anna&country=!AT"]
)
def test_every_object_tells_the_same(route: str, layout: Any, narrowed: str) -> None:
    rows = report_parts.cube_rows(lake.SCORES, [as_piece(SOME)])
    laid = report_parts.lay(
        lake.SCORES, "acme", 2026, [({one.day for one in SOME}, rows)], layout=layout
    )
    shelf = Shelf(laid.bodies)
    found = told(route, DAYS + narrowed, with_cube(laid.state, alone=False), shelf)
    names = {key.rpartition("/")[2] for key in shelf.asked}
    assert names - {"bots.parquet", f"{CUBE}.parquet"}  # the roll-ups are what is tried here
    assert found["headline" if route == "drivers" else "headlines"]
    assert found == told(route, DAYS + narrowed, with_cube(laid.state, alone=True), shelf)


SINCE = ((days.FIRST_DAY, True),)
TAGGED = replace(ACME, dimensions={"team": SINCE, "plan": SINCE})
GLOBEX = Tenant("globex", "Globex", dimensions={"plan": SINCE, "team": SINCE}, min_sample=5)
OPERATOR = Key("1" * 64, "operator", None, 0)


def laid(tenant: Tenant, some: Sequence[Answer], shelf: Shelf) -> Tenant:
    """The tenant once these answers are built into the shelf."""
    rows = report_parts.cube_rows(lake.SCORES, [as_piece(some)])
    made = report_parts.lay(lake.SCORES, tenant.id, 2026, [({one.day for one in some}, rows)])
    shelf.bodies = {**shelf.bodies, **made.bodies}
    return replace(tenant, tables={lake.SCORES.name: TableState({2026: made.state}, as_of_us=1)})


def figures(reply: Any) -> Any:
    """What is found, without what names the question, and of how many groups it is.

    A dimension that is filtered by is not looked at, and so has no groups.
    """
    texts = [sentence["text"] for sentence in reply.get("sentences", ())]
    told = {name: some for name, some in reply.items() if name not in ("meta", "sentences")}
    if movers := told.get("movers"):
        told["movers"] = {**movers, "groups": None}
    return told, texts


@pytest.mark.parametrize("route", ROUTES)
def test_what_a_tag_leaves_is_told_as_if_nothing_else_had_been_answered(route: str) -> None:
    north = answers()
    others = [replace(one, tag1="south", score=5) for one in answers(2, bad=False)]
    shelf = Shelf({})
    both = laid(TAGGED, [*(replace(one, tag1="north") for one in north), *others], shelf)
    found = ask(route, f"{DAYS}&team=north", [both], shelf)
    assert found["meta"]["filters"] == {"team": {"is": ["north"]}}
    alone = Shelf({})
    assert figures(found) == figures(ask(route, DAYS, [laid(ACME, north, alone)], alone))
    bound = Key("2" * 64, "secret", "acme", 0, filters={"team": ("north",)})
    assert figures(ask(route, DAYS, [both], shelf, bound)) == figures(found)
    with pytest.raises(BadRequestError):
        ask(route, f"{DAYS}&shop=north", [both], shelf)


def test_evidence_of_what_a_tag_leaves_is_filtered_by_it() -> None:
    shelf = Shelf({})
    tenant = laid(TAGGED, [replace(one, tag1="north") for one in answers()], shelf)
    reply = ask("insights", f"{DAYS}&team=north", [tenant], shelf)
    queries = [
        phrase["query"]
        for sentence in reply["sentences"]
        for phrase in sentence["phrases"]
        if phrase["query"]
    ]
    assert len(queries) > 3 and all("team=north" in query for query in queries)


@pytest.mark.parametrize("route", ROUTES)
def test_each_tenants_tag_is_read_from_its_own_column(route: str) -> None:
    some = answers()
    shelf = Shelf({})
    acme = laid(TAGGED, [replace(one, tag1="north", tag2="south") for one in some], shelf)
    globex = laid(GLOBEX, [replace(one, tag2="north", tag1="south") for one in some], shelf)
    query = f"{DAYS}&tenant=acme,globex"
    found = ask(route, f"{query}&team=north", [acme, globex], shelf, OPERATOR)
    assert figures(found) == figures(ask(route, query, [acme, globex], shelf, OPERATOR))


def test_of_an_object_that_many_questions_read_the_rows_are_looked_for_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cut: list[object] = []
    only = Piece.only

    def counted(piece: Piece, *given: Any) -> Piece:
        cut.append(piece.block.day)
        return only(piece, *given)

    monkeypatch.setattr(Piece, "only", counted)
    shelf = Shelf({})
    tenant = laid(TAGGED, [replace(one, tag1="north") for one in answers()], shelf)
    state = tenant.table(lake.SCORES.name).years[2026]
    table = TableState({2026: with_cube(state, alone=True)}, as_of_us=1)
    tenant = replace(tenant, tables={lake.SCORES.name: table})
    ask("drivers", f"{DAYS}&team=north", [tenant], shelf)
    assert len(cut) == 1


def test_no_tag_is_called_as_what_insights_take() -> None:
    assert {*insights_query.PARAMETERS, *insights_query.DRIVERS} <= taken_names()
