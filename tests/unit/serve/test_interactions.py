"""What only the interaction family has: its grouping, money, sessions and times."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from pulse import days
from pulse.errors import BadRequestError, ForbiddenError, UnprocessableError
from pulse.reports.registry import REPORTS
from pulse.serve import groups
from pulse.serve.columns import Cell, Column, flat_cells, flat_names
from pulse.serve.query import parse
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant
from tests.unit.serve.events import pairs
from tests.unit.serve.interactions import Tables, ask, built, read

ACME = Tenant("acme", "Acme", timezone="Europe/Berlin")
SECRET = Key("0" * 64, "secret", "acme", 0)
REPORT_KEY = replace(SECRET, kind="report")
OPERATOR = Key("1" * 64, "operator", None, 0)
DAY, NEXT = date(2026, 11, 2), date(2026, 11, 3)
DATES = "start_date=2026-11-01&end_date=2026-11-30"
PERSPECTIVE = "customer-perspective"


def told(report: str, tables: Tables, query: str = "", key: Key = SECRET) -> Any:
    return json.loads(ask(report, f"{DATES}&{query}".rstrip("&"), [(ACME, tables)], key).body)


def csv(report: str, tables: Tables, query: str = "") -> list[str]:
    reply = ask(report, f"{DATES}&format=csv&{query}".rstrip("&"), [(ACME, tables)], SECRET)
    return reply.body.replace('"', "").splitlines()  # none in these texts


def sold(currency: str | None, units: int, day: date = DAY, **given: Any) -> dict[str, Any]:
    """One interaction with a revenue, in ten-thousandths."""
    counted = int(units != 0)
    row = {"day": day, "currency": currency, "entered": 1, "with_revenue": counted}
    return {**row, "revenue": units, "media_type": "voice", **given}


def grouping(report: str, query: str, **given: Any) -> tuple[str, ...]:
    return parse(pairs(query), REPORTS[report], **given).group_by


# -- grouping


def test_period_stands_where_it_is_asked_for() -> None:
    natural = ("tenant", "media_type", "period", "customer_segment", "service_type")
    assert grouping(PERSPECTIVE, "") == natural
    assert grouping(PERSPECTIVE, "granularity=month") == natural
    assert grouping(PERSPECTIVE, "granularity=total") == (*natural[:2], *natural[3:])
    assert grouping(PERSPECTIVE, "group_by=agent,period,media_type") == (
        *("agent", "period", "media_type"),
    )
    assert grouping(PERSPECTIVE, "group_by=agent&granularity=week") == ("period", "agent")
    assert grouping(PERSPECTIVE, "group_by=agent") == ("agent",)
    assert grouping("agent-activity", "") == ("agent", "media_type")
    assert grouping("revenue", "") == ("period", "currency")
    assert grouping("revenue", "granularity=total") == ("currency",)


def test_a_period_asked_for_without_a_length_is_refused() -> None:
    with pytest.raises(BadRequestError) as error:
        grouping("revenue", "group_by=period&granularity=total")
    assert error.value.code == "period_without_granularity"


def test_every_key_may_group_by_tenant_but_operators_alone_filter_by_it() -> None:
    tables = {"interactions": [sold(None, 0)]}
    for key in (SECRET, REPORT_KEY):
        (row,) = told(PERSPECTIVE, tables, "group_by=tenant&granularity=total", key)["rows"]
        assert (row["tenant"], row["entered"]) == ("acme", 1)
        with pytest.raises(BadRequestError) as error:
            told(PERSPECTIVE, tables, "tenant=acme", key)
        assert error.value.code == "unknown_parameter"
    assert grouping(PERSPECTIVE, "tenant=acme&group_by=tenant,agent", across_tenants=True)


def test_subtotals_go_up_to_the_grand_total() -> None:
    tables = {
        "interactions": [
            sold(None, 0, customer_segment="gold"),
            sold(None, 0, NEXT, customer_segment="gold"),
            sold(None, 0, NEXT, media_type="chat"),
        ]
    }
    query = "group_by=media_type,period,customer_segment&subtotals=true"
    reply = told(PERSPECTIVE, tables, query)
    names = ("level", "media_type", "period", "customer_segment", "entered")
    assert [tuple(row[name] for name in names) for row in reply["rows"]] == [
        (0, None, None, None, 3),
        (1, "chat", None, None, 1),
        (2, "chat", "2026-11-03", None, 1),
        (3, "chat", "2026-11-03", None, 1),
        (1, "voice", None, None, 2),
        (2, "voice", "2026-11-02", None, 1),
        (3, "voice", "2026-11-02", "gold", 1),
        (2, "voice", "2026-11-03", None, 1),
        (3, "voice", "2026-11-03", "gold", 1),
    ]
    assert [(total["level"], total["entered"]) for total in reply["totals"]] == [(0, 3)]


def test_a_change_is_told_where_something_was_counted_in_the_row_s_own_period() -> None:
    tables = {
        "interactions": [sold(None, 0), sold(None, 0, NEXT), sold(None, 0, date(2025, 11, 3))]
    }
    query = "group_by=agent,period&compare=previous_year&subtotals=true"
    rows = told(PERSPECTIVE, tables, query)["rows"]
    assert [(row["period"], row["entered_change"]) for row in rows] == [
        (None, 1),
        (None, 1),
        ("2026-11-02", None),
        ("2026-11-03", 0),
    ]


def test_a_group_of_days_that_the_month_lacks_has_its_row_and_subtotal() -> None:
    """February is compared with January, whose last three days stand beside the 28th, too."""
    days_of_calls = [("voice", 1, 1), ("voice", 31, 1), ("chat", 31, 1), ("voice", 1, 2)]
    calls = [sold(None, 0, date(2026, month, day), media_type=m) for m, day, month in days_of_calls]
    query = "preset=last_month&compare=previous_period&group_by=media_type,period&subtotals=true"
    with days.clock(lambda: datetime(2026, 3, 10, 12, tzinfo=UTC)):
        reply = ask(PERSPECTIVE, query, [(ACME, {"interactions": calls})], SECRET)
    rows = json.loads(reply.body)["rows"]
    names = ("level", "media_type", "entered", "entered_previous")
    assert [tuple(row[name] for name in names) for row in rows if row["level"] < 2] == [
        (0, None, 1, 3),
        (1, "chat", 0, 1),
        (1, "voice", 1, 2),
    ]
    told_of = ("media_type", "period", "entered", "entered_previous", "partial")
    assert [tuple(row[name] for name in told_of) for row in rows if row["level"] == 2] == [
        ("chat", "2026-02-28", 0, 1, True),
        ("voice", "2026-02-01", 1, 1, False),
        ("voice", "2026-02-28", 0, 1, True),
    ]
    assert [row["partial"] for row in rows if row["level"] < 2] == [None, None, None]


# -- what a report lacks, and what its keys may see


@pytest.mark.parametrize("report", [PERSPECTIVE, "agent-activity"])
def test_currency_belongs_to_the_revenue_report_alone(report: str) -> None:
    for query, code in (
        ("currency=EUR", "unknown_parameter"),
        ("group_by=currency", "unknown_dimension"),
    ):
        with pytest.raises(BadRequestError) as error:
            told(report, {}, query)
        assert error.value.code == code
    bound = replace(REPORT_KEY, filters={"currency": ("EUR",)})
    with pytest.raises(ForbiddenError) as forbidden:
        told(report, {}, key=bound)
    assert forbidden.value.code == "filter_not_applicable"
    tables = {"interactions": [sold("EUR", 5), sold("USD", 7)]}
    assert [row["currency"] for row in told("revenue", tables, key=bound)["rows"]] == ["EUR"]


def test_surveys_filters_are_not_those_of_interactions() -> None:
    with pytest.raises(BadRequestError):
        told(PERSPECTIVE, {}, "channel=chat")
    with pytest.raises(ForbiddenError):
        told(PERSPECTIVE, {}, key=replace(REPORT_KEY, filters={"channel": ("chat",)}))


def test_few_interactions_of_an_agent_are_not_withheld() -> None:
    tables = {
        "interactions": [sold(None, 0, agent="ada", handled=1, handle_timed=1, handle_us=5_000_000)]
    }
    (row,) = told("agent-activity", tables, key=REPORT_KEY)["rows"]
    assert (row["handled"], row["avg_handle_time"]) == (1, 5)
    assert "withheld" not in row


# -- money

MONEY = {
    "interactions": [
        sold("EUR", 1_000),
        sold("EUR", 2_000),
        sold("USD", -125_000),
        sold("JPY", 0),
        sold(None, 0, NEXT),
        sold("BHD", 10**18 - 1, NEXT),
    ]
}


def test_money_is_exact_text_in_its_currency() -> None:
    rows = told("revenue", MONEY)["rows"]
    assert [tuple(row.values()) for row in rows] == [
        ("2026-11-02", "EUR", 2, "0.3000", "0.1500", False),
        ("2026-11-02", "JPY", 0, "0.0000", None, False),
        ("2026-11-02", "USD", 1, "-12.5000", "-12.5000", False),
        ("2026-11-03", "BHD", 1, "99999999999999.9999", "99999999999999.9999", False),
    ]


def test_money_of_several_currencies_is_a_map_of_those_recorded() -> None:
    (total,) = told("revenue", MONEY)["totals"]
    assert total["interactions_with_revenue"] == 4
    assert list(total["revenue"].items()) == [
        ("BHD", "99999999999999.9999"),
        ("EUR", "0.3000"),
        ("JPY", "0.0000"),
        ("USD", "-12.5000"),
    ]
    assert total["avg_revenue"] == {
        "BHD": "99999999999999.9999",
        "EUR": "0.1500",
        "USD": "-12.5000",
    }
    nothing = told(PERSPECTIVE, {"interactions": [sold(None, 0), sold("JPY", 0, NEXT)]})["rows"]
    assert [row["avg_revenue"] for row in nothing] == [None, None]


def test_csv_has_a_column_for_each_currency_that_is_the_same_on_every_page() -> None:
    assert csv("revenue", MONEY)[:2] == [
        "period,currency,interactions_with_revenue,revenue,avg_revenue,partial",
        "2026-11-02,EUR,2,0.3000,0.1500,false",
    ]
    wide = csv("revenue", MONEY, "group_by=period")
    assert wide == [
        "period,interactions_with_revenue,revenue_BHD,revenue_EUR,revenue_JPY,revenue_USD,"
        "avg_revenue_BHD,avg_revenue_EUR,avg_revenue_JPY,avg_revenue_USD,partial",
        "2026-11-02,3,,0.3000,0.0000,-12.5000,,0.1500,,-12.5000,false",
        "2026-11-03,1,99999999999999.9999,,,,99999999999999.9999,,,,false",
    ]
    first = ask("revenue", f"{DATES}&group_by=period&limit=1&format=csv", [(ACME, MONEY)], SECRET)
    following = first.headers["Link"].partition("?")[2].partition(">")[0]
    second = ask("revenue", following, [(ACME, MONEY)], SECRET)
    pages = [page.body.replace('"', "").splitlines() for page in (first, second)]
    assert [*pages[0], pages[1][1]] == wide
    assert pages[1][0] == wide[0]


def test_a_row_of_amounts_is_spread_over_a_column_for_each_currency() -> None:
    count = Column("entered", "metric", lambda line: 1, "count")
    money = Column("revenue", "metric", lambda line: None, "money")
    currencies = ["EUR", "GBP"]
    assert flat_names([money, count], currencies) == ["revenue_EUR", "revenue_GBP", "entered"]
    rows: list[tuple[dict[str, Cell], list[Cell]]] = [
        ({"revenue": {"GBP": Decimal(2)}, "entered": 1}, [None, 2, 1]),
        ({"revenue": None, "entered": 1}, [None, None, 1]),
        ({"revenue": Decimal(3), "currency": "EUR", "entered": 1}, [3, None, 1]),
    ]
    for row, expected in rows:
        assert flat_cells([money, count], currencies, row) == expected


def test_subtotals_beside_a_currency_have_a_column_for_each_too() -> None:
    lines = csv("revenue", MONEY, "granularity=total&subtotals=true&currency=EUR,USD")
    assert lines == [
        "currency,level,interactions_with_revenue,revenue_EUR,revenue_USD,"
        "avg_revenue_EUR,avg_revenue_USD",
        ",0,3,0.3000,-12.5000,0.1500,-12.5000",
        "EUR,1,2,0.3000,,0.1500,",
        "USD,1,1,,-12.5000,,-12.5000",
    ]


def test_money_is_compared_in_each_currency() -> None:
    before = date(2025, 11, 2)
    tables = {"interactions": [sold("EUR", 10), sold("USD", 4, before), sold("EUR", 3, before)]}
    (row,) = told("revenue", tables, "group_by=media_type&granularity=total&compare=previous_year")[
        "rows"
    ]
    assert row["revenue"] == {"EUR": "0.0010"}
    assert row["revenue_previous"] == {"EUR": "0.0003", "USD": "0.0004"}
    assert row["revenue_change"] == {"EUR": "0.0007", "USD": "-0.0004"}
    assert row["avg_revenue_change"] == {"EUR": "0.0007"}
    rows = told("revenue", tables, "granularity=total&compare=previous_year")["rows"]
    assert [(row["currency"], row["revenue_change"]) for row in rows] == [
        ("EUR", "0.0007"),
        ("USD", "-0.0004"),
    ]


def test_money_orders_rows_of_a_single_currency_alone() -> None:
    rows = told("revenue", MONEY, "order_by=-revenue&subtotals=true")["rows"]
    shown = [row["revenue"] for row in rows if isinstance(row["revenue"], str)]
    assert shown == ["99999999999999.9999", "0.3000", "0.0000", "-12.5000"]
    assert [isinstance(row["revenue"], dict) for row in rows] == [*[False] * 4, *[True] * 3]
    for report, query in (
        ("revenue", "group_by=agent&order_by=-revenue"),
        ("revenue", "group_by=agent&compare=previous_year&order_by=avg_revenue_change"),
        (PERSPECTIVE, "order_by=avg_revenue"),
    ):
        with pytest.raises(BadRequestError) as error:
            told(report, MONEY, query)
        assert error.value.code == "order_across_currencies"
        assert "currency" in error.value.detail


def test_several_tenants_currencies_stand_together() -> None:
    globex = Tenant("globex", "Globex")
    found: list[tuple[Tenant, Tables]] = [
        (ACME, {"interactions": [sold("EUR", 5), sold("USD", 1)]}),
        (globex, {"interactions": [sold("EUR", 7), sold("GBP", 2)]}),
    ]
    query = f"tenant=acme,globex&{DATES}&group_by=tenant&granularity=total"
    reply = json.loads(ask("revenue", query, found, OPERATOR).body)
    assert [(row["tenant"], row["revenue"]) for row in reply["rows"]] == [
        ("acme", {"EUR": "0.0005", "USD": "0.0001"}),
        ("globex", {"EUR": "0.0007", "GBP": "0.0002"}),
    ]
    assert reply["totals"][0]["revenue"] == {"EUR": "0.0012", "GBP": "0.0002", "USD": "0.0001"}


def test_filters_that_ask_for_no_currency_contradict_the_revenue_report() -> None:
    reply = told("revenue", MONEY, "currency=(none)")
    assert reply["rows"] == []
    assert [w["code"] for w in reply["meta"]["warnings"]] == ["contradicting_filters"]


def test_more_sums_than_fit_are_folded_and_at_last_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every currency adds to the size of a group."""
    monkeypatch.setattr(groups, "MOST_GROUPS", 60)
    many = [sold(f"X{n:03}", 1, agent=f"a{n}") for n in range(200)]
    assert len(told("revenue", {"interactions": many[:40]}, "group_by=agent")["rows"]) == 40
    folded = told("revenue", {"interactions": many[:60]}, "group_by=agent")
    assert [warning["code"] for warning in folded["meta"]["warnings"]] == ["groups_folded"]
    assert sum(len(row["revenue"]) for row in folded["rows"]) == 60
    with pytest.raises(UnprocessableError) as error:
        told("revenue", {"interactions": many}, "group_by=agent")
    assert error.value.code == "too_many_groups"


# -- times and ratios


@pytest.mark.parametrize(
    ("us", "n", "seconds", "clock"),
    [
        (0, 1, "0", "00:00:00"),
        (65_000_000, 1, "65", "00:01:05"),
        (500_000, 1, "0.5", "00:00:00"),  # half to even
        (1_500_000, 1, "1.5", "00:00:02"),
        (10_000_000, 3, "3.33", "00:00:03"),
        (59_999_999, 1, "60", "00:01:00"),
        (360_000_000_000, 1, "360000", "100:00:00"),
    ],
)
def test_durations_are_seconds_and_a_clock(us: int, n: int, seconds: str, clock: str) -> None:
    rows = [sold(None, 0, accepted=n + 1, accept_timed=n, accept_us=us)]
    reply = ask(PERSPECTIVE, DATES, [(ACME, {"interactions": rows})], SECRET)
    assert f'"avg_accept_time":{seconds},"avg_accept_time_fmt":"{clock}"' in reply.body
    (row,) = json.loads(reply.body)["rows"]
    assert row["avg_first_response_time"] is row["avg_first_response_time_fmt"] is None


def test_clocks_are_ordered_by_their_time() -> None:
    hours = {"a": 99, "b": 100, "c": 1}
    rows = [
        sold(None, 0, agent=agent, handled=1, handle_timed=1, handle_us=3_600_000_000 * time)
        for agent, time in hours.items()
    ]
    query = "group_by=agent&order_by=-avg_handle_time_fmt"
    found = told("agent-activity", {"interactions": rows}, query)["rows"]
    assert [row["agent"] for row in found] == ["b", "a", "c"]


def test_a_clock_is_compared_by_its_seconds_alone() -> None:
    names = [c["name"] for c in told(PERSPECTIVE, {}, "compare=previous_year")["columns"]]
    assert "avg_accept_time_change" in names
    assert "avg_accept_time_fmt_previous" in names
    assert "avg_accept_time_fmt_change" not in names


def test_the_sample_of_the_original_report_has_its_cells() -> None:
    rows = [
        sold(None, 0, entered=26, accept_due=26, accept_met=9, replies=5, accepted=5),
        sold(
            None, 0, NEXT, first_response_due=26, first_response_met=6, finish_due=3, finish_met=3
        ),
    ]
    (total,) = told(PERSPECTIVE, {"interactions": rows})["totals"]
    assert total["response_ratio"] == 1.0
    assert total["accept_service_level_pct"] == 34.62
    assert total["first_response_service_level_pct"] == 23.08
    assert total["finished_service_level_pct"] == 100.0


# -- sessions

ACTIVE = {
    "interactions": [sold(None, 0, agent="ada", handled=2, handle_timed=2, handle_us=90_000_000)],
    "sessions": [
        {"day": DAY, "agent": agent, "media_type": "voice", "sessions": 1, **times}
        for agent, times in (
            ("ada", {"active_us": 3_600_000_000, "engaged_us": 1_200_000_000}),
            ("eve", {"active_us": 60_000_000, "engaged_us": 0}),
        )
    ],
}
OF_SESSIONS = ("active_seconds", "active_seconds_fmt", "engaged_seconds", "engaged_pct")


def test_sessions_stand_beside_what_their_agents_handled() -> None:
    reply = told("agent-activity", ACTIVE)
    ada, eve = reply["rows"]
    assert [ada[name] for name in OF_SESSIONS] == [3600, "01:00:00", 1200, 33.33]
    assert (ada["handled"], ada["avg_handle_time_fmt"]) == (2, "00:00:45")
    assert [eve[name] for name in OF_SESSIONS] == [60, "00:01:00", 0, 0.0]
    assert (eve["handled"], eve["avg_handle_time"]) == (0, None)
    assert reply["totals"][0]["active_seconds"] == 3660
    assert reply["meta"]["warnings"] == []


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("group_by=agent,service_type", SECRET),
        ("customer_segment=(none)", SECRET),
        ("", replace(REPORT_KEY, filters={"service_type": ("(none)",)})),
    ],
)
def test_where_sessions_cannot_be_told_apart_their_figures_are_null(query: str, key: Key) -> None:
    reply = told("agent-activity", ACTIVE, query, key)
    (row,) = reply["rows"]
    assert row["handled"] == 2
    assert {row[name] for name in OF_SESSIONS} == {None}
    assert [w["code"] for w in reply["meta"]["warnings"]] == ["sessions_not_told_apart"]


def test_sessions_are_narrowed_by_agent_media_type_and_days() -> None:
    for query in ("agent=eve", "media_type=voice&agent=!ada", "group_by=period,tenant&agent=eve"):
        (row,) = told("agent-activity", ACTIVE, query)["rows"]
        assert row["active_seconds"] == 60


def test_a_change_is_told_where_there_were_sessions_alone() -> None:
    sessions = [{**row, "day": date(2025, 11, 2)} for row in ACTIVE["sessions"]]
    tables: Tables = {**ACTIVE, "sessions": [*ACTIVE["sessions"], *sessions]}
    row, *_ = told("agent-activity", tables, "compare=previous_year")["rows"]
    assert (row["active_seconds_change"], row["handled_change"]) == (0, 2)


def test_as_of_is_that_of_the_table_that_was_built_first() -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    older, newer = (built(ACME, ACTIVE, as_of_us=us * 1_000_000).tables for us in (60, 120))
    tables = {"interactions": newer["interactions"], "sessions": older["sessions"]}
    from pulse.serve.answer import answer
    from pulse.serve.plan import plan_of

    with days.clock(lambda: now):
        query = parse(pairs("preset=all_time"), REPORTS["agent-activity"])
        tenant = replace(ACME, tables=tables)
        plan = plan_of(REPORTS["agent-activity"], query, [tenant], SECRET)
        meta = json.loads(answer(plan, {"acme": read(ACTIVE, plan.tables)}, "").body)["meta"]
    assert meta["as_of"] == "1970-01-01T00:01:00Z"
    assert meta["date_range"]["start_date"] == "2026-11-02"
    assert meta["formulas"] == ["avg_handle_time@2", "avg_satisfaction@1", "engaged_pct@1"]
