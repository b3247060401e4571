"""The cheapest object of each part that covers a question is read, once, and all in parallel."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from pulse import lake
from pulse.days import DateRange
from pulse.errors import GoneError, UnavailableError
from pulse.filters import BOTS, PEOPLE, Condition, Filters
from pulse.reports.rollups import ROLLUPS
from pulse.serve.needs import Needs
from pulse.serve.years import Admit, Left, YearRows, Years
from pulse.store.objects import Objects
from pulse.tenants.tenant import CUBE, UNTOLD, Part, TableState, Tenant, YearState
from tests import report_parts
from tests.unit.serve.events import Answer, as_piece

YEAR = DateRange(date(2026, 1, 1), date(2026, 12, 31))
MARCH = DateRange(date(2026, 3, 1), date(2026, 3, 31))
BY_CHANNEL = "day-metric-scale-survey-channel"
BY_DEVICE = "day-metric-scale-survey-channel-browser-os-device"
LEFT_OUT = {"device": PEOPLE}
BY_MONTH = ROLLUPS["scores"][1].name
TAIL = BY_MONTH.replace("month", "tail", 1)
OF_ALL = ("metric", "scale", "agent", "country", "browser")


class Shelf(Objects):
    """A bucket in memory that says what was asked of it."""

    def __init__(self) -> None:
        super().__init__("shelf")
        self.bodies: dict[str, bytes] = {}
        self.asked: list[str] = []

    def get_unless_gone(self, key: str) -> bytes | None:
        """As S3 would answer."""
        self.asked.append(key)
        return self.bodies.get(key)

    @property
    def names(self) -> list[str]:
        """The roll-ups that were asked for, in order."""
        return [key.rpartition("/")[2].removesuffix(".parquet") for key in self.asked]


APRIL = DateRange(date(2026, 4, 1), date(2026, 4, 30))


def day(number: int) -> date:
    return YEAR.start + timedelta(days=number)


ANSWERS = [Answer(day(number), 4) for number in range(365)]
"""One a day."""


def rows(answers: Collection[Answer]) -> Any:
    return report_parts.cube_rows(lake.SCORES, [as_piece(answers)])


def tenant_of(states: dict[int, YearState]) -> Tenant:
    return Tenant("acme", "Acme", tables={"scores": TableState(states)})


def stock(shelf: Shelf, parts: list[list[Answer]], **given: Any) -> Tenant:
    """A tenant whose 2026 lies in the shelf in these parts, the newest first."""
    laid = report_parts.lay(
        lake.SCORES,
        "acme",
        2026,
        [({answer.day for answer in part}, rows(part)) for part in parts],
        **given,
    )
    shelf.bodies |= laid.bodies
    return tenant_of({2026: laid.state})


def needs(
    tenant: Tenant,
    *dimensions: str,
    dates: DateRange = YEAR,
    compared: DateRange | None = None,
    months: bool = False,
) -> Needs:
    ranges = (dates, compared) if compared else (dates,)
    named = frozenset(dimensions or ("metric", "scale"))
    granularity = "month" if months else "day"
    return Needs(lake.SCORES, tenant, named, {}, ranges, months, named, granularity)


def responses(years: list[YearRows], dates: DateRange = YEAR) -> int:
    return sum(int(year.group(dates, {}, []).sums.sum()) for year in years)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def test_the_smallest_object_that_covers_the_question_is_read(shelf: Shelf) -> None:
    tenant = stock(shelf, [ANSWERS])
    (years,) = Years(shelf).read([needs(tenant, "metric", "scale", "channel")])
    assert responses(years) == 365
    assert shelf.names == [BY_CHANNEL]
    shelf.asked.clear()
    (years,) = Years(shelf).read([needs(tenant, *OF_ALL)])
    assert responses(years) == 365
    assert shelf.names == [CUBE]


PEOPLE_AND_BOTS = [*ANSWERS, *(Answer(day(number), 1, device="bot") for number in range(10))]


def with_large_cube(tenant: Tenant) -> Tenant:
    """The tenant, as if the cube took more time than any two objects beside it."""
    state = tenant.table("scores").years[2026]
    parts = (replace(part, sizes={**part.sizes, CUBE: 2**30}) for part in state.parts)
    return tenant_of({2026: replace(state, parts=tuple(parts))})


@pytest.mark.parametrize(
    ("filters", "dimensions", "counted", "read"),
    [
        ({"device": PEOPLE}, ("metric", "scale", "channel"), 365, {BY_CHANNEL, "bots"}),
        ({"device": BOTS}, ("metric", "scale", "survey"), 10, {BY_DEVICE, "bots"}),
        ({}, ("metric", "scale", "channel"), 375, {BY_CHANNEL, "bots"}),
        ({"device": PEOPLE}, OF_ALL, 365, {CUBE}),
    ],
)
def test_beside_what_leaves_bots_out_their_own_object_is_read(
    shelf: Shelf,
    filters: Filters,
    dimensions: tuple[str, ...],
    counted: int,
    read: set[str],
) -> None:
    tenant = with_large_cube(stock(shelf, [PEOPLE_AND_BOTS]))
    asked = replace(
        needs(tenant, *dimensions, *filters), filters=filters, grouped=frozenset(dimensions)
    )
    ((year,),) = Years(shelf).read([asked])
    assert int(year.group(YEAR, filters, []).sums.sum()) == counted
    assert {*shelf.names} == read
    assert year.bots(YEAR, filters) == 10


def test_rows_are_cut_out_also_of_what_leaves_bots_out_and_tells_no_devices(shelf: Shelf) -> None:
    tenant = with_large_cube(stock(shelf, [PEOPLE_AND_BOTS]))
    asked = replace(needs(tenant, "metric", "scale", "channel", "device"), filters=LEFT_OUT)
    asked = replace(asked, grouped=frozenset(["metric", "scale", "channel"]))
    ((year,),) = Years(shelf).read([asked])
    assert {*shelf.names} == {BY_CHANNEL, "bots"}
    cut = replace(year, pieces=[piece.only([MARCH], LEFT_OUT) for piece in year.pieces])
    assert int(cut.group(MARCH, LEFT_OUT, ["channel"]).sums.sum()) == 31


def test_what_has_bots_in_its_sums_is_read_where_it_tells_devices(shelf: Shelf) -> None:
    tenant = stock(shelf, [PEOPLE_AND_BOTS], layout="of before")
    asked = replace(needs(tenant, "metric", "scale", "channel", "device"), filters=LEFT_OUT)
    ((year,),) = Years(shelf).read([asked])
    assert int(year.group(YEAR, LEFT_OUT, []).sums.sum()) == 365
    assert shelf.names == [BY_DEVICE]
    by_agent = needs(tenant, "metric", "scale", "agent", "device")
    ((year,),) = Years(shelf).read([replace(by_agent, filters=LEFT_OUT)])
    assert int(year.group(YEAR, LEFT_OUT, []).sums.sum()) == 365
    assert shelf.names == [BY_DEVICE, CUBE]


def test_of_bots_that_no_object_holds_athena_is_asked(shelf: Shelf) -> None:
    tenant = stock(shelf, [PEOPLE_AND_BOTS])
    (part,) = tenant.table("scores").years[2026].parts
    untold = replace(part, sizes={BY_CHANNEL: part.sizes[BY_CHANNEL], "bots": UNTOLD})
    state = replace(tenant.table("scores").years[2026], parts=(untold,))
    people = replace(needs(tenant_of({2026: state}), "metric", "scale"), filters=LEFT_OUT)
    ((year,),) = Years(shelf).read([people])
    assert responses([year]) == 365
    with pytest.raises(UnavailableError):
        Years(shelf).read([replace(people, filters={"device": BOTS})])


MANY_BOTS = [
    *PEOPLE_AND_BOTS,
    *(Answer(day(number), 1, device="bot", agent="ada") for number in range(31, 34)),
    *(Answer(day(number), 1, device="bot", agent="ada", browser="X") for number in range(40, 42)),
]


def is_one(*values: str | None) -> Condition:
    return Condition(frozenset(values))


@pytest.mark.parametrize(
    ("filters", "dates", "bots", "read"),
    [
        ({}, YEAR, 15, "bots-month-metric-scale"),
        ({}, DateRange(day(9), day(31)), 2, "bots-day-metric-scale"),
        ({"agent": is_one("ada")}, YEAR, 5, "bots-month-metric-scale-agent"),
        ({"channel": is_one("ticket")}, MARCH, 0, f"bots-{BY_CHANNEL}"),
        ({"agent": is_one("ada"), "browser": is_one("X")}, YEAR, 2, f"bots-{BY_MONTH}"),
    ],
)
def test_of_too_many_bots_those_are_counted_that_the_filters_would_let_in(
    shelf: Shelf, filters: Filters, dates: DateRange, bots: int, read: str
) -> None:
    tenant = stock(shelf, [MANY_BOTS], layout="many bots")
    names = ("metric", "scale", *filters)
    asked = needs(tenant, *names, dates=dates, months="-month-" in read)
    asked = replace(asked, filters={**filters, **LEFT_OUT}, bots_left_out=True)
    ((year,),) = Years(shelf).read([asked])
    assert (len(shelf.names), shelf.names[-1]) == (2, read)
    assert year.bots(dates, asked.filters) == bots
    people = {day for day in dates if not {"agent", "channel"} & {*filters}}
    assert int(year.group(dates, asked.filters, ["metric"]).sums.sum()) == len(people)


def test_bots_that_no_object_tells_apart_so_are_for_athena_to_count(shelf: Shelf) -> None:
    tenant = stock(shelf, [MANY_BOTS], layout="many bots")
    (part,) = tenant.table("scores").years[2026].parts
    kept = {"bots": UNTOLD, BY_CHANNEL: part.sizes[BY_CHANNEL], "bots-day-metric-scale": 900}
    kept |= {f"bots-{BY_CHANNEL}": UNTOLD}
    state = replace(tenant.table("scores").years[2026], parts=(replace(part, sizes=kept),))
    asked = replace(needs(tenant_of({2026: state}), "metric", "scale", "channel"), filters=LEFT_OUT)
    asked = replace(asked, bots_left_out=True)
    assert Years(shelf).weight(asked) == kept[BY_CHANNEL] + 900
    by_channel = {**LEFT_OUT, "channel": is_one("chat")}
    assert Years(shelf).weight(replace(asked, filters=by_channel)) is None
    none_left = {**kept, f"bots-{BY_CHANNEL}": 0}
    state = replace(state, parts=(replace(part, sizes=none_left),))
    asked = replace(asked, tenant=tenant_of({2026: state}), filters=by_channel)
    assert Years(shelf).weight(asked) == kept[BY_CHANNEL]


def test_a_part_whose_days_are_not_asked_for_is_not_read(shelf: Shelf) -> None:
    tenant = stock(shelf, [ANSWERS[200:], ANSWERS[:200]])
    (years,) = Years(shelf).read([needs(tenant, dates=MARCH)])
    assert responses(years, MARCH) == 31
    assert len(shelf.asked) == 1


def test_days_of_newer_parts_count_once(shelf: Shelf) -> None:
    again = [Answer(day(number), 2) for number in range(100, 110) for _ in range(5)]
    tenant = stock(shelf, [ANSWERS[360:], again, ANSWERS])
    (years,) = Years(shelf).read([needs(tenant)])
    assert responses(years) == 365 - 10 + 50
    assert len(shelf.asked) == 3


def test_days_whose_rows_are_all_gone_count_nothing(shelf: Shelf) -> None:
    gone = ({day(number) for number in range(20)}, rows([]))
    laid = report_parts.lay(
        lake.SCORES, "acme", 2026, [gone, ({a.day for a in ANSWERS}, rows(ANSWERS))]
    )
    shelf.bodies |= laid.bodies
    (years,) = Years(shelf).read([needs(tenant_of({2026: laid.state}))])
    assert responses(years) == 345


def alone(shelf: Shelf, tenant: Tenant, *names: str) -> Tenant:
    """The tenant whose parts have these objects alone."""
    (state,) = tenant.table("scores").years.values()
    parts = [
        replace(part, sizes={name: part.sizes[name] for name in names}) for part in state.parts
    ]
    return tenant_of({2026: replace(state, parts=tuple(parts))})


@pytest.mark.parametrize(
    ("dates", "months", "expected"),
    [
        (YEAR, True, BY_MONTH),
        (YEAR, False, CUBE),
        (MARCH, True, BY_MONTH),
        (DateRange(date(2026, 3, 2), date(2026, 3, 31)), True, CUBE),
        (DateRange(date(2025, 12, 15), date(2026, 1, 31)), True, BY_MONTH),
        (DateRange(date(2025, 12, 15), date(2026, 1, 30)), True, CUBE),
    ],
)
def test_sums_by_month_stand_for_whole_months_alone(
    shelf: Shelf, dates: DateRange, months: bool, expected: str
) -> None:
    tenant = alone(shelf, stock(shelf, [ANSWERS]), CUBE, BY_MONTH)
    tenant_sizes = {CUBE: 100, BY_MONTH: 10}
    (state,) = tenant.table("scores").years.values()
    part = replace(state.parts[0], sizes=tenant_sizes)
    tenant = tenant_of({2026: replace(state, parts=(part,))})
    (years,) = Years(shelf).read([needs(tenant, *OF_ALL, dates=dates, months=months)])
    assert shelf.names == [expected]
    first = max(dates.start, YEAR.start)
    assert responses(years, dates) == (dates.end - first).days + 1


def test_a_month_that_a_newer_part_has_days_of_is_not_whole(shelf: Shelf) -> None:
    tenant = alone(shelf, stock(shelf, [ANSWERS[61:62], ANSWERS]), CUBE, BY_MONTH)
    for dates, expected in (
        (DateRange(date(2026, 4, 1), date(2026, 6, 30)), {BY_MONTH}),
        (MARCH, {CUBE, BY_MONTH}),  # the newer part's own month is whole as far as it has days
    ):
        years_of = Years(shelf)
        shelf.asked.clear()
        asked = needs(tenant, *OF_ALL, dates=dates, months=True)
        (years,) = years_of.read([_sized(asked)])
        assert {*shelf.names} == expected
        assert responses(years, dates) == dates.days


LAST = DateRange(date(2026, 12, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("newer", "dates", "read"),
    [
        (slice(-3, -1), YEAR, {CUBE, TAIL}),  # of the last month, which the tail has by day
        (slice(-3, -1), DateRange(date(2026, 12, 5), date(2026, 12, 30)), {CUBE, TAIL}),
        (slice(-3, -1), DateRange(date(2026, 11, 5), date(2026, 12, 30)), {CUBE}),
        (slice(0, 0), YEAR, {BY_MONTH}),  # all months are whole
        (slice(61, 63), YEAR, {CUBE}),  # of an earlier month
        (slice(61, 63), LAST, {BY_MONTH}),
    ],
)
def test_the_tail_tells_what_newer_parts_have_left_of_the_last_month(
    shelf: Shelf, newer: slice, dates: DateRange, read: set[str]
) -> None:
    parts = [part for part in (ANSWERS[newer], ANSWERS) if part]
    tenant = stock(shelf, parts)
    asked = needs(tenant, *OF_ALL, dates=dates, months=True)
    sized = _sized(asked, {CUBE: 100, TAIL: 20, BY_MONTH: 10})
    *newest, oldest = sized.tenant.table("scores").years[2026].parts
    states = [replace(part, sizes={CUBE: 1}) for part in newest]
    state = replace(sized.tenant.table("scores").years[2026], parts=(*states, oldest))
    (years,) = Years(shelf).read([replace(sized, tenant=tenant_of({2026: state}))])
    assert {*shelf.names} == read
    assert responses(years, dates) == dates.days


def _sized(asked: Needs, sizes: Mapping[str, int] | None = None) -> Needs:
    """The same, where sums by month are the smaller object, or objects have these sizes."""
    (state,) = asked.tenant.table("scores").years.values()
    sizes = sizes or {CUBE: 100, BY_MONTH: 10}
    parts = [replace(part, sizes=sizes) for part in state.parts]
    return replace(asked, tenant=tenant_of({2026: replace(state, parts=tuple(parts))}))


def test_both_ranges_need_whole_months(shelf: Shelf) -> None:
    tenant = alone(shelf, stock(shelf, [ANSWERS]), CUBE, BY_MONTH)
    before = DateRange(date(2026, 1, 29), date(2026, 2, 28))
    asked = needs(tenant, *OF_ALL, dates=MARCH, compared=before, months=True)
    Years(shelf).read([_sized(asked)])
    assert shelf.names == [CUBE]


def test_what_is_in_memory_is_not_asked_for_again(shelf: Shelf) -> None:
    tenant = stock(shelf, [ANSWERS])
    years = Years(shelf)
    years.read([needs(tenant, "metric", "scale", "country", "survey")])
    years.read([needs(tenant)])  # a smaller object would do, but this one is here
    assert shelf.names == ["day-metric-scale-survey-channel-country"]


def test_a_fold_or_a_build_is_read_as_soon_as_the_record_tells_of_it(shelf: Shelf) -> None:
    years = Years(shelf)
    years.read([needs(stock(shelf, [ANSWERS[:100]]))])
    (found,) = years.read([needs(stock(shelf, [ANSWERS[100:200], ANSWERS[:100]]))])
    assert responses(found) == 200


def test_one_question_asks_for_an_object_once(shelf: Shelf) -> None:
    tenant = stock(shelf, [ANSWERS])
    found = Years(shelf).read([needs(tenant), needs(tenant)])
    assert len(shelf.asked) == 1
    assert [responses(years) for years in found] == [365, 365]


def test_an_object_that_has_gone_is_told(shelf: Shelf) -> None:
    tenant = stock(shelf, [ANSWERS])
    shelf.bodies.clear()
    with pytest.raises(GoneError, match="no longer there"):
        Years(shelf).read([needs(tenant)])


def test_the_object_of_former_versions_is_read_and_named_by_its_content(shelf: Shelf) -> None:
    key = "reports/scores/tenant=acme/year=2026.parquet"
    held = frozenset(YEAR)

    def former(content: str, answers: list[Answer]) -> Tenant:
        shelf.bodies[key] = report_parts.cube(lake.SCORES, [as_piece(answers)])
        part = Part("", held, {CUBE: 0})
        return tenant_of({2026: YearState((part,), content, 1, YEAR.start, 0)})

    years = Years(shelf)
    (found,) = years.read([needs(former("first", ANSWERS))])
    assert responses(found) == 365
    (found,) = years.read([needs(former("second", ANSWERS[:7]), months=True)])
    assert responses(found) == 7
    assert shelf.asked == [key, key]


def test_a_year_without_parts_is_not_asked_for(shelf: Shelf) -> None:
    tenant = tenant_of({2026: YearState((), "hash", 1, None, 3)})
    assert Years(shelf).read([needs(tenant)]) == [[]]
    assert shelf.asked == []


def test_what_no_object_covers_comes_from_elsewhere(shelf: Shelf) -> None:
    tenant = alone(shelf, stock(shelf, [ANSWERS[10:20], ANSWERS]), BY_CHANNEL)
    asked = needs(tenant, *OF_ALL)
    with pytest.raises(UnavailableError) as error:
        Years(shelf).read([asked])
    assert error.value.code == "not_rolled_up"
    told: list[Left] = []
    other = report_parts.as_year(
        lake.SCORES, report_parts.cube(lake.SCORES, [as_piece(ANSWERS[:3])])
    )

    def elsewhere(left: Sequence[Left], admit: Admit) -> list[YearRows]:
        told.extend(left)
        return [other for _ in left]

    (years,) = Years(shelf, elsewhere=elsewhere).read([asked])
    assert responses(years) == 3
    assert [left.needs for left in told] == [asked]
    assert [len(part.live) for part in told[0].parts] == [10, 355]
    (years,) = Years(shelf, elsewhere=elsewhere).read([needs(tenant)])
    assert responses(years) == 365
    assert len(told) == 1


def test_what_a_question_would_read_is_known_before_it_is_read(shelf: Shelf) -> None:
    tenant = stock(shelf, [ANSWERS[10:20], ANSWERS])
    lengths = [len(body) for key, body in shelf.bodies.items() if f"/{BY_CHANNEL}." in key]
    assert len(lengths) == 2
    assert Years(shelf).weight(needs(tenant, "channel")) == sum(lengths)
    without = alone(shelf, tenant, BY_CHANNEL)
    assert Years(shelf).weight(needs(without, *OF_ALL)) is None
    assert Years(shelf).weight(needs(tenant_of({}))) == 0
    assert shelf.asked == []


def test_rows_that_are_cut_out_answer_as_the_whole_parts_do(shelf: Shelf) -> None:
    again = [Answer(day(number), 2) for number in range(100, 110) for _ in range(5)]
    tenant = stock(shelf, [again, ANSWERS])
    for months in (False, True):
        asked = needs(tenant, "channel", dates=MARCH, compared=APRIL, months=months)
        ((year,),) = Years(shelf).read([asked])
        few = replace(year, pieces=[piece.only((MARCH, APRIL), {}) for piece in year.pieces])
        assert sum(len(piece.block.day) for piece in few.pieces) <= 30 + 61
        for dates in (MARCH, APRIL):
            assert responses([few], dates) == responses([year], dates) > 0


def test_the_least_recently_used_leave_when_memory_is_short(shelf: Shelf) -> None:
    states = {}
    for year in (2024, 2025, 2026):
        answers = [Answer(date(year, 6, 1), 4)] * 3
        laid = report_parts.lay(
            lake.SCORES, "acme", year, [({date(year, 6, 1)}, rows(answers))], layout="cube alone"
        )
        shelf.bodies |= laid.bodies
        states[year] = laid.state
    tenant = tenant_of(states)

    def ask(years: Years, year: int) -> None:
        years.read([needs(tenant, dates=DateRange(date(year, 1, 1), date(year, 12, 31)))])

    measure = Years(shelf)
    ask(measure, 2024)
    one = sum(block.nbytes for block in measure._kept.values())
    years = Years(shelf, budget_bytes=int(2.5 * one))
    for year in (2024, 2025, 2024, 2026):
        ask(years, year)
    shelf.asked.clear()
    ask(years, 2024)
    assert shelf.asked == []
    ask(years, 2025)
    assert len(shelf.asked) == 1


def test_what_is_larger_than_the_budget_is_read_all_the_same(shelf: Shelf) -> None:
    tenant = stock(shelf, [ANSWERS])
    years = Years(shelf, budget_bytes=0)
    for _ in range(2):
        (found,) = years.read([needs(tenant)])
        assert responses(found) == 365
    assert len(shelf.asked) == 2
