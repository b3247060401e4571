"""Insights and drivers are the same whichever of a tenant's report objects tell them."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pulse import lake
from pulse.serve.formats import to_json
from pulse.serve.insights import asked
from pulse.serve.insights.drivers import drivers
from pulse.serve.insights.reading import Reader
from pulse.serve.insights.routes import insights
from pulse.serve.plan import plan_of
from pulse.serve.years import Years, without_limit
from pulse.tenants.tenant import CUBE, TableState, YearState
from tests import report_parts
from tests.unit.serve.events import Answer, as_piece, pairs
from tests.unit.serve.test_every_object import Shelf
from tests.unit.serve.test_insights import ACME, DAYS, FIRST, SECRET, Names, answers

ROUTES: dict[str, tuple[Callable[..., dict[str, Any]], Any]] = {
    "insights": (insights, asked.PARAMETERS),
    "drivers": (drivers, asked.DRIVERS),
}
BOTS = [
    Answer(FIRST + timedelta(days=at), 1, device="bot", agent="anna", country="AT")
    for at in range(28)
]
SOME = [*answers(), *BOTS]


def told(route: str, query: str, state: YearState, shelf: Shelf) -> Any:
    find, parameters = ROUTES[route]
    tables = {lake.SCORES.name: TableState({2026: state}, as_of_us=1)}
    tenant = replace(ACME, tables=tables)
    question = asked.parse(pairs(query), parameters)
    plan = plan_of(asked.REPORT, question.query, [tenant], SECRET)
    reader = Reader([tenant], SECRET, Years(shelf), without_limit)
    return json.loads(to_json(find(reader, plan, question, Names())))


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
