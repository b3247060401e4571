"""A large tenant through the API: the same replies as for a tenant that has every object.

Two tenants send the same events, from the API to the daily tables. The rows of the one are made to
parts as those of a tenant above the setting are, the other's as anybody's. Everything runs on the
embedded stack: what no object covers is asked of its Athena.
"""

import json
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from math import inf
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from functions.serve_reports import app
from pulse import days, lake
from pulse.reports.registry import REPORTS
from pulse.reports.rollups import OF_LARGE
from pulse.serve.distributed import Distributed
from pulse.store.athena import Athena
from pulse.store.catalog import Catalog
from pulse.store.clients import client
from pulse.store.executions import Execution, Executions
from pulse.store.laid import LaidRows
from pulse.store.objects import Objects
from pulse.store.questions import Questions
from pulse.tenant_years import large
from pulse.tenant_years.large import LargeTenants
from pulse.tenants.limits import Limits
from pulse.tenants.rules import Rule
from tests import report_parts
from tests.driver import Driver, Reply, running

pytestmark = pytest.mark.only_whole

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIRST = datetime(2025, 11, 3, 9, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux) Firefox/133.0"
LARGE, SMALL = "large-one", "small-one"
OBJECTS = {
    # what a tenant has that is large indeed: of every dimension there are too many sums
    **{name: OF_LARGE[name][1:] for name in ("scores", "interactions", "experience")},
    "sessions": OF_LARGE["sessions"],
}
WHOLE = "start_date=2025-11-01&end_date=2026-11-20"


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    with (
        days.clock(lambda: NOON),
        running() as driver,
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setattr(large, "OF_LARGE", OBJECTS)
        for tenant in (LARGE, SMALL):
            driver.tenant(tenant, "Europe/Berlin")
            driver.survey(tenant, "support", Rule.make("csat", 1, 5))
            driver.survey(tenant, "shop", Rule.make("nps", 0, 10))
            chance = random.Random(1)
            for sent in (
                driver.post(tenant, [response(chance) for _ in range(150)]),
                driver.post_interactions(tenant, [interaction(chance, n) for n in range(80)]),
                driver.post_sessions(tenant, [session(chance, n) for n in range(40)]),
            ):
                assert sent.status == 202
                assert sent.json["rejected"] == []
        assert driver.write() == []
        driver.link_days = 35
        driver.build_daily()
        for dataset in lake.DAILY_TABLES:
            publish(driver, dataset)
        driver.forget()
        yield driver


@pytest.fixture(autouse=True)
def _cold(pulse: Driver) -> Iterator[None]:
    """Every test begins without roll-ups that another one has asked for."""
    forget_questions(pulse)
    with days.clock(lambda: NOON):
        yield


def forget_questions(pulse: Driver) -> None:
    settings = pulse.settings
    Questions(settings.table).remove(LARGE, Objects(settings.lake_bucket))
    pulse.forget()


def moment(chance: random.Random) -> datetime:
    """On one of 38 days of a good year: each day more is a partition more to build."""
    return FIRST + timedelta(days=chance.randrange(0, 380, 10), minutes=chance.randrange(500))


def response(chance: random.Random) -> dict[str, Any]:
    return {
        "survey_id": (survey := chance.choice(["support", "shop"])),
        "score": chance.randint(1, 5 if survey == "support" else 10),
        "answered_at": moment(chance).isoformat(),
        "channel": chance.choice(["chat", "ticket"]),
        "agent_id": chance.choice(["ada", "bob", "O'Neil", None]),
        "country": chance.choice(["DE", "FR", None]),
        "user_agent": chance.choice([*[FIREFOX] * 5, "Googlebot/2.1"]),
        "interaction_id": f"i{chance.randrange(80)}",
    }


def interaction(chance: random.Random, number: int) -> dict[str, Any]:
    entered = moment(chance)
    return {
        "interaction_id": f"i{number}",
        "media_type": chance.choice(["voice", "chat"]),
        "entered_at": entered.isoformat(),
        "accepted_at": (entered + timedelta(seconds=chance.randrange(90))).isoformat(),
        "finished_at": (entered + timedelta(minutes=30)).isoformat(),
        "updated_at": (entered + timedelta(hours=1)).isoformat(),
        "agent_id": chance.choice(["ada", "bob"]),
        "customer_segment": chance.choice(["gold", None]),
        "revenue": {"amount": chance.choice(["0.1", "-3", "99.9999"]), "currency": "EUR"},
    }


def session(chance: random.Random, number: int) -> dict[str, Any]:
    return {
        "session_id": f"s{number}",
        "agent_id": chance.choice(["ada", "bob"]),
        "media_type": chance.choice(["voice", "chat"]),
        "day": moment(chance).date().isoformat(),
        "active_seconds": 3600,
        "engaged_seconds": chance.randrange(3600),
    }


def publish(pulse: Driver, dataset: lake.DailyTable) -> None:
    """Make the reports of both tenants from the daily rows, and say so on their records."""
    runs = {
        day: partition.run
        for day, partition in Catalog(pulse.settings.database)
        .partitions(dataset.daily_table)
        .items()
    }
    for year in sorted({day.year for day in runs}):
        run_of = {day: run for day, run in runs.items() if day.year == year}
        publish_large(pulse, dataset, year, run_of, run_of)
        laid = report_parts.lay(
            dataset,
            SMALL,
            year,
            [(run_of, report_parts.cube_rows(dataset, daily_rows(pulse, dataset, run_of)))],
            as_of_us=days.now_us(),
        )
        for key, body in laid.bodies.items():
            client("s3").put_object(Bucket=pulse.settings.lake_bucket, Key=key, Body=body)
        pulse.tenants.set_year(SMALL, dataset.name, year, laid.state, before=None)


def publish_large(
    pulse: Driver,
    dataset: lake.DailyTable,
    year: int,
    run_of: Mapping[date, str],
    changed: Mapping[date, str],
) -> None:
    settings = pulse.settings
    stage = LargeTenants(
        Athena(settings.database, settings.workgroup), Objects(settings.lake_bucket), most_rows=10
    )
    known = pulse.tenants.get(LARGE)
    before = known.table(dataset.name).years.get(year) if known else None
    written = stage.write(
        dataset,
        LARGE,
        year,
        before,
        changed,
        run_of,
        as_of_us=days.now_us(),
        remaining_s=lambda: inf,
    )
    pulse.tenants.set_year(LARGE, dataset.name, year, written.state, before=before)


def daily_rows(
    pulse: Driver, dataset: lake.DailyTable, run_of: Mapping[date, str]
) -> Iterator[bytes]:
    """The small tenant's daily rows, as objects with their day."""
    for day, run in run_of.items():
        for key in pulse.objects(f"{lake.run_prefix(dataset, run)}dt={day}/"):
            rows = pq.ParquetFile(pa.BufferReader(pulse.read(key))).read()
            own = rows.filter(pc.equal(rows["tenant"], pa.scalar(SMALL)))
            own = own.append_column("day", pa.array([day] * len(own), pa.date32()))
            sink = pa.BufferOutputStream()
            pq.write_table(own, sink)
            yield sink.getvalue().to_pybytes()


def get(pulse: Driver, tenant: str, question: str, **headers: str) -> Reply:
    key = pulse.key(tenant, "secret")
    return pulse.call("GET", f"/v1/{question}", key=key, headers=headers)


def statements(pulse: Driver) -> int:
    """How many statements have written roll-ups for questions."""
    prefix = lake.questions_prefix(LARGE)
    return len({key.rpartition("/run=")[2][:26] for key in pulse.objects(prefix)})


def same(pulse: Driver, question: str) -> str:
    """Both tenants get the same reply; what the large one's was read from."""
    replies = [get(pulse, tenant, question) for tenant in (SMALL, LARGE)]
    assert [one.status for one in replies] == [200, 200], replies[1].body
    found = [json.loads(one.body.replace(LARGE, SMALL)) for one in replies]
    engines = [one["meta"].pop("engine") for one in found]
    assert found[0] == found[1]
    assert engines[0] == "reports"
    engine: str = engines[1]
    return engine


# -- the same answers


@pytest.mark.parametrize("report", REPORTS)
def test_the_default_question_of_a_report_over_a_year_needs_no_statement(
    pulse: Driver, report: str
) -> None:
    assert same(pulse, f"reports/{report}?{WHOLE}") == "reports"
    assert statements(pulse) == 0


QUESTIONS = (
    f"csat?{WHOLE}&group_by=agent,country,browser&granularity=week",
    f"nps?{WHOLE}&group_by=channel,browser,country&agent=!O'Neil&subtotals=true",
    f"agents?{WHOLE}&group_by=agent,survey,country&compare=previous_year&order_by=-responses",
    "geo?preset=last_30_days&group_by=country,agent,survey&compare=previous_period",
    f"csat?{WHOLE}&group_by=agent,country,survey&granularity=day&fill=true&limit=10000",
    f"customer-perspective?{WHOLE}&agent=ada&group_by=customer_segment,period&granularity=month",
    f"customer-perspective?{WHOLE}&group_by=agent,customer_segment,media_type&subtotals=true",
    f"csat?{WHOLE}&group_by=agent,device&device=bot,desktop",
    f"agent-activity?{WHOLE}&granularity=week",
    f"agent-activity?{WHOLE}&customer_segment=gold&compare=previous_period",
    f"revenue?{WHOLE}&agent=ada&customer_segment=gold&granularity=week&compare=previous_year",
    f"experience?{WHOLE}&group_by=accept,wait&granularity=week&compare=previous_period",
    f"experience?{WHOLE}&group_by=agent,accept&granularity=day&date_basis=entered",
)


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_no_object_covers_is_answered_by_athena_with_the_same_reply(
    pulse: Driver, question: str
) -> None:
    assert same(pulse, f"reports/{question}") == "athena"
    assert statements(pulse) >= 1


def test_some_answers_of_the_large_tenant_are_linked(pulse: Driver) -> None:
    for basis in ("answered", "entered"):
        reply = get(pulse, LARGE, f"reports/experience?{WHOLE}&date_basis={basis}").json
        assert reply["meta"]["linked"]["responses"] > 3, basis


def test_filters_are_offered_the_same_values(pulse: Driver) -> None:
    question = f"dimensions/agent?{WHOLE}&country=DE&channel=chat&survey=support"
    assert same(pulse, question) == "athena"
    assert same(pulse, f"dimensions/agent?{WHOLE}") == "reports"


def test_an_operator_s_question_takes_of_each_tenant_what_there_is(pulse: Driver) -> None:
    key = pulse.key(None, "operator")
    query = f"tenant={LARGE},{SMALL}&{WHOLE}&group_by=tenant,agent,country,survey"
    reply = pulse.call("GET", f"/v1/reports/csat?{query}&limit=10000", key=key).json
    assert reply["meta"]["engine"] == "athena"
    rows: dict[str, list[Any]] = {LARGE: [], SMALL: []}
    for row in reply["rows"]:
        rows[row.pop("tenant")].append(row)
    assert rows[LARGE] == rows[SMALL]
    assert len(rows[SMALL]) > 10


# -- as callers meet it


BIG = f"reports/csat?{WHOLE}&group_by=agent,country,survey"


def test_a_question_is_asked_once_and_known_by_its_etag(pulse: Driver) -> None:
    first = get(pulse, LARGE, BIG)
    again = get(pulse, LARGE, BIG)
    pulse.forget()  # another process
    other = get(pulse, LARGE, BIG)
    assert first.body == again.body == other.body
    assert statements(pulse) == 1
    known = {"if-none-match": first.headers["ETag"]}
    forget_questions(pulse)
    assert get(pulse, LARGE, BIG, **known).status == 304
    assert statements(pulse) == 0


def test_pages_of_a_reply_come_from_one_statement(pulse: Driver) -> None:
    rows = get(pulse, LARGE, BIG).json["rows"]
    found, cursor = [], ""
    for _ in range(100):
        page = get(pulse, LARGE, f"{BIG}&limit=7{cursor}").json
        found += page["rows"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == rows
    assert statements(pulse) == 1


def test_who_waited_in_vain_finds_the_answer_by_the_same_request(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = app.stage().years.elsewhere.__self__  # type: ignore[attr-defined]
    assert isinstance(distributed, Distributed)
    distributed.wait_s = 0.3
    with monkeypatch.context() as patched:
        patched.setattr(Executions, "look", lambda *_: Execution("running"))
        waiting = get(pulse, LARGE, BIG)
        assert (waiting.status, waiting.json["code"]) == (503, "still_computing")
        assert int(waiting.headers["Retry-After"]) > 0
        other = get(pulse, LARGE, BIG.replace("survey", "browser"))
        assert (other.status, other.json["code"]) == (503, "question_running")
    assert get(pulse, LARGE, BIG).status == 200
    assert statements(pulse) == 1


def test_a_statement_counts_against_the_limits_and_what_is_there_does_not(pulse: Driver) -> None:
    limits = dict(app.stage().directory.limits)
    object.__setattr__(app.stage().directory, "limits", limits | {"GET": Limits.per_minute(120, 0)})
    assert get(pulse, LARGE, BIG).status == 200
    refused = get(pulse, LARGE, f"{BIG}&channel=chat")
    assert (refused.status, refused.json["code"]) == (429, "key_limit")
    assert get(pulse, LARGE, BIG).status == 200
    assert statements(pulse) == 1


def test_rows_that_were_laid_out_anew_are_found_by_a_process_that_knows_the_old_ones(
    pulse: Driver,
) -> None:
    before = get(pulse, LARGE, BIG).json["rows"]  # the record is remembered from now on
    dataset = lake.SCORES
    for year in (2025, 2026):
        partitions = Catalog(pulse.settings.database).partitions(dataset.daily_table)
        run_of = {day: one.run for day, one in partitions.items() if day.year == year}
        publish_large(pulse, dataset, year, run_of, run_of)
    laid = LaidRows(Objects(pulse.settings.lake_bucket))
    laid.remove_unnamed(laid.runs(LARGE), pulse.tenants.get(LARGE))
    settings = pulse.settings
    Questions(settings.table).remove(LARGE, Objects(settings.lake_bucket))
    reply = get(pulse, LARGE, BIG.replace("csat", "geo"))
    assert reply.status == 200
    small = get(pulse, SMALL, BIG.replace("csat", "geo"))
    assert reply.json["rows"] == small.json["rows"]
    assert before
