"""Tenants' own dimensions: questions name keys of tags, and objects have their columns."""

import csv
import io
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse import days, lake
from pulse.errors import BadRequestError, ForbiddenError, NotFoundError
from pulse.reports import tenant_year
from pulse.reports.registry import REPORTS
from pulse.reports.rollups import Rollup
from pulse.serve.answer import answer
from pulse.serve.catalogue import catalogue
from pulse.serve.dimensions import ValueSearch
from pulse.serve.own import own_dimensions, taken_names, with_own
from pulse.serve.plan import Plan, needs_of, plan_of
from pulse.serve.query import parse
from pulse.serve.years import YearRows, Years
from pulse.tenants.keys import Key
from pulse.tenants.tenant import CUBE, TableState, Tenant
from tests import oracle, report_parts
from tests.calendar_oracle import Calendar
from tests.oracle import Part, ReportQuery
from tests.unit.serve.events import Answer, as_piece, by_year, pairs
from tests.unit.serve.test_every_object import Shelf

DAY = date(2026, 11, 18)
FIRST, LAST = date(2026, 10, 1), date(2027, 1, 31)
WHOLE = f"start_date={FIRST}&end_date={LAST}"
SECRET = Key("0" * 64, "secret", "acme", 0)
OPERATOR = Key("1" * 64, "operator", None, 0)
SINCE = ((days.FIRST_DAY, True),)
ACME = Tenant("acme", "Acme", dimensions={"team": SINCE, "plan": SINCE})
GLOBEX = Tenant("globex", "Globex", dimensions={"shop": SINCE, "team": SINCE})
WONKA = Tenant("wonka", "Wonka")
COLUMNS = {
    "acme": {"team": "tag1", "plan": "tag2"},
    "globex": {"shop": "tag1", "team": "tag2"},
    "wonka": {},
}


@dataclass(frozen=True)
class Tagged(Answer):
    """An answer of a tenant, which has tags in columns."""

    tenant: str = "acme"

    def dimension(self, name: str) -> str | None:
        """By a column's name or a key of the tenant's."""
        if name in ("team", "plan", "shop"):
            column = COLUMNS[self.tenant].get(name)
            return super().dimension(column) if column else None
        return super().dimension(name)


def invented(chance: random.Random, tenant: str, size: int) -> list[Tagged]:
    """Answers of one survey; each column that the tenant has declared has values, or none."""
    span = (LAST - FIRST).days
    values = ["north", "south", "(x)", None]
    return [
        Tagged(
            FIRST + timedelta(days=chance.randint(0, span)),
            chance.randint(1, 5),
            channel=chance.choice(["chat", "ticket"]),
            agent=chance.choice(["ada", None]),
            tenant=tenant,
            tag1=chance.choice(values) if COLUMNS[tenant] else None,
            tag2=chance.choice(values) if COLUMNS[tenant] else None,
        )
        for _ in range(size)
    ]


Found = Sequence[tuple[Tenant, Sequence[Answer]]]


def laid(found: Found) -> tuple[list[Tenant], Shelf]:
    """The tenants as their records are once these answers are built, and the objects."""
    bodies: dict[str, bytes] = {}
    tenants = []
    for tenant, some in found:
        states = {}
        for year, its in by_year(some).items():
            rows = report_parts.cube_rows(lake.SCORES, [as_piece(its)])
            its_days = sorted({one.day for one in its})
            made = report_parts.lay(lake.SCORES, tenant.id, year, [(its_days, rows)])
            bodies |= made.bodies
            states[year] = replace(made.state, first_day=its_days[0])
        tenants.append(replace(tenant, tables={lake.SCORES.name: TableState(states)}))
    return tenants, Shelf(bodies)


def ask(report: str, query: str, found: Found, key: Key = SECRET) -> tuple[str, Plan, Shelf]:
    """The reply's body, as serve_reports makes it of the tenants asked about."""
    tenants, shelf = laid(found)
    entry = with_own(REPORTS[report], own_dimensions(tenants))
    parsed = parse(pairs(query), entry, across_tenants=key.kind == "operator")
    plan = plan_of(entry, parsed, tenants, key)
    needs = needs_of(plan)
    objects: dict[str, list[YearRows]] = {tenant.id: [] for tenant in tenants}
    for one, years in zip(needs, Years(shelf).read(needs), strict=True):
        objects[one.tenant.id] += years
    return answer(plan, objects, query).body, plan, shelf


def rows(report: str, query: str, found: Found, key: Key = SECRET) -> list[dict[str, Any]]:
    """The rows of the reply."""
    told: list[dict[str, Any]] = json.loads(ask(report, query, found, key)[0])["rows"]
    return told


def answered(n: int, score: int = 5, **given: Any) -> list[Answer]:
    return [Answer(DAY, score, **given)] * n


def counted(found: list[dict[str, Any]], *names: str) -> dict[Any, int]:
    """How many responses each row has, by these columns."""
    return {tuple(row[name] for name in names): row["responses"] for row in found}


TEAMS = [
    *answered(3, tag1="north", tag2="pro"),
    *answered(2, 1, tag1="south", tag2="pro"),
    *answered(4, 2, tag2="free"),
]


def test_a_report_is_grouped_by_a_key_and_its_column_is_called_so() -> None:
    told = rows("csat", f"{WHOLE}&group_by=team", [(ACME, TEAMS)])
    assert counted(told, "team") == {("north",): 3, ("south",): 2, (None,): 4}
    assert {row["team"]: row["csat_pct"] for row in told} == {"north": 100, "south": 0, None: 0}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("team=north", 3),
        ("team=!north", 6),
        ("team=(none)", 4),
        ("team=north,south&plan=pro", 5),
        ("plan=nobody", 0),
    ],
)
def test_a_report_is_filtered_by_keys(filters: str, expected: int) -> None:
    told = rows("csat", f"{WHOLE}&{filters}", [(ACME, TEAMS)])
    assert sum(row["responses"] for row in told) == expected


def test_csv_has_a_column_of_the_keys_name() -> None:
    text, _, _ = ask("csat", f"{WHOLE}&group_by=plan&format=csv", [(ACME, TEAMS)])
    lines = csv.DictReader(io.StringIO(text, newline=""))
    assert {line["plan"]: line["responses"] for line in lines} == {"pro": "5", "free": "4"}


def test_rows_are_ordered_by_a_key() -> None:
    told = rows("csat", f"{WHOLE}&group_by=team&order_by=-team", [(ACME, TEAMS)])
    assert [row["team"] for row in told] == ["south", "north", None]


def test_a_key_that_was_given_up_is_asked_for_like_before() -> None:
    given_up = replace(ACME, dimensions={"team": (*SINCE, (DAY, False)), "plan": SINCE})
    told = rows("csat", f"{WHOLE}&group_by=team", [(given_up, TEAMS)])
    assert counted(told, "team") == {("north",): 3, ("south",): 2, (None,): 4}


def test_agents_are_adjusted_for_a_key_as_for_any_dimension() -> None:
    """The oracle knows channels: the same answers, their teams as channels, give the same."""
    chance = random.Random(7)
    drawn = [
        (chance.choice(("ada", "bo", "cy")), chance.choice(("north", "south", "west")))
        for _ in range(300)
    ]
    scores = [
        chance.randint(1, 3) if team == "south" else chance.randint(3, 5) for _, team in drawn
    ]
    of_teams, of_channels = (
        [
            Answer(DAY, score, agent=agent, **{name: team})
            for score, (agent, team) in zip(scores, drawn, strict=True)
        ]
        for name in ("tag1", "channel")
    )
    by_team = replace(ACME, adjust_for=("team",))
    by_channel = replace(WONKA, adjust_for=("channel",))

    def adjusted(tenant: Tenant, answers: Sequence[Answer]) -> dict[str, tuple[float, str | None]]:
        told = rows("agents", WHOLE, [(tenant, answers)])
        return {row["agent"]: (row["adjusted_score"], row["differs"]) for row in told}

    found = adjusted(by_team, of_teams)
    assert len(found) == 3
    assert found == adjusted(by_channel, of_channels)
    assert found != adjusted(replace(by_team, adjust_for=()), of_teams)
    # a tenant that lacks the key, asked for beside one that has it, does not agree
    entry = with_own(REPORTS["agents"], own_dimensions([by_team, WONKA]))
    query = parse(pairs(f"tenant=acme,wonka&{WHOLE}"), entry, across_tenants=True)
    assert plan_of(entry, query, [by_team, WONKA], OPERATOR).strata == ("channel", "country")


def test_agents_are_not_adjusted_for_a_key_that_has_become_something_else() -> None:
    taken = replace(ACME, dimensions={"q": SINCE}, adjust_for=("q", "channel"))
    entry = with_own(REPORTS["agents"], own_dimensions([taken]))
    assert plan_of(entry, parse(pairs(WHOLE), entry), [taken], SECRET).strata == ("channel",)


def test_objects_of_before_there_were_columns_have_no_values() -> None:
    (tenant,), shelf = laid([(ACME, answered(2))])
    key = next(name for name in shelf.bodies if name.endswith("/cube.parquet"))
    former = replace(lake.SCORES, dimensions=lake.SCORES.dimensions[:-4], slots=())
    table = report_parts.cube_rows(lake.SCORES, [shelf.bodies[key]])
    rollup = Rollup(CUBE, former.dimensions)
    shelf.bodies = {key: tenant_year.encode(former, rollup, table.drop_columns([*lake.TAG_SLOTS]))}
    entry = with_own(REPORTS["csat"], own_dimensions([tenant]))
    plan = plan_of(entry, parse(pairs(f"{WHOLE}&group_by=team"), entry), [tenant], SECRET)
    (found,) = Years(shelf).read(needs_of(plan))
    told = json.loads(answer(plan, {"acme": found}, "").body)["rows"]
    assert counted(told, "team") == {(None,): 2}


def test_questions_about_tags_survey_and_channel_do_not_need_the_cube() -> None:
    _, _, shelf = ask("csat", f"{WHOLE}&group_by=team,plan&channel=chat", [(ACME, TEAMS)])
    assert [key.rpartition("/")[2] for key in shelf.asked] == [
        "day-metric-scale-survey-channel-tag1-tag2-tag3-tag4.parquet"
    ]


def test_what_public_keys_sent_too_many_of_is_warned_of() -> None:
    found = answered(2, tag1="(other)")
    body, _, _ = ask("csat", f"{WHOLE}&group_by=team", [(ACME, found)])
    (warning,) = json.loads(body)["meta"]["warnings"]
    assert warning["code"] == "values_folded"
    assert "team" in warning["message"]


# -- several tenants


def test_each_tenants_key_is_read_from_its_own_column() -> None:
    theirs = [*answered(5, tag1="Graz", tag2="north"), *answered(1, tag1="north")]
    query = f"{WHOLE}&tenant=acme,globex,wonka&group_by=tenant,team"
    found = [(ACME, TEAMS), (GLOBEX, theirs), (WONKA, answered(7))]
    assert counted(rows("csat", query, found, OPERATOR), "tenant", "team") == {
        ("acme", "north"): 3,
        ("acme", "south"): 2,
        ("acme", None): 4,
        ("globex", "north"): 5,
        ("globex", None): 1,
        ("wonka", None): 7,
    }
    told = rows(
        "csat", f"{WHOLE}&tenant=acme,globex,wonka&group_by=tenant&shop=Graz", found, OPERATOR
    )
    assert counted(told, "tenant") == {("globex",): 5}


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    sizes=st.tuples(*[st.sampled_from([0, 3, 60])] * 3),
    by=st.lists(
        st.sampled_from(["team", "plan", "shop", "channel", "agent", "tenant"]),
        unique=True,
        min_size=1,
        max_size=3,
    ),
    granularity=st.sampled_from(["total", "month", "week"]),
    kept=st.sampled_from([None, ("team", "north"), ("team", "!north"), ("plan", "(none)")]),
    before=st.booleans(),
)
def test_replies_are_those_of_the_single_answers(
    seed: int,
    sizes: tuple[int, ...],
    by: list[str],
    granularity: str,
    kept: tuple[str, str] | None,
    before: bool,
) -> None:
    chance = random.Random(seed)
    tenants = (ACME, GLOBEX, WONKA)
    found = [(one, invented(chance, one.id, n)) for one, n in zip(tenants, sizes, strict=True)]
    dates = date(2026, 12, 1), LAST
    calendar = Calendar(dates, "previous_period" if before else None)
    query = f"start_date={dates[0]}&end_date={dates[1]}&tenant=acme,globex,wonka"
    query += f"&granularity={granularity}&group_by={','.join(by)}&limit=10000"
    query += "&compare=previous_period" if before else ""
    query += f"&{kept[0]}={kept[1]}" if kept else ""
    told = json.loads(ask("geo", query, found, OPERATOR)[0])
    parts = [
        Part([one for one in some if _passes(one, kept)], calendar, tenant.id)
        for tenant, some in found
    ]
    asked = ReportQuery("geo", tuple(by), granularity)
    assert (told["rows"], told["totals"]) == oracle.reply(asked, parts)


def _passes(one: Answer, kept: tuple[str, str] | None) -> bool:
    if kept is None:
        return True
    name, value = kept
    wanted = None if value == "(none)" else value.removeprefix("!")
    return (one.dimension(name) == wanted) != value.startswith("!")


# -- what is allowed


def test_a_key_that_nobody_has_declared_is_no_parameter_and_those_that_are_get_listed() -> None:
    with pytest.raises(BadRequestError, match="team, plan"):
        rows("csat", f"{WHOLE}&group_by=shop", [(ACME, TEAMS)])
    with pytest.raises(BadRequestError) as raised:
        rows("csat", f"{WHOLE}&shop=Graz", [(ACME, TEAMS)])
    assert "team, plan" in str(raised.value)


@pytest.mark.parametrize("name", lake.TAG_SLOTS)
def test_no_column_is_asked_for_by_its_own_name(name: str) -> None:
    with pytest.raises(BadRequestError):
        rows("csat", f"{WHOLE}&group_by={name}", [(ACME, TEAMS)])


def test_interactions_have_no_tags() -> None:
    entry = with_own(REPORTS["customer-perspective"], own_dimensions([ACME]))
    assert entry == REPORTS["customer-perspective"]


def test_a_key_bound_to_a_value_sees_that_alone() -> None:
    bound = replace(SECRET, kind="report", filters={"team": ("north",)})
    assert counted(rows("csat", f"{WHOLE}&group_by=plan", [(ACME, TEAMS)], bound), "plan") == {
        ("pro",): 3
    }
    with pytest.raises(ForbiddenError):
        rows("csat", WHOLE, [(WONKA, TEAMS)], bound)


EARLY = Tenant("early", "Early", dimensions={"wait": SINCE, "channel": SINCE, "accept": SINCE})
"""It declared names that came to reports later, to those of its answers or to others alone."""


def test_a_key_of_before_stays_where_no_report_of_answers_has_its_name() -> None:
    assert [one.name for one in own_dimensions([EARLY])] == ["wait", "accept"]
    some = [*answered(2, tag1="long"), *answered(4, tag2="no"), *answered(8, tag1="short")]
    found = rows("csat", f"{WHOLE}&group_by=wait&wait=!short", [(EARLY, some)])
    assert counted(found, "wait") == {("long",): 2, (None,): 4}


def test_reports_on_experience_have_their_own_dimension_of_that_name() -> None:
    entry = with_own(REPORTS["experience"], own_dimensions([EARLY]))
    assert entry == REPORTS["experience"]
    assert parse(pairs("wait=0-10s"), entry).filters.keys() == {"wait"}
    bound = replace(SECRET, kind="report", filters={"wait": ("0-10s",)})
    assert plan_of(entry, parse(pairs(WHOLE), entry), [ACME], bound).filters
    with pytest.raises(ForbiddenError, match="which report experience cannot tell"):
        plan_of(entry, parse(pairs(WHOLE), entry), [EARLY], bound)


def test_names_that_mean_something_already_are_taken() -> None:
    some = {"channel", "media_type", "period", "tenant", "group_by", "q", "segment", "tag1"}
    some |= {"responses", "score_change", "csat_pct_significant", "agent_name", "level", "withheld"}
    some |= {"score_value", "comment", "tags", "format", "currency", "family", "key"}
    assert some <= taken_names()
    assert not {"team", "plan", "shop", "store", "product"} & taken_names()


def test_a_dimension_that_a_later_version_has_itself_is_that_versions() -> None:
    tenant = replace(ACME, dimensions={"channel": SINCE, "team": SINCE})
    assert [one.name for one in own_dimensions([tenant])] == ["team"]


# -- what there is


def test_the_catalogue_tells_whose_dimensions_there_are() -> None:
    told = catalogue(ACME)
    assert told["tenant"]["dimensions"] == ["team", "plan"]
    geo = next(report for report in told["reports"] if report["name"] == "geo")
    assert geo["filters"][-2:] == ["team", "plan"]
    assert geo["dimensions"][-1] == {
        "name": "plan",
        "title": "plan",
        "text": "The tag plan of the answers.",
        "values": None,
    }
    assert catalogue()["reports"] == catalogue(WONKA)["reports"]


def test_a_key_has_values_like_any_dimension() -> None:
    own = own_dimensions([ACME])
    search = ValueSearch.parse("team", pairs(f"{WHOLE}&plan=pro"), own=own)
    tenants, shelf = laid([(ACME, TEAMS)])
    plan = plan_of(search.report, search.query, tenants, SECRET)
    (found,) = Years(shelf).read(needs_of(plan))
    counts = {value: n for value, n in search._counts(plan, {"acme": found})}
    assert counts == {"north": 3, "south": 2}
    assert search.dimension.title == "team"
    with pytest.raises(NotFoundError, match="team, plan"):
        ValueSearch.parse("shop", [], own=own)
    with pytest.raises(NotFoundError):
        ValueSearch.parse("team", pairs("family=interaction"), own=own)
