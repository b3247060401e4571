"""From raw to daily to reports on the embedded Athena: what is built, when, and what is not."""

import io
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from pyarrow import parquet

from pulse import days, lake
from pulse.daily.build import BuildDaily
from pulse.errors import AthenaError, BuildCheckError, CatalogError, SettingsError
from pulse.sql import statement
from pulse.store.athena import Athena
from pulse.store.catalog import Catalog, Partition
from pulse.store.clients import client
from pulse.store.events import Events
from pulse.tenant_years.build import BuildReports
from pulse.tenants.rules import Rule
from tests.driver import Driver, running

AnyClient: Any = BaseClient  # its _make_api_call is where every call of every client passes
TODAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def pulse() -> Iterator[Driver]:
    """Two tenants in two zones, each with the survey `email` (nps)."""
    with days.clock(lambda: TODAY), running() as driver:
        driver.tenant("acme", "Europe/Berlin")
        driver.tenant("globex", "America/New_York")
        for tenant in ("acme", "globex"):
            driver.survey(tenant, "email", Rule.make("nps", 0, 10))
        yield driver


def answer(score: int, *, ago: int = 1, number: int = 0, **more: Any) -> dict[str, Any]:
    """An answer given some days ago at noon; equal numbers are one identity."""
    at = (TODAY - timedelta(days=ago)).isoformat()
    known = {"response_id": f"r{number}-{ago}", "answered_at": at}
    return {"survey_id": "email", "score": score, **known, **more}


def rows(driver: Driver, tenant: str, query: str = "preset=last_30_days") -> list[dict[str, Any]]:
    driver.forget()
    found: list[dict[str, Any]] = driver.report(tenant, "daily", query)["rows"]
    return found


def test_an_answer_becomes_a_number(pulse: Driver) -> None:
    assert pulse.post("acme", [answer(9, number=1), answer(3, number=2)]).status == 202
    daily, reports = pulse.build()
    assert daily.built == (date(2026, 11, 20),)
    assert reports.rewritten == (("acme", 2026),)
    (row,) = rows(pulse, "acme")
    assert (row["period"], row["responses"], row["average"]) == ("2026-11-20", 2, 6.0)
    assert rows(pulse, "globex") == []


def test_what_has_not_changed_is_not_built_again(pulse: Driver) -> None:
    pulse.post("acme", [answer(9)])
    pulse.build()
    before = pulse.objects("")
    daily, reports = pulse.build()
    assert (daily.built, reports.rewritten, reports.examined) == ((), (), 0)
    assert pulse.objects("daily/") == {k: v for k, v in before.items() if k.startswith("daily/")}


@pytest.mark.only_whole
def test_days_built_by_hand_without_a_change_are_compared_and_not_written(
    pulse: Driver,
) -> None:
    pulse.post("acme", [answer(k % 11, number=k, ago=k % 5) for k in range(60)])
    pulse.build()
    before = pulse.objects("reports/")
    daily = pulse.build_daily(date(2026, 11, 1), date(2026, 11, 30))
    reports = pulse.build_reports()
    assert len(daily.built) == 5
    assert (reports.rewritten, reports.examined, reports.written) == ((), 5, 0)
    assert pulse.objects("reports/") == before


def test_a_late_answer_writes_its_own_day_of_its_tenant_alone(pulse: Driver) -> None:
    for tenant in ("acme", "globex"):
        pulse.post(tenant, [answer(8, ago=ago) for ago in range(1, 91)])
    pulse.build()
    days_asked = "start_date=2026-08-01&end_date=2026-11-21"
    objects, before = pulse.objects("reports/"), rows(pulse, "acme", days_asked)
    pulse.post("acme", [answer(2, ago=20, number=99)])
    daily, reports = pulse.build()
    assert daily.built == (date(2026, 11, 1),)
    assert reports.rewritten == (("acme", 2026),)
    assert (reports.examined, reports.folded) == (1, 0)
    (written,) = pulse.objects("reports/").keys() - objects.keys()
    assert objects.items() <= pulse.objects("reports/").items()  # what is put never changes
    assert written.startswith("reports/scores/tenant=acme/year=2026/run=")
    table = parquet.read_table(io.BytesIO(pulse.read(written)))
    assert table["day"].to_pylist() == [date(2026, 11, 1)]
    after = rows(pulse, "acme", days_asked)
    assert [row["period"] for row in after] == [row["period"] for row in before]
    different = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [(row["period"], row["responses"]) for row in different] == [("2026-11-01", 2)]


def test_an_answer_sent_again_counts_once_and_the_last_received_wins(pulse: Driver) -> None:
    pulse.post("acme", [answer(1, number=7)])
    with days.clock(lambda: TODAY + timedelta(seconds=1)):
        pulse.post("acme", [answer(10, number=7, comment="now it works")])
    records = pulse.messages()
    pulse.write([*reversed(records), *records])
    pulse.build_daily()
    pulse.build_reports()
    (row,) = rows(pulse, "acme")
    assert (row["responses"], row["average"]) == (1, 10.0)


def test_days_are_the_tenants_own(pulse: Driver) -> None:
    at = {"answered_at": "2026-11-20T03:00:00Z"}
    for tenant in ("acme", "globex"):
        pulse.post(tenant, [answer(5) | at])
    pulse.build()
    assert [row["period"] for row in rows(pulse, "acme")] == ["2026-11-20"]
    assert [row["period"] for row in rows(pulse, "globex")] == ["2026-11-19"]


@pytest.mark.only_whole
def test_a_year_ends_where_its_object_ends(pulse: Driver) -> None:
    for at in ("2025-12-31T22:59:59Z", "2025-12-31T23:00:00Z"):  # midnight in Berlin
        pulse.post("acme", [answer(5, number=1) | {"answered_at": at}])
    _, reports = pulse.build()
    assert reports.rewritten == (("acme", 2025), ("acme", 2026))
    found = rows(pulse, "acme", "start_date=2025-12-01&end_date=2026-01-31")
    assert [row["period"] for row in found] == ["2025-12-31", "2026-01-01"]


def test_a_lost_wake_up_heals_at_the_next_run(pulse: Driver) -> None:
    pulse.post("acme", [answer(9)])
    pulse.write()
    pulse.build_daily()  # and nobody wakes build_reports
    assert rows(pulse, "acme") == []
    assert pulse.build_daily().built == ()
    assert pulse.build_reports().rewritten == (("acme", 2026),)
    assert len(rows(pulse, "acme")) == 1


@pytest.mark.only_whole
def test_scattered_days_are_built_in_statements_of_at_most_a_hundred_days(pulse: Driver) -> None:
    pulse.post("acme", [answer(k % 11, ago=k, number=k) for k in range(0, 260, 2)])
    daily, _ = pulse.build()
    assert len(daily.built) == 130
    total = pulse.report("acme", "nps", "start_date=2026-01-01&end_date=2026-11-21")["totals"]
    assert [row["responses"] for row in total] == [130]


@pytest.mark.only_whole
def test_more_tenants_than_one_statement_may_write(pulse: Driver) -> None:
    names = [f"tenant-{number:03}" for number in range(105)]
    for name in names:
        pulse.tenant(name)
        pulse.survey(name, "email", Rule.make("nps", 0, 10))
        pulse.post(name, [answer(9)])
    _, reports = pulse.build()
    assert sorted(reports.rewritten) == [(name, 2026) for name in names]


def test_nothing_is_published_if_the_counts_do_not_add_up(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse.post("acme", [answer(9)])
    pulse.build()
    before = rows(pulse, "acme")
    pulse.post("acme", [answer(1, number=2)])
    pulse.write()
    half = {"days": ["1999-01-01"]}  # as if Athena had read none of the objects
    real = AnyClient._make_api_call

    def lose_rows(self: Any, operation: str, kwargs: dict[str, Any]) -> Any:
        if operation == "StartQueryExecution" and "count_if" in kwargs["QueryString"]:
            kwargs["QueryString"] = kwargs["QueryString"].replace(
                "'2026-11-20'", f"'{half['days'][0]}'"
            )
        return real(self, operation, kwargs)

    monkeypatch.setattr(BaseClient, "_make_api_call", lose_rows)
    with pytest.raises(BuildCheckError, match="2026-11-20"):
        pulse.build_daily()
    monkeypatch.undo()
    pulse.build_reports()
    assert rows(pulse, "acme") == before
    assert pulse.build_daily().built == (date(2026, 11, 20),)


def test_a_statement_that_athena_refuses_leaves_everything_as_it_was(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse.post("acme", [answer(9)])
    pulse.write()
    monkeypatch.setattr(
        "pulse.daily.build.statement", lambda folder, name: "SELECT nonsense FROM raw_responses"
    )
    with pytest.raises(AthenaError, match="nonsense"):
        pulse.build_daily()
    assert pulse.objects("daily/") == {}


def call(number: int) -> dict[str, Any]:
    """An interaction that entered yesterday at noon."""
    entered_at = (TODAY - timedelta(days=1)).isoformat()
    return {"interaction_id": f"i{number}", "media_type": "voice", "entered_at": entered_at}


@pytest.mark.only_whole
def test_what_fails_in_one_dataset_keeps_no_other_from_being_built(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse.post("acme", [answer(9)])
    assert pulse.post_interactions("acme", [call(1)]).status == 202
    pulse.write()
    others = {"interactions", "experience"}
    for stage in ("daily", "reports"):
        with monkeypatch.context() as patched:
            where = {"daily": "daily.build", "reports": "tenant_years.publishing"}[stage]
            patched.setattr(f"pulse.{where}.statement", without_scores)
            with pytest.raises(AthenaError, match="nonsense"):
                getattr(pulse, f"build_{stage}")()
        assert {key.split("/")[1] for key in pulse.objects(f"{stage}/")} == others
        getattr(pulse, f"build_{stage}")()
        assert {key.split("/")[1] for key in pulse.objects(f"{stage}/")} == others | {"scores"}


@pytest.mark.only_whole
def test_a_day_that_glue_does_not_take_keeps_no_other_table_from_being_built(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse.post("acme", [answer(9)])
    assert pulse.post_interactions("acme", [call(1)]).status == 202
    pulse.write()
    real = Catalog.point

    def refuse_scores(catalog: Catalog, table: str, locations: Mapping[Partition, str]) -> None:
        if table == lake.SCORES.daily_table:
            raise CatalogError("2026-11-20: InternalServiceException")
        real(catalog, table, locations)

    with monkeypatch.context() as patched:
        patched.setattr(Catalog, "point", refuse_scores)
        with pytest.raises(CatalogError, match="2026-11-20"):
            pulse.build_daily()
    assert Catalog(pulse.settings.database).partitions(lake.INTERACTIONS.daily_table)
    assert pulse.build_daily().built == (date(2026, 11, 20),)


def without_scores(folder: str, name: str) -> str:
    return "SELECT nonsense FROM raw_responses" if name == "scores" else statement(folder, name)


@pytest.mark.only_whole
def test_a_tenant_whose_rows_do_not_add_up_keeps_no_other_from_being_built(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tenant in ("acme", "globex"):
        pulse.post(tenant, [answer(9)])
    pulse.post_interactions("acme", [call(1)])
    pulse.write()
    pulse.build_daily()
    real = Athena.rows

    def miscount(self: Athena, sql: str, *args: Any, **given: Any) -> list[dict[str, Any]]:
        rows = real(self, sql, *args, **given)
        wrong = "daily_scores" in sql
        return [row | {"events": 5} if wrong and row["tenant"] == "acme" else row for row in rows]

    with monkeypatch.context() as patched:
        patched.setattr(Athena, "rows", miscount)
        with pytest.raises(BuildCheckError, match="acme 2026: 1 events arranged in scores"):
            pulse.build_reports()
    assert {key.partition("/run=")[0] for key in pulse.objects("reports/")} == {
        "reports/scores/tenant=globex/year=2026",
        "reports/interactions/tenant=acme/year=2026",
        "reports/experience/tenant=acme/year=2026",
        "reports/experience/tenant=globex/year=2026",
    }
    assert pulse.build_reports().rewritten == (("acme", 2026),)


@pytest.mark.only_whole
@pytest.mark.parametrize("job", ["build_daily", "build_reports"])
def test_what_only_ever_fails_does_not_go_on_waking_itself(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    pulse.post("acme", [answer(9)])
    pulse.post_interactions("acme", [call(1)])
    pulse.write()
    if job == "build_reports":
        pulse.build_daily()
    told: list[str] = []
    monkeypatch.setattr(Events, "announce", lambda self, what: told.append(what))
    left = iter((600.0,) * (1 if job == "build_daily" else 2))  # for one statement, then none
    stage = BuildDaily if job == "build_daily" else BuildReports

    def fail(*_: Any, **__: Any) -> None:
        raise AthenaError("stopped")

    monkeypatch.setattr(Athena, "rows", fail)
    monkeypatch.setattr(Athena, "unload", fail)
    with pytest.raises(AthenaError, match="stopped"):
        stage.from_settings(pulse.settings).run(remaining_s=lambda: next(left, 0.0))
    assert told == [job.removeprefix("build_") + " built"]


@pytest.mark.only_whole
def test_housekeeping_removes_old_runs_that_nothing_points_at(pulse: Driver) -> None:
    pulse.post("acme", [answer(9)])
    pulse.build()
    (first,) = {key.split("/")[2] for key in pulse.objects("daily/")}
    (replaced,) = pulse.objects("reports/")
    with days.clock(lambda: TODAY + timedelta(hours=1)):
        pulse.post("acme", [answer(3, number=2)])
        pulse.build()
    assert pulse.housekeep() == ()
    with days.clock(lambda: TODAY + timedelta(hours=23, minutes=59)):
        assert pulse.housekeep() == ()
    with days.clock(lambda: TODAY + timedelta(days=1, minutes=59)):
        # whoever planned a query before the run was replaced may still read it
        assert pulse.housekeep() == (replaced.rpartition("/")[0],)
    with days.clock(lambda: TODAY + timedelta(days=1, minutes=61)):
        assert pulse.housekeep() == (f"daily/scores/{first}/",)
        assert pulse.housekeep() == ()
    before = rows(pulse, "acme")
    assert [row["responses"] for row in before] == [2]


def test_a_tenant_whose_record_cannot_be_read_stops_nobody_else(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: dict[str, int] = {}
    monkeypatch.setattr(
        "pulse.store.tenants.count", lambda name, value=1: counted.update({name: value})
    )
    for tenant in ("acme", "globex"):
        pulse.post(tenant, [answer(9)])
    pulse.write()
    client("dynamodb").update_item(
        TableName=pulse.settings.table,
        Key={"pk": {"S": "TENANTS"}, "sk": {"S": "acme"}},
        UpdateExpression="SET #zone = :zone",
        ExpressionAttributeNames={"#zone": "timezone"},
        ExpressionAttributeValues={":zone": {"S": "right/UTC"}},
    )

    _, reports = pulse.build()

    assert reports.rewritten == (("globex", 2026),)
    assert counted == {"TenantsUnreadable": 1}
    assert [tenant.id for tenant in pulse.tenants.all()] == ["globex"]
    with pytest.raises(SettingsError, match=r"'acme' cannot be read: unknown time zone"):
        pulse.tenants.get("acme")
