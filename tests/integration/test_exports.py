"""Exports hold the rows that count and that were asked for, and those of no other tenant.

Orders go through the handler as API Gateway and EventBridge call it; Athena really runs.
"""

import io
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import requests
from pyarrow import parquet

from pulse import days
from pulse.csv_cells import unguard
from pulse.exports.files import COLUMNS
from pulse.tenants.rules import Rule
from tests.driver import Driver, running
from tests.sampling import some

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ALL = {"stream": "responses", "start_date": "2026-11-10", "end_date": "2026-11-30"}
HOSTILE = (
    "O'Hara",
    "'; DROP TABLE raw_responses; --",
    "x' OR '1'='1",
    "\\'); DELETE FROM raw_responses; --",
    "a /* b */ -- c",
    "''",
    '"',
    "Müller, J.",
    "!important",
    "-",
    "=",
    "=cmd|' /C calc'!A0",
    "%",
    "%27",
    "_",
    "?",
    "?=:tenant",
    ":days",
    "{0}$1",
    "two\r\nlines\t;",
    "\u202eevil",
    "李 🦊 ß",
)
SURVEYS = {"mail": ("csat", 1, 5), "app'; --": ("nps", 0, 10)}
CHANNELS = ("ticket", "chat", "external")


def answers(count: int) -> list[dict[str, Any]]:
    """Answers of six days, about a tenth of them sent again with other values."""
    chance = random.Random(3)
    sent: list[dict[str, Any]] = []
    for number in range(count):
        survey = chance.choice(sorted(SURVEYS))
        _, low, high = SURVEYS[survey]
        answer = {
            "survey_id": survey,
            "response_id": f"r{number}",
            "answered_at": (NOW - timedelta(hours=chance.randrange(6 * 24))).isoformat(),
        }
        for _ in range(chance.choice((1,) * 9 + (2,))):
            values = {
                "score": chance.randint(low, high),
                "agent_id": chance.choice((None, *HOSTILE)),
                "channel": chance.choice(CHANNELS),
                "country": chance.choice((None, "DE", "US")),
                "comment": chance.choice((None, *HOSTILE)),
                "tags": chance.choice((None, {"k": chance.choice(HOSTILE), "a": ""})),
            }
            sent.append(answer | {k: v for k, v in values.items() if v is not None})
    return sent


def counted(sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each identity the last; every answer of this test stays on its day."""
    return list({answer["response_id"]: answer for answer in sent}.values())


SENT = answers(250)
COUNTED = counted(SENT)
OLD = [
    {**answer, "response_id": f"old{days_ago}", "answered_at": f"{NOW - timedelta(days=days_ago)}"}
    for days_ago, answer in zip((100, 101, 130), COUNTED, strict=False)
]
"""They lie outside of ALL, and further apart than what one UNLOAD may write."""


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    """Two tenants with the same answers: those of `globex` all score lowest."""
    with days.clock(lambda: NOW), running() as driver:
        for tenant, zone in (("acme", "Europe/Berlin"), ("globex", "UTC")):
            driver.tenant(tenant, zone)
            for survey, rule in SURVEYS.items():
                driver.survey(tenant, survey, Rule.make(*rule))
            own = [a | ({"score": 1} if tenant == "globex" else {}) for a in (*SENT, *OLD)]
            for start in range(0, len(own), 100):
                later = NOW + timedelta(seconds=start)  # of two requests the second must win
                with days.clock(lambda received=later: received):  # type: ignore[misc]
                    reply = driver.post(tenant, own[start : start + 100])
                assert reply.json["rejected"] == []
            assert driver.post_interactions(tenant, CALLS).json["rejected"] == []
        driver.build()
        yield driver


def download(export: Any) -> bytes:
    assert export["state"] == "done", export
    got = requests.get(export["link"], timeout=10)
    assert got.status_code == 200
    return bytes(got.content)


def exported(pulse: Driver, tenant: str = "acme", **members: str) -> list[dict[str, Any]]:
    """The rows of an export, values as what they are."""
    export = pulse.export(tenant, **{**ALL, "format": "parquet", **members})
    table = parquet.ParquetFile(pa.BufferReader(download(export))).read()
    assert table.num_rows == export["rows"]
    found: list[dict[str, Any]] = table.to_pylist()
    return found


# -- the rows


def test_an_export_holds_each_answer_that_counts_once_with_its_last_values(pulse: Driver) -> None:
    rows = exported(pulse)
    assert len(rows) == len(COUNTED) < len(SENT)
    by_id = {row["response_id"]: row for row in rows}
    for answer in COUNTED:
        row = by_id[answer["response_id"]]
        assert row["answered_at"] == datetime.fromisoformat(answer["answered_at"])
        for column, field in (
            ("survey", "survey_id"),
            ("score", "score"),
            ("agent", "agent_id"),
            ("channel", "channel"),
            ("country", "country"),
            ("comment", "comment"),
        ):
            assert row[column] == answer.get(field)
        assert dict(row["tags"] or {}) == answer.get("tags", {})


def test_a_range_longer_than_what_one_unload_may_write_is_in_the_order_of_answers(
    pulse: Driver,
) -> None:
    rows = exported(pulse, start_date="2026-06-01")
    assert len(rows) == len(COUNTED) + len(OLD)
    order = [(row["day"], row["answered_at"], row["survey"], row["response_id"]) for row in rows]
    assert order == sorted(order)


def test_csv_and_parquet_hold_the_same_rows(pulse: Driver) -> None:
    body = download(pulse.export("acme", **ALL, format="csv"))
    assert not body.startswith(b"\xef\xbb\xbf")
    frame = pd.read_csv(io.BytesIO(body), keep_default_na=False)
    rows = exported(pulse)
    assert list(frame.columns) == COLUMNS["responses"].names
    assert frame["comment"].map(unguard).tolist() == [row["comment"] or "" for row in rows]
    assert frame["agent"].map(unguard).tolist() == [row["agent"] or "" for row in rows]
    assert frame["answered_at"].map(datetime.fromisoformat).tolist() == [
        row["answered_at"] for row in rows
    ]
    assert frame["score"].tolist() == [row["score"] for row in rows]


def test_a_replaced_answer_does_not_come_back_under_its_old_values(pulse: Driver) -> None:
    last = {answer["response_id"]: answer for answer in SENT}
    moved = [a for a in SENT if last[a["response_id"]]["channel"] != a["channel"]]
    assert moved
    for channel in CHANNELS:
        found = {row["response_id"] for row in exported(pulse, channel=channel)}
        assert found == {i for i, answer in last.items() if answer["channel"] == channel}


def test_days_are_the_tenants_and_both_ends_count(pulse: Driver) -> None:
    midnight = datetime(2026, 11, 19, 23, 0, tzinfo=UTC)  # in Berlin
    ends = midnight, midnight + timedelta(days=1)
    wanted = {a["response_id"] for a in COUNTED if ends[0] <= _at(a) < ends[1]}
    assert wanted
    rows = exported(pulse, start_date="2026-11-20", end_date="2026-11-20")
    assert {row["response_id"] for row in rows} == wanted
    assert {str(row["day"]) for row in rows} == {"2026-11-20"}


def _at(answer: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(answer["answered_at"])


def test_an_export_without_rows_is_a_file_with_a_header(pulse: Driver) -> None:
    for wanted in ({"end_date": "2026-11-11"}, {"agent": "nobody"}, {"channel": "!ticket,chat"}):
        found = pulse.export("acme", **{**ALL, **wanted, "country": "XX"})
        assert found["rows"] == 0
        names = ",".join(f'"{name}"' for name in COLUMNS["responses"].names)
        assert download(found) == names.encode() + b"\r\n"


def test_an_export_holds_its_own_tenant_alone(pulse: Driver) -> None:
    rows = exported(pulse, "globex")
    assert {(row["tenant"], row["score"]) for row in rows} == {("globex", 1)}
    assert len(rows) == len(COUNTED)
    assert {row["tenant"] for row in exported(pulse)} == {"acme"}


# -- interactions


def calls() -> list[dict[str, Any]]:
    """Interactions of six days, in updates."""
    chance = random.Random(4)
    sent: list[dict[str, Any]] = []
    for number in range(60):
        entered = NOW - timedelta(hours=chance.randrange(6 * 24) + 1)
        known = {
            "interaction_id": f"i{number}",
            "media_type": chance.choice(("voice", "email")),
            "entered_at": entered.isoformat(),
        }
        started = {"agent_id": chance.choice((None, *HOSTILE)), "offered_at": entered.isoformat()}
        amount = {"amount": f"{chance.randint(-9999, 9999) / 100:.2f}", "currency": "EUR"}
        ended = {"finished_at": (entered + timedelta(minutes=5)).isoformat(), "revenue": amount}
        for minute, says in enumerate((started, ended)[: chance.choice((1, 2))]):
            updated = {"updated_at": (entered + timedelta(minutes=minute)).isoformat()}
            sent.append(known | updated | {k: v for k, v in says.items() if v is not None})
    return sent


CALLS = calls()
MERGED: dict[str, dict[str, Any]] = {}
for one in CALLS:
    MERGED[one["interaction_id"]] = MERGED.get(one["interaction_id"], {}) | one


def test_an_export_holds_each_interaction_once_with_all_that_was_told_of_it(pulse: Driver) -> None:
    rows = exported(pulse, stream="interactions")
    assert len(rows) == len(MERGED) < len(CALLS)
    assert [(r["day"], r["entered_at"], r["interaction_id"]) for r in rows] == sorted(
        (r["day"], r["entered_at"], r["interaction_id"]) for r in rows
    )
    for row in rows:
        told = MERGED[row["interaction_id"]]
        assert row["tenant"] == "acme"
        assert (row["media_type"], row["agent"]) == (told["media_type"], told.get("agent_id"))
        for name in ("entered_at", "offered_at", "finished_at", "updated_at"):
            at = told.get(name)
            assert row[name] == (datetime.fromisoformat(at) if at else None)
        amount = told.get("revenue")
        assert row["revenue"] == (Decimal(amount["amount"]) if amount else None)
        assert row["currency"] == (amount["currency"] if amount else None)


@pytest.mark.only_whole
@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({"media_type": "voice"}, lambda told: told["media_type"] == "voice"),
        ({"media_type": "!voice"}, lambda told: told["media_type"] != "voice"),
        ({"agent": "(none)"}, lambda told: "agent_id" not in told),
        ({"agent": "O'Hara,-"}, lambda told: told.get("agent_id") in ("O'Hara", "-")),
        ({"currency": "EUR"}, lambda told: "revenue" in told),
        (
            {"currency": "!EUR", "agent": "!(none)"},
            lambda t: "revenue" not in t and "agent_id" in t,
        ),
        ({"customer_segment": "(none)", "service_type": "x"}, lambda told: False),
    ],
    ids=lambda given: str(given) if isinstance(given, dict) else "wanted",
)
def test_a_filter_judges_the_merged_interaction(
    pulse: Driver, filters: dict[str, str], wanted: Callable[[dict[str, Any]], bool]
) -> None:
    rows = exported(pulse, stream="interactions", **filters)
    expected = {name for name, told in MERGED.items() if wanted(told)}
    assert {row["interaction_id"] for row in rows} == expected


def test_a_csv_of_interactions_has_money_to_the_last_place(pulse: Driver) -> None:
    order = {**ALL, "stream": "interactions", "currency": "EUR"}
    body = download(pulse.export("acme", **order))
    frame = pd.read_csv(io.BytesIO(body), dtype=str, keep_default_na=False)
    assert list(frame.columns) == COLUMNS["interactions"].names
    amounts = {
        name: f"{Decimal(told['revenue']['amount']):.4f}"
        for name, told in MERGED.items()
        if "revenue" in told
    }
    assert dict(zip(frame["interaction_id"], frame["revenue"], strict=True)) == amounts


# -- the rows behind the numbers


FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"channel": "chat,ticket"},
    {"channel": "!chat"},
    {"country": "(none)"},
    {"country": "!DE,(none)", "metric": "csat"},
    {"agent": "!(none)", "scale": "0-10"},
    {"agent": "M%C3%BCller%2C J.,O'Hara"},
    {"agent": "!%21important,-", "channel": "external"},
    {"survey": "app'; --"},
    {"browser": "!Firefox", "os": "(none)", "device": "(none)"},
)


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_a_filter_means_the_same_rows_in_an_export_as_in_a_report(
    pulse: Driver, filters: dict[str, str]
) -> None:
    query = "&".join(f"{name}={quote(text, safe='%!,()')}" for name, text in filters.items())
    dates = f"start_date={ALL['start_date']}&end_date={ALL['end_date']}"
    by = ("metric", "scale", "survey", "channel", "agent", "country")
    report = pulse.report("acme", "daily", f"{dates}&{query}&group_by={','.join(by)}", "secret")
    reported = Counter(
        {(row["period"], *(row[name] for name in by)): row["responses"] for row in report["rows"]}
    )
    rows = exported(pulse, **filters)
    assert Counter((str(row["day"]), *(row[name] for name in by)) for row in rows) == reported
    assert reported


Z = 1.959964


def test_every_cell_of_a_report_can_be_worked_out_from_an_export(pulse: Driver) -> None:
    export = io.BytesIO(download(pulse.export("acme", **ALL, channel="!ticket")))
    names = ["period", "metric", "scale", "responses", "average", "median"]
    names += ["score", "ci_low", "ci_high"]
    query = f"start_date={ALL['start_date']}&end_date={ALL['end_date']}&channel=!ticket"
    report = pd.DataFrame(pulse.report("acme", "daily", query, "secret")["rows"])[names]
    pd.testing.assert_frame_equal(worked_out(export)[names], report, check_dtype=False)


def worked_out(export: io.BytesIO) -> pd.DataFrame:
    """The daily report of csat 1-5 and nps 0-10 answers, by docs/metrics.md, from a CSV of them."""
    rows = pd.read_csv(export).rename(columns={"day": "period"})
    rows["up"] = rows.score >= rows.metric.map({"csat": 4, "nps": 9})
    rows["down"] = rows.score <= rows.metric.map({"csat": 2, "nps": 6})
    groups = rows.groupby(["period", "metric", "scale"])
    cells = groups.score.agg(responses="size", average="mean", median="median").reset_index()
    up, down, n = groups.up.sum().values, groups.down.sum().values, cells.responses
    score = np.where(cells.metric == "nps", up - down, up) / n
    low, high = np.where(cells.metric == "nps", adjusted_wald(up, down, n), wilson(up, n))
    ends = {"ci_low": np.clip(low, -1, score), "ci_high": np.clip(high, score, 1)}
    return cells.assign(**{k: 100 * v for k, v in {"score": score, **ends}.items()}).round(2)


def wilson(up: Any, n: Any) -> Any:
    """docs/metrics.md's interval of a proportion: both ends."""
    middle, half = up / n + Z**2 / (2 * n), Z * np.sqrt(up * (n - up) / n**3 + Z**2 / (4 * n**2))
    return np.array([middle - half, middle + half]) / (1 + Z**2 / n).values


def adjusted_wald(up: Any, down: Any, n: Any) -> Any:
    """docs/metrics.md's interval of a net promoter score: both ends."""
    p, d = (up + 0.75) / (n + 3), (down + 0.75) / (n + 3)
    half = Z * np.sqrt((p + d - (p - d) ** 2) / (n + 3))
    return np.array([p - d - half, p - d + half])


# -- nothing but values


@pytest.mark.sampled
@pytest.mark.parametrize("value", some(HOSTILE, 12), ids=repr)
def test_a_hostile_value_is_compared_and_never_run(pulse: Driver, value: str) -> None:
    before = {**pulse.objects("raw/"), **pulse.objects("daily/"), **pulse.objects("reports/")}
    named = {a["response_id"] for a in COUNTED if a.get("agent_id") == value}
    text = quote(value, safe="")
    assert {row["response_id"] for row in exported(pulse, agent=text)} == named
    others = exported(pulse, agent=f"!{text}")
    assert len(others) == len(COUNTED) - len(named)
    assert named
    assert exported(pulse, survey=text) == []
    after = {**pulse.objects("raw/"), **pulse.objects("daily/"), **pulse.objects("reports/")}
    assert after == before
