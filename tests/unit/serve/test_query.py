"""A query string becomes one value, or one error with a code and the allowed values."""

import unicodedata
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse import days
from pulse.errors import BadRequestError
from pulse.filters import Condition
from pulse.reports.registry import REPORTS, SURVEY
from pulse.serve.query import MOST_DAYS, PARAMETERS, Order, Query, parse
from pulse.tenants.tenant import TableState, Tenant
from tests.report_parts import state
from tests.unit.serve.events import pairs

DAILY, NPS, SOURCE = (REPORTS[name] for name in ("daily", "nps", "source"))


def ask(query: str, report: str = "source", accept: str = "") -> Query:
    return parse(pairs(query), REPORTS[report], accept)


def condition(query: str, name: str) -> Condition:
    return ask(query).filters[name]


# -- defaults


def test_nothing_asked_is_the_report_s_own_grouping_over_the_last_four_weeks() -> None:
    assert ask("") == Query(
        preset="last_28_days",
        dates=None,
        granularity="total",
        group_by=("metric", "scale", "channel"),
        limit=1_000,
    )
    assert ask("", "daily").group_by == ("period", "metric", "scale")
    assert ask("", "nps").group_by == ("metric", "scale")


# -- days


def test_both_dates_are_inclusive() -> None:
    query = ask("start_date=2026-02-28&end_date=2026-03-01")
    assert query.preset is None
    assert query.dates == days.DateRange(date(2026, 2, 28), date(2026, 3, 1))


def test_fifty_years_are_allowed_and_one_day_more_is_not() -> None:
    longest = days.DateRange(date(1990, 1, 1), date(2040, 2, 7))
    assert longest.days == MOST_DAYS
    assert ask("start_date=1990-01-01&end_date=2040-02-07").dates == longest
    with pytest.raises(BadRequestError) as error:
        ask("start_date=1990-01-01&end_date=2040-02-08")
    assert error.value.code == "range_too_long"


TENANT = Tenant(
    "t",
    "T",
    timezone="Pacific/Auckland",
    week_start="sunday",
    tables={"scores": TableState({2024: state([date(2024, 5, 6)])})},
)


@pytest.mark.parametrize("preset", days.PRESETS)
def test_every_preset_resolves_in_the_tenant_s_calendar(preset: str) -> None:
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)  # the 21st in Auckland
    with days.clock(lambda: noon):
        found = ask(f"preset={preset}").resolve(TENANT, ["scores"])
    assert found == days.resolve_preset(
        preset, date(2026, 11, 21), week_start="sunday", first_day=date(2024, 5, 6)
    )
    assert found.preset == preset


def test_all_time_begins_with_the_first_day_that_has_data() -> None:
    with days.clock(lambda: datetime(2026, 11, 20, tzinfo=UTC)):
        found = ask("preset=all_time").resolve(TENANT, ["scores"])
    assert found.start == date(2024, 5, 6)


# -- grouping


def test_group_by_replaces_the_report_s_own_dimensions() -> None:
    query = ask("group_by=country,agent")
    assert query.group_by == ("metric", "scale", "country", "agent")


def test_what_is_always_grouped_may_be_named() -> None:
    assert ask("group_by=scale,country").group_by == ("metric", "scale", "country")


def test_period_in_group_by_asks_for_days() -> None:
    assert ask("group_by=period,country").granularity == "day"
    assert ask("group_by=period&granularity=week").granularity == "week"
    assert ask("group_by=period").group_by == ("period", "metric", "scale")


def test_rates_are_always_by_score() -> None:
    assert ask("", "rates").group_by == ("metric", "scale", "score_value")
    assert ask("group_by=agent", "rates").group_by == ("metric", "scale", "agent", "score_value")
    assert ask("group_by=score_value,agent", "rates").group_by[2:] == ("score_value", "agent")


def test_granularity_adds_the_period() -> None:
    assert ask("granularity=month").group_by == ("period", "metric", "scale", "channel")
    assert ask("granularity=total", "daily").group_by == ("metric", "scale")


# -- filters


def test_literal_commas_part_values_and_escaped_ones_belong_to_them() -> None:
    assert condition("agent=a,b%2Cc", "agent") == Condition(frozenset({"a", "b,c"}))


def test_a_filter_that_is_given_twice_means_the_values_of_both() -> None:
    assert condition("agent=a&agent=b%2Cc", "agent") == Condition(frozenset({"a", "b,c"}))
    assert condition("agent=!a,b&agent=!c", "agent") == Condition(
        frozenset({"a", "b", "c"}), negated=True
    )


def test_names_may_be_separated_by_commas_that_are_escaped() -> None:
    """urlencode and URLSearchParams escape commas."""
    query = ask("group_by=channel%2Ccountry&order_by=-responses%2Cchannel")
    assert query == ask("group_by=channel,country&order_by=-responses,channel")


def test_a_literal_bang_negates_all_values_and_an_escaped_one_none() -> None:
    assert condition("agent=!a,b", "agent") == Condition(frozenset({"a", "b"}), negated=True)
    assert condition("agent=%21a", "agent") == Condition(frozenset({"!a"}))
    assert condition("agent=!%21a", "agent") == Condition(frozenset({"!a"}), negated=True)


def test_none_is_not_given_however_it_is_escaped() -> None:
    assert condition("agent=(none),a", "agent") == Condition(frozenset({None, "a"}))
    assert condition("agent=!%28none%29", "agent") == Condition(frozenset({None}), negated=True)
    assert condition("channel=(none)", "channel") == Condition(frozenset({None}))


def test_a_plus_is_a_space_and_utf_8_is_read() -> None:
    assert condition("agent=J%C3%BCrgen+M", "agent") == Condition(frozenset({"Jürgen M"}))


@given(st.lists(st.text(min_size=1).filter(lambda text: text != "(none)"), min_size=1))
def test_any_values_survive_their_way_through_the_query(values: list[str]) -> None:
    from urllib.parse import quote

    text = "".join(values)
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return
    raw = ",".join(quote(value, safe="") for value in values)
    stored = {unicodedata.normalize("NFC", value.strip()) for value in values} - {""}
    expected = {None if value == "(none)" else value for value in {*values, *stored}}
    assert condition(f"agent={raw}", "agent") == Condition(frozenset(expected))


def test_every_dimension_of_the_family_filters_every_report_but_those_that_lack_it() -> None:
    for name, report in REPORTS.items():
        for dimension in report.family.dimensions:
            (value, *_) = dimension.values or ("2026-11-20" if dimension.is_day else "x",)
            if dimension.name not in report.excluded:
                assert ask(f"{dimension.name}={value}", name).filters


# -- order and form


def test_order_by_names_columns_and_directions() -> None:
    assert ask("order_by=-responses,channel").order_by == (
        Order("responses", descending=True),
        Order("channel"),
    )


def test_what_compare_and_subtotals_add_can_be_ordered_by() -> None:
    query = "compare=previous_year&subtotals=true&group_by=country"
    columns = "level,-score_change,responses_previous,score_significant"
    assert [order.column for order in ask(f"{query}&order_by={columns}").order_by] == [
        *("level", "score_change", "responses_previous", "score_significant")
    ]


def test_flags_are_true_or_false() -> None:
    assert not ask("").fill
    assert not ask("fill=false&subtotals=false").subtotals
    query = ask("fill=true&subtotals=true")
    assert query.fill
    assert query.subtotals


# -- tenants


def across(query: str) -> Query:
    return parse(pairs(query), REPORTS["source"], across_tenants=True)


def test_an_operator_names_its_tenants_and_may_group_by_them() -> None:
    query = across("tenant=acme,globex&group_by=tenant,channel")
    assert query.tenants == ("acme", "globex")
    assert query.group_by == ("metric", "scale", "tenant", "channel")
    assert ask("").tenants is None


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "missing_tenant"),
        ("tenant=", "empty_value"),
        ("tenant=a,,b", "empty_value"),
        ("tenant=a,b,a", "repeated_value"),
        ("tenant=a&tenant=b", "repeated_parameter"),
        ("tenant=" + ",".join(f"t{n}" for n in range(21)), "too_many_tenants"),
    ],
)
def test_an_operator_s_tenants_are_named_once_and_are_not_too_many(query: str, code: str) -> None:
    with pytest.raises(BadRequestError) as error:
        across(query)
    assert error.value.code == code
    assert [fault.field for fault in error.value.errors] == ["tenant"]


def test_twenty_tenants_are_not_too_many() -> None:
    assert len(across("tenant=" + ",".join(f"t{n}" for n in range(20))).tenants or ()) == 20


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("application/json", "json"),
        ("text/csv", "csv"),
        ("TEXT/CSV; charset=utf-8", "csv"),
        ("text/csv, application/json", "csv"),
        ("application/json, text/csv", "json"),
        ("text/csv;q=0.5, application/json", "json"),
        ("text/csv, */*;q=0.1", "csv"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "json"),
        ("image/png", "json"),
        ("text/csv;q=x", "json"),
    ],
)
def test_the_accept_header_chooses_the_format(accept: str, expected: str) -> None:
    assert ask("", accept=accept).format == expected


def test_format_goes_before_accept() -> None:
    assert ask("format=json", accept="text/csv").format == "json"


def test_csv_has_ten_thousand_rows_by_default_and_json_a_thousand() -> None:
    assert ask("format=csv").limit == 10_000
    assert ask("").limit == 1_000
    assert ask("format=csv&limit=7").limit == 7


# -- what is refused

BAD = [
    ("compare=last_period", "compare", "unknown_comparison"),
    ("compare=", "compare", "unknown_comparison"),
    ("compare=previous_year&preset=all_time", "compare", "compare_with_all_time"),
    ("compare=previous_year&compare=previous_year", "compare", "repeated_parameter"),
    ("fill=1", "fill", "unknown_value"),
    ("fill=", "fill", "unknown_value"),
    ("subtotals=TRUE", "subtotals", "unknown_value"),
    ("tenant=acme", "tenant", "unknown_parameter"),
    ("group_by=tenant", "group_by", "unknown_dimension"),
    ("group_by=score_value", "group_by", "unknown_dimension"),
    ("order_by=score_change", "order_by", "unknown_column"),
    ("order_by=level", "order_by", "unknown_column"),
    ("order_by=share_pct_significant&compare=previous_year", "order_by", "unknown_column"),
    ("chanel=chat", "chanel", "unknown_parameter"),
    ("media_type=voice", "media_type", "unknown_parameter"),
    ("key=sk_x", "key", "unknown_parameter"),
    ("=x", "", "unknown_parameter"),
    ("channel=chat&channel=!ticket", "channel", "misplaced_negation"),
    ("channel=chat&channel=", "channel", "empty_value"),
    ("preset=today&preset=today", "preset", "repeated_parameter"),
    ("preset=last_5_days", "preset", "unknown_preset"),
    ("preset=", "preset", "unknown_preset"),
    ("preset=today&start_date=2026-01-01", "preset", "preset_with_dates"),
    ("preset=today&start_date=2026-01-01&end_date=2026-01-02", "preset", "preset_with_dates"),
    ("start_date=2026-01-01", "end_date", "missing_date"),
    ("end_date=2026-01-01", "start_date", "missing_date"),
    ("start_date=2026-02-29&end_date=2026-03-01", "start_date", "invalid_date"),
    ("start_date=2026-1-1&end_date=2026-03-01", "start_date", "invalid_date"),
    ("start_date=20260101&end_date=2026-03-01", "start_date", "invalid_date"),
    ("start_date=2026-01-01T00:00:00Z&end_date=2026-03-01", "start_date", "invalid_date"),
    ("start_date=2026-01-01&end_date=", "end_date", "invalid_date"),
    ("start_date=0000-01-01&end_date=2026-03-01", "start_date", "invalid_date"),
    ("start_date=%D9%A2026-01-01&end_date=2026-03-01", "start_date", "invalid_date"),
    ("start_date=2026-03-02&end_date=2026-03-01", "start_date", "start_after_end"),
    ("start_date=1626-01-01&end_date=2026-01-01", "end_date", "range_too_long"),
    ("start_date=1990-01-01&end_date=2390-01-01", "end_date", "range_too_long"),
    ("start_date=1989-12-31&end_date=2026-01-01", "start_date", "date_out_of_range"),
    ("granularity=hour", "granularity", "unknown_granularity"),
    ("group_by=period&granularity=total", "granularity", "period_without_granularity"),
    ("group_by=planet", "group_by", "unknown_dimension"),
    ("group_by=responses", "group_by", "unknown_dimension"),
    ("group_by=", "group_by", "empty_value"),
    ("group_by=agent,,country", "group_by", "empty_value"),
    ("group_by=agent,agent", "group_by", "repeated_value"),
    ("metric=CSAT", "metric", "unknown_value"),
    ("metric=csat,fax", "metric", "unknown_value"),
    ("agent=", "agent", "empty_value"),
    ("agent=!", "agent", "empty_value"),
    ("agent=a,!b", "agent", "misplaced_negation"),
    ("agent=!!b", "agent", "misplaced_negation"),
    ("order_by=planet", "order_by", "unknown_column"),
    ("order_by=country", "order_by", "unknown_column"),
    ("order_by=channel,-channel", "order_by", "repeated_value"),
    ("limit=0", "limit", "invalid_limit"),
    ("limit=10001", "limit", "invalid_limit"),
    ("limit=-1", "limit", "invalid_limit"),
    ("limit=1e3", "limit", "invalid_limit"),
    ("limit=%D9%A3", "limit", "invalid_limit"),
    ("limit=99999999999999999999", "limit", "invalid_limit"),
    ("format=xml", "format", "unknown_format"),
]


@pytest.mark.parametrize(("query", "parameter", "code"), BAD, ids=[query for query, *_ in BAD])
def test_a_bad_query_is_a_400_that_names_its_parameter(
    query: str, parameter: str, code: str
) -> None:
    with pytest.raises(BadRequestError) as error:
        ask(query)
    problem = error.value.problem()
    assert (problem["status"], problem["code"]) == (400, code)
    assert [fault["field"] for fault in problem["errors"]] == [parameter]
    assert problem["detail"].startswith(f"{parameter}: ")


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ("x=1", [*PARAMETERS, *SURVEY.dimension_names]),
        ("preset=x", list(days.PRESETS)),
        ("granularity=x", list(days.GRANULARITIES)),
        ("group_by=x", ["period", *SURVEY.dimension_names]),
        ("compare=x", ["previous_period", "previous_year"]),
        ("fill=x", ["true", "false"]),
        ("metric=x", ["csat", "nps", "ces", "(none)"]),
        ("format=x", ["json", "csv"]),
        ("order_by=x", ["metric", "scale", "channel", "responses", "share_pct", "ci_high"]),
    ],
)
def test_a_bad_choice_is_told_what_is_allowed(query: str, allowed: list[str]) -> None:
    with pytest.raises(BadRequestError) as error:
        ask(query)
    listed = error.value.detail.split("Allowed: ")[1].rstrip(".").split(", ")
    assert set(allowed) <= set(listed)


def test_a_query_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(BadRequestError) as error:
        ask("agent=%FF")
    assert error.value.code == "invalid_query"


def test_a_long_value_is_not_repeated_in_full() -> None:
    with pytest.raises(BadRequestError) as error:
        ask(f"preset={'x' * 5000}")
    assert len(error.value.detail) < 1_000


@given(st.text(alphabet="abcdeghilnoprstuy_=&,!%()-0129", max_size=60))
def test_any_text_is_a_query_or_a_400(text: str) -> None:
    try:
        assert isinstance(ask(text), Query)
    except BadRequestError as error:
        assert error.code
