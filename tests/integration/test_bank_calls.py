"""A month of a real call centre: reports equal what DuckDB computes from the file itself.

Needs PULSE_REAL_DATA, a folder with the Anonymous Bank's calls (tests/bank_calls.py).
"""

import os
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pulse.tenants.tenant import Tenant
from tests import bank_calls
from tests.driver import Driver, running

FOLDER = Path(os.environ.get("PULSE_REAL_DATA", "none"))
DAYS = "start_date=1999-02-01&end_date=1999-02-28"
DATES = {"start": date(1999, 2, 1), "end": date(1999, 2, 28)}

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="PULSE_REAL_DATA names no folder")

# Seconds of the day, straight from the text: no code of ours, no Python dates.
CALLS = """
WITH seconds AS (
    SELECT *,
        epoch(vru_entry::TIME) AS entry,
        nullif(epoch(q_start::TIME), 0) AS q,
        nullif(epoch(ser_start::TIME), 0) AS s,
        nullif(epoch(ser_exit::TIME), 0) AS x,
        nullif(epoch(vru_exit::TIME), 0) AS v
    FROM read_csv(?, delim='\t', header=true, all_varchar=true)
    WHERE outcome <> 'PHANTOM'
),
whole AS (
    SELECT *,
        q + CASE WHEN entry - q > 43200 THEN 86400 ELSE 0 END AS q_,
        s + CASE WHEN entry - s > 43200 THEN 86400 ELSE 0 END AS s_,
        x + CASE WHEN entry - x > 43200 THEN 86400 ELSE 0 END AS x_,
        v + CASE WHEN entry - v > 43200 THEN 86400 ELSE 0 END AS v_
    FROM seconds
),
clamped AS (  -- greatest() passes over nulls
    SELECT *,
        CASE WHEN coalesce(q_, s_) IS NOT NULL THEN greatest(coalesce(q_, s_), entry) END AS o_,
        CASE WHEN outcome = 'AGENT' AND s_ IS NOT NULL THEN greatest(s_, q_, entry) END AS a_
    FROM whole
),
waits AS (
    SELECT strptime(date, '%y%m%d')::DATE AS day, priority AS segment, type AS service, outcome,
        o_ - entry AS to_offer,
        a_ - entry AS to_accept,
        greatest(coalesce(x_, v_), a_, o_, entry) - entry AS to_finish
    FROM clamped
)
SELECT {labels}
    count(*) AS entered,
    count(to_offer) AS offered,
    count(to_accept) AS accepted,
    count(to_accept) AS responded,
    count(to_finish) AS finished,
    count(*) FILTER (outcome = 'HANG') AS abandoned,
    count(to_accept) AS replies,
    count(*) FILTER (to_accept <= 20) AS accept_met,
    count(*) FILTER (to_accept <= 30) AS first_response_met,
    count(*) FILTER (to_finish <= 300) AS finish_met,
    sum(to_accept)::BIGINT AS accept_s,
    count(to_finish) FILTER (to_accept IS NOT NULL) AS finished_responded,
    sum(to_finish) FILTER (to_accept IS NOT NULL)::BIGINT AS finish_s
FROM waits
GROUP BY ALL ORDER BY ALL
"""
COUNTS = (
    "entered",
    "offered",
    "accepted",
    "responded",
    "finished",
    "abandoned",
    "replies",
    "accept_met",
    "first_response_met",
    "finish_met",
    "finished_responded",
)


@pytest.fixture(scope="module")
def bank() -> Iterator[Driver]:
    """The month, built."""
    with running() as pulse:
        thresholds = {"voice.accept": 20, "voice.first_response": 30, "voice.finish": 300}
        pulse.tenants.create(
            Tenant(
                "bank",
                "The Bank",
                bank_calls.ZONE,
                thresholds={name: ((date(1990, 1, 1), s),) for name, s in thresholds.items()},
            )
        )
        waiting = bank_calls.interactions(FOLDER)
        while calls := list(islice(waiting, 500)):
            reply = pulse.post_interactions("bank", calls)
            assert reply.status == 202, reply.body
            assert reply.json["rejected"] == []
        pulse.build()
        yield pulse


def worked_out(labels: Sequence[str]) -> list[dict[str, Any]]:
    """What the file says, by these labels of `waits`."""
    sql = CALLS.format(labels="".join(f"{label}, " for label in labels))
    with duckdb.connect() as connection:
        found = connection.execute(sql, [str(FOLDER / bank_calls.FILE)])
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def check(row: dict[str, Any], expected: dict[str, Any]) -> None:
    """A row of the report, held against one of the file."""
    assert {name: row[name] for name in COUNTS} == {name: expected[name] for name in COUNTS}
    assert row["accept_service_level_pct"] == pct(expected["accept_met"], expected["offered"])
    assert row["first_response_service_level_pct"] == pct(
        expected["first_response_met"], expected["offered"]
    )
    assert row["finished_service_level_pct"] == pct(expected["finish_met"], expected["finished"])
    for name, total, of in (
        ("avg_accept_time", "accept_s", "accepted"),
        ("avg_first_response_time", "accept_s", "accepted"),
        ("avg_finish_response_time", "finish_s", "finished_responded"),
    ):
        mean = expected[total] / expected[of] if expected[of] else None
        assert (row[name] is None) == (mean is None)
        if mean is not None:
            assert row[name] == pytest.approx(mean, abs=0.0051)
            assert row[f"{name}_fmt"] == clock(mean)


def pct(part: int, whole: int) -> float | None:
    return pytest.approx(100 * part / whole, abs=0.0051) if whole else None  # type: ignore[return-value]


def clock(seconds: float) -> str:
    rounded = round(seconds)
    return f"{rounded // 3600:02}:{rounded // 60 % 60:02}:{rounded % 60:02}"


def test_the_report_equals_the_file_row_by_row(bank: Driver) -> None:
    reply = bank.report("bank", "customer-perspective", f"{DAYS}&limit=10000")
    expected = worked_out(["day", "segment", "service"])
    assert len(expected) > 300
    labels = ("tenant", "media_type", "period", "customer_segment", "service_type")
    assert [tuple(row[label] for label in labels) for row in reply["rows"]] == [
        ("bank", "voice", str(e["day"]), e["segment"], e["service"]) for e in expected
    ]
    for row, from_file in zip(reply["rows"], expected, strict=True):
        check(row, from_file)


def test_its_total_is_of_all_the_calls_that_customers_made(bank: Driver) -> None:
    reply = bank.report("bank", "customer-perspective", f"{DAYS}&granularity=total&limit=1")
    (expected,) = worked_out([])
    (total,) = reply["totals"]
    assert total["entered"] == 33_344 - 278
    check(total, expected)


def test_its_subtotals_are_worked_out_from_sums(bank: Driver) -> None:
    reply = bank.report("bank", "customer-perspective", f"{DAYS}&subtotals=true&limit=10000")
    of_days = {row["period"]: row for row in reply["rows"] if row["level"] == 3}
    expected = worked_out(["day"])
    assert list(of_days) == [str(e["day"]) for e in expected]
    for from_file in expected:
        check(of_days[str(from_file["day"])], from_file)
    (everything,) = worked_out([])
    (grand,) = (row for row in reply["rows"] if row["level"] == 0)
    check(grand, everything)


def test_every_call_has_its_agent(bank: Driver) -> None:
    reply = bank.report("bank", "agent-activity", f"{DAYS}&limit=10000")
    handled = {row["agent"]: row["handled"] for row in reply["rows"]}
    assert sum(handled.values()) == reply["totals"][0]["handled"] == 27_162 - 50
    assert handled["DORIT"] > 0
