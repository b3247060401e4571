"""On every date the Overview of the sample says what a newcomer should see within a minute.

Its sentences are made for dates of 400 days by the API's own code of the sample's rows. Nothing is
stored, and no browser runs.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, cached_property, lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
import pytest

from local.sample import interactions as of_the_sample
from local.sample import responses, story
from local.sample.tenant import TENANT, THRESHOLDS, surveys
from pulse import days, lake
from pulse.raw.user_agents import client_of
from pulse.serve.block import Block, CountsInMemory, SparseColumn
from pulse.serve.encoding import Encoded
from pulse.serve.formats import to_json
from pulse.serve.insights.insights_query import REPORT, parse
from pulse.serve.insights.reading import Reader
from pulse.serve.insights.routes import insights
from pulse.serve.needs import Needs
from pulse.serve.plan import plan_of
from pulse.serve.years import Admit, YearRows, without_limit
from pulse.tenants.keys import Key
from tests.report_parts import whole
from tests.unit.serve.events import pairs

pytestmark = pytest.mark.only_whole

FIRST = date(2027, 3, 1)
"""The 400 days from here hold a leap day and three changes of the clock in Berlin."""
DIFFERENT = {
    date(2027, 3, 28),  # the clock goes forward
    date(2027, 10, 31),  # it goes back
    date(2027, 12, 31),
    date(2028, 2, 29),
    date(2028, 3, 26),  # it goes forward
}
HOURS = (time(0, 0, 30), time(8, 15), time(13), time(23, 59, 30))

KEY = Key("0" * 64, "report", TENANT.id, 0)
METRICS = {survey.id: survey.current_rule.metric for survey in surveys(0)}
SCALES = {survey.id: survey.current_rule.label for survey in surveys(0)}
TEN_THOUSANDTHS = 10_000


def moments() -> list[datetime]:
    """One moment on some of 400 days, and on those that differ and the days beside them.

    What the story says depends on the weekday and the hour, of which there are all combinations,
    and on where in its weeks a calendar's change lies, which stay in sight for two months.
    """
    zone = days.zone(TENANT.timezone)
    near = {day + timedelta(days=n) for day in DIFFERENT for n in (-1, 0, 1)}
    every = ((n, FIRST + timedelta(days=n)) for n in range(400))
    return [
        datetime.combine(day, HOURS[n % len(HOURS)], zone)
        for n, day in every
        if n % 3 == 0 or day in near
    ]


def bad_week(now: datetime) -> tuple[date, date]:
    """Monday and Sunday of the week before last."""
    monday = now.date() - timedelta(days=now.weekday() + 14)
    return monday, monday + timedelta(days=6)


# -- the sample's rows as the report API holds them in memory


class Columns(dict[str, Encoded]):
    """Dimensions by name."""

    nbytes = 0


def block(
    table: lake.DailyTable, dimensions: Mapping[str, Any], measures: Mapping[str, Any]
) -> Block:
    """Rows, given as columns, as a report's block: a dimension that is not given is null."""
    dates = dimensions["day"]
    nothing = [None] * len(dates)
    columns = {name: column(dimensions.get(name, nothing)) for name in table.dimensions}
    return Block(
        table=table,
        day=np.array([day.toordinal() for day in dates]) - days.EPOCH.date().toordinal(),
        columns=Columns(columns),
        counts=CountsInMemory(
            {name: [part(measures[name])] for name in table.measures if name in measures}
        ),
    )


def column(values: Sequence[str | None]) -> Encoded:
    known = list(dict.fromkeys((None, *values)))
    code_of = {value: code for code, value in enumerate(known)}
    return Encoded(np.fromiter(map(code_of.__getitem__, values), np.int64, len(values)), known)


def part(amounts: Any) -> SparseColumn:
    found = np.array(amounts, np.int64)
    rows = np.flatnonzero(found)
    return SparseColumn(rows, found[rows])


class Answer(NamedTuple):
    """One of the sample's answers as it counts, by the names of the table's dimensions."""

    day: date
    score: int
    metric: str
    scale: str
    survey: str
    channel: str
    agent: str | None
    country: str
    browser: str | None
    os: str | None
    device: str | None


class Item(dict[str, Any]):
    """One of the sample's responses, which is counted on many dates and worked out once."""

    @cached_property
    def answer(self) -> Answer:
        """It as raw_responses would have it."""
        client = client_of(self["user_agent"])
        return Answer(
            day=days.local_day(days.parse_instant(self["answered_at"]), TENANT.timezone),
            score=self["score"],
            metric=METRICS[self["survey_id"]],
            scale=SCALES[self["survey_id"]],
            survey=self["survey_id"],
            channel=self["channel"],
            agent=self.get("agent_id"),
            country=self["country"],
            browser=client.browser,
            os=client.os,
            device=client.device,
        )


def answers(now: datetime) -> list[Answer]:
    """What the sample's customers have said by now."""
    found: Any = responses.responses(now)
    return [item.answer for item in found]


def scores(found: Sequence[Answer]) -> Block:
    """Each answer as a row of the report table scores."""
    columns = dict(zip(Answer._fields, zip(*found, strict=True), strict=True))
    given = np.array(columns["score"])
    counts = {name: given == score for score, name in enumerate(lake.SCORE_COUNTS)}
    return block(lake.SCORES, columns, counts)


class Entered(NamedTuple):
    """An interaction as it counts, by the names of the table's dimensions and measures."""

    day: date
    media_type: str
    currency: str | None
    entered: int
    offered: int
    accept_due: int
    accept_met: int
    with_revenue: int
    revenue: int


class KnownInteraction:
    """One of the sample's interactions, which is counted on many dates and worked out once."""

    def __init__(self, interaction: of_the_sample.Interaction) -> None:
        self.interaction = interaction
        self.entered = interaction.entered

    @cached_property
    def row(self) -> Entered:
        """It as it counts once it is finished."""
        one = self.interaction
        amount = Decimal(one.sale.amount) if one.sale else Decimal()
        offered = int(one.offered is not None)
        in_time = timedelta(seconds=THRESHOLDS[one.media_type].accept_s or 0)
        return Entered(
            day=days.local_day(days.to_us(one.entered), TENANT.timezone),
            media_type=one.media_type,
            currency=one.sale.currency if one.sale else None,
            entered=1,
            offered=offered,
            accept_due=offered,
            accept_met=int(bool(one.accepted and one.accepted <= one.entered + in_time)),
            with_revenue=int(amount != 0),
            revenue=int(amount * TEN_THOUSANDTHS),
        )


def entered(now: datetime) -> list[Entered]:
    """The interactions that have entered by now; none of those that are looked at still goes on."""
    found: Any = of_the_sample.interactions(now)
    rows = []
    for known in found:
        assert known.interaction.finished <= now
        rows.append(known.row)
    return rows


def interactions(found: Sequence[Entered]) -> Block:
    """Each interaction as a row of the report table interactions."""
    columns = dict(zip(Entered._fields, zip(*found, strict=True), strict=True))
    return block(lake.INTERACTIONS, columns, columns)


# -- what the Overview is told


@dataclass(frozen=True)
class Tables:
    """Report tables whose rows are in memory."""

    tables: Mapping[str, YearRows]

    def read(self, asked: Sequence[Needs], admit: Admit = without_limit) -> list[list[YearRows]]:
        """All of a table's rows, whatever is needed of it."""
        return [[self.tables[needs.table.name].under(needs.own)] for needs in asked]

    def weight(self, needs: Needs) -> int:
        """They are there."""
        return 0


def overview(now: datetime) -> Any:
    """What the API tells at a moment of the days that the Overview shows first."""
    asked = parse(pairs("preset=last_28_days"))
    blocks = scores(answers(now)), interactions_of(now)
    tables = Tables({block.table.name: whole(block.table, block) for block in blocks})
    reader = Reader([TENANT], KEY, tables, without_limit)
    plan = plan_of(REPORT, asked.query, [TENANT], KEY)
    return json.loads(to_json(insights(reader, plan, asked, NoNames())))


@lru_cache(2)  # on most days these are the rows of the day before
def _interactions(found: tuple[Entered, ...]) -> Block:
    return interactions(found)


def interactions_of(now: datetime) -> Block:
    """The interactions of the bad week and the one before."""
    return _interactions(tuple(entered(now)))


class NoNames:
    """The sample's agents and surveys, by their ids."""

    def known(self, dimension: str, tenants: Sequence[str]) -> dict[str, str]:
        """None."""
        return {}


@pytest.fixture(scope="module")
def told() -> Mapping[datetime, Any]:
    """What the Overview tells, by the moment at which it is opened."""
    found: dict[datetime, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        spare_what_is_not_asked(patch)
        for now in moments():
            with days.clock(partial(at, now)):
                found[now] = overview(now)
    return found


def at(now: datetime) -> datetime:
    return now


def spare_what_is_not_asked(patch: pytest.MonkeyPatch) -> None:
    """Draw each day of the story once, and only days that the Overview asks about."""
    patch.setattr(responses, "drawn", cache(responses.drawn))
    patch.setattr(responses, "told", latest)
    patch.setattr(of_the_sample, "told", around_the_bad_week)
    patch.setattr(responses, "of_day", each_once(responses.of_day, Item))
    patch.setattr(of_the_sample, "of_day", each_once(of_the_sample.of_day, KnownInteraction))


def each_once(of_day: Callable[..., Any], kind: Callable[[Any], Any]) -> Callable[..., Any]:
    """What is there of a day, as that kind; while dates have that day at the same place, once."""

    @lru_cache(64)
    def found(day: date, to_sunday: int) -> list[Any]:
        return [kind(one) for one in of_day(day, to_sunday)]

    return found


def latest(now: datetime) -> list[tuple[date, int]]:
    """The last 28 days and those before, and today."""
    return list(story.told(now))[-57:]


def around_the_bad_week(now: datetime) -> list[tuple[date, int]]:
    """The bad week and the one before."""
    first, last = bad_week(now)
    return [one for one in story.told(now) if first - timedelta(days=7) <= one[0] <= last]


def different(told: Mapping[datetime, Any], expected: Callable[[datetime], Any]) -> dict[str, Any]:
    """What is told otherwise than expected, by moment."""
    return {
        str(now): found for now, found in told.items() if not re.fullmatch(expected(now), found)
    }


def sentence(told: Mapping[datetime, Any], number: int) -> Mapping[datetime, str]:
    """One of the Overview's sentences, by moment."""
    return {
        now: one["sentences"][number]["text"].replace("\u00a0", " ") for now, one in told.items()
    }


def test_the_dates_are_those_on_which_calendars_differ(told: Mapping[datetime, Any]) -> None:
    dates = {now.date() for now in told}
    assert (min(dates), len(dates)) == (FIRST, 144)
    assert date(2028, 2, 29) in dates
    assert {date(2027, 3, 28), date(2027, 10, 31), date(2028, 3, 26)} <= dates  # clocks change
    assert {date(2027, 12, 31), date(2028, 1, 1)} <= dates
    assert {(now.weekday(), now.time()) for now in told} == {
        (weekday, hour) for weekday in range(7) for hour in HOURS
    }


def test_satisfaction_has_fallen_and_is_told_first(told: Mapping[datetime, Any]) -> None:
    fallen = (
        r"Customer satisfaction was 6\d\.\d % \(2,[89]\d\d answers\), [56]\.\d points lower than "
        r"in the 28 days before \(7\d\.\d %\), more than chance explains\."
    )
    assert different(sentence(told, 0), lambda now: fallen) == {}


def test_it_went_wrong_in_the_week_before_last(told: Mapping[datetime, Any]) -> None:
    def days_of(now: datetime) -> str:
        # CLDR's British English has four letters for September
        months = (f"{day:%b}".replace("Sep", "Sept") for day in bad_week(now))
        first, last = (
            f"{day:%a} {day.day} {month}" for day, month in zip(bad_week(now), months, strict=True)
        )
        return rf"It went wrong from {first} to {last}: 51\.\d %, against 7[78]\.\d % on the .*"

    assert different(sentence(told, 1), days_of) == {}


def test_austria_by_ticket_explains_nearly_all_of_it(told: Mapping[datetime, Any]) -> None:
    explained = (
        r"Answers from Austria explain nearly all of it: 1\d\.\d % \(4\d\d answers\), after "
        r"\d\d\.\d % \(\d\d\) in the 7 days before, mostly by ticket\."
    )
    assert different(sentence(told, 2), lambda now: explained) == {}
    for now, one in told.items():
        top = one["worst"]["top_contributor"]
        assert (top["dimension"], top["value"]) == ("country", "AT"), now
        assert (top["within"]["dimension"], top["within"]["value"]) == ("channel", "ticket"), now


def test_the_cost_is_the_same_whatever_day_it_is(told: Mapping[datetime, Any]) -> None:
    cost = (
        r"The cost: 2\d\d more dissatisfied answers than in the 7 days before "
        r"\(3\d\d after \d\d\), 3\d\d more answers in all, "
        r"and 9\.\d points of the score of all these days\."
    )
    contact_centre = (
        r"The contact centre had 1,\d\d\d contacts in these days, 4\d\d more, and accepted "
        r"4\d\.\d % of those with a threshold in time, after 8\d\.\d %\."
    )
    revenue = r"Revenue was €.* in these days, €.* less than in the 7 days before; .* less\."
    for number, expected in ((3, cost), (4, contact_centre), (5, revenue)):
        assert different(sentence(told, number), lambda now: expected) == {}  # noqa: B023 # at once
    # the answers and interactions of that week and the one before are the same on every date
    for number in (2, 4, 5):
        assert len(set(sentence(told, number).values())) == 1


def test_of_the_rest_nothing_is_news(told: Mapping[datetime, Any]) -> None:
    chance = (
        r"The net promoter score was .*, which may be chance\); Customer effort was .* chance\)\."
    )
    assert different(sentence(told, 6), lambda now: chance) == {}
    assert {len(one["sentences"]) for one in told.values()} == {7}


def test_austria_moved_satisfaction_most(told: Mapping[datetime, Any]) -> None:
    for now, one in told.items():
        first = one["movers"]["rows"][0]
        assert (first["value"], first["significant"]) == ("AT", True), now
        assert first["within"][0]["value"] == "ticket", now
        assert first["points"] < -5, now
