"""Builds of reports follow changes: of days, of tenants, of work left over, of lost objects."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import inf
from typing import Any

import pytest

from pulse import days, lake
from pulse.checks import run_checks
from pulse.errors import AthenaError
from pulse.reports.reading import rows_of_part
from pulse.reports.rollups import ROLLUPS, named, roll_up
from pulse.reports.tenant_year import encode
from pulse.store.athena import Athena
from pulse.store.catalog import Catalog, Partition
from pulse.store.held import HeldRuns
from pulse.store.objects import Objects
from pulse.store.records import Records
from pulse.store.tenants import Tenants
from pulse.tenant_years import build, parts, writing
from pulse.tenant_years.build import BuildReports
from pulse.tenant_years.comparing import Comparison
from pulse.tenant_years.folding import Folding
from pulse.tenant_years.parts import MOST_PARTS
from pulse.tenant_years.writing import WriteResult, YearWriter
from pulse.tenants.rules import Rule
from pulse.tenants.tenant import CUBE, Part, Tenant, YearState
from tests.account_state import Account, State
from tests.driver import Driver, running

TODAY = datetime(2026, 11, 21, 12, tzinfo=UTC)
TENANTS = ("acme", "globex", "initech")
WHOLE = "start_date=2026-01-01&end_date=2026-11-21"


@pytest.fixture(scope="module")
def built() -> Iterator[tuple[Driver, Account, State]]:
    """A deployment with three tenants and what it holds once their forty days are built."""
    with days.clock(lambda: TODAY), running() as driver:
        for tenant in TENANTS:
            driver.tenant(tenant)
            driver.survey(tenant, "email", Rule.make("nps", 0, 10))
            post(driver, tenant, *range(1, 41))
        driver.build()
        settings = driver.settings
        account = Account((settings.lake_bucket,), settings.table, settings.database)
        yield driver, account, account.state()


@pytest.fixture
def pulse(built: tuple[Driver, Account, State]) -> Driver:
    """Three tenants with an answer on each of the last forty days, built, and nothing else."""
    driver, account, begin = built
    account.put_back(begin)
    assert account.state() == begin
    driver.messages()
    driver.keys.clear()
    driver.forget()
    return driver


def post(pulse: Driver, tenant: str, *ago: int, name: str = "r", **more: str) -> None:
    answers = [
        {
            "survey_id": "email",
            "score": 9,
            "response_id": f"{name}{number}",
            "answered_at": (TODAY - timedelta(days=number)).isoformat(),
            **more,
        }
        for number in ago
    ]
    assert pulse.post(tenant, answers).status == 202


def day(ago: int) -> date:
    return (TODAY - timedelta(days=ago)).date()


def responses(pulse: Driver, tenant: str) -> int:
    pulse.forget()
    totals = pulse.report(tenant, "nps", WHOLE)["totals"]
    return sum(row["responses"] for row in totals)


def state(pulse: Driver, tenant: str) -> YearState:
    found = pulse.tenants.get(tenant)
    assert found
    return found.table("scores").years[2026]


def checked(pulse: Driver) -> str:
    (found,) = (one for one in run_checks(pulse.settings) if one.name.startswith("reports scores"))
    return found.state


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """The parameters of the statements that lay rows out, as they are begun."""
    begun: list[Mapping[str, Any]] = []
    real = Athena.unload

    def unload(self: Athena, sql: str, params: Mapping[str, Any], **given: Any) -> None:
        begun.append(params)
        real(self, sql, params, **given)

    monkeypatch.setattr(Athena, "unload", unload)
    return begun


def test_a_late_answer_reads_one_day_of_one_tenant(
    pulse: Driver, statements: list[Mapping[str, Any]]
) -> None:
    post(pulse, "acme", 30, name="late")
    pulse.write()
    pulse.build_daily()
    statements.clear()
    built = pulse.build_reports()
    assert (built.rewritten, built.examined) == ((("acme", 2026),), 1)
    (params,) = statements
    assert params["tenants"] == ["acme"]
    assert [one.partition("/")[2] for one in params["pairs"]] == [str(day(30))]
    assert {tenant: responses(pulse, tenant) for tenant in TENANTS} == {
        "acme": 41,
        "globex": 40,
        "initech": 40,
    }


def test_a_night_of_everybody_reads_the_days_that_changed_in_one_statement(
    pulse: Driver, statements: list[Mapping[str, Any]]
) -> None:
    for tenant in TENANTS:
        post(pulse, tenant, 0, name="today")
    pulse.write()
    pulse.build_daily()
    statements.clear()
    built = pulse.build_reports()
    assert sorted(built.rewritten) == [(tenant, 2026) for tenant in TENANTS]
    (params,) = statements
    assert params["tenants"] == list(TENANTS)
    assert [one.partition("/")[2] for one in params["pairs"]] == [str(day(0))]


def test_tenants_are_read_once_and_after_the_days(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thus no tenant is missing that a day has rows of."""
    read: list[str] = []
    days_of, all_of = Catalog.partitions, Tenants.all

    def partitions(self: Catalog, table: str, among: Any) -> Mapping[date, Partition]:
        read.append("days")
        return days_of(self, table, among)

    def tenants(self: Tenants) -> Iterator[Tenant]:
        read.append("tenants")
        return all_of(self)

    monkeypatch.setattr(Catalog, "partitions", partitions)
    monkeypatch.setattr(Tenants, "all", tenants)
    BuildReports.from_settings(pulse.settings).run(remaining_s=lambda: inf, whole=True)
    assert read == [*("days" for _ in lake.DAILY_TABLES), "tenants"]


@pytest.mark.only_whole
def test_a_year_stays_a_few_parts_and_every_number_stays_right(pulse: Driver) -> None:
    """Late answers come, days are built again, and answers are removed."""
    expected = Counter({tenant: 40 for tenant in TENANTS})
    for night in range(12):
        post(pulse, "acme", night * 3 % 40 + 1, 0, name=f"n{night}-")
        post(pulse, "globex", night, name=f"n{night}-")
        expected += Counter({"acme": 2, "globex": 1})
        pulse.build()
        assert len(state(pulse, "acme").parts) <= MOST_PARTS
    assert {tenant: responses(pulse, tenant) for tenant in TENANTS} == expected
    assert checked(pulse) == "ok"
    assert state(pulse, "initech").revision == 1


def test_when_the_first_day_loses_its_rows_the_next_one_is_the_first(pulse: Driver) -> None:
    key = lake.raw_prefix("responses", day(40))
    assert state(pulse, "acme").first_day == day(40)
    Objects(pulse.settings.lake_bucket).delete_all(key)
    pulse.build_daily(day(40), day(40))
    pulse.build_reports()
    assert state(pulse, "acme").first_day == day(39)
    assert responses(pulse, "acme") == 39


@pytest.mark.only_whole
def test_what_is_owed_to_one_tenant_counts_as_built_for_all_others(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tenant in TENANTS:
        post(pulse, tenant, 5, name="more")
    pulse.write()
    pulse.build_daily()
    real = Athena.unload

    def unload(self: Athena, sql: str, params: Mapping[str, Any], **given: Any) -> None:
        if "globex" in params["tenants"]:
            raise AthenaError("FAILED: a row that nobody can read")
        real(self, sql, params, **given)

    with monkeypatch.context() as broken:
        broken.setattr(Athena, "unload", unload)
        with pytest.raises(AthenaError, match="globex 2026"):
            pulse.build_reports()
    assert {tenant: state(pulse, tenant).owed for tenant in TENANTS} == {
        "acme": frozenset(),
        "globex": frozenset({day(5)}),
        "initech": frozenset(),
    }
    held = HeldRuns(pulse.settings.table).read("scores")
    assert {len(runs) for runs in held.days.values()} == {1}
    assert [responses(pulse, tenant) for tenant in TENANTS] == [41, 40, 41]
    # more comes for the same tenant, whose turn has not come again
    post(pulse, "globex", 6, name="more")
    post(pulse, "acme", 6, name="more")
    pulse.write()
    pulse.build_daily()
    assert pulse.build_reports().rewritten == (("acme", 2026),)
    assert state(pulse, "globex").owed == {day(5), day(6)}
    stage = BuildReports.from_settings(pulse.settings)
    assert stage.run(remaining_s=lambda: 900.0, impatient=True).rewritten == (("globex", 2026),)
    assert state(pulse, "globex").owed == frozenset()
    assert [responses(pulse, tenant) for tenant in TENANTS] == [42, 42, 41]


def test_an_older_run_that_nobody_can_read_makes_all_its_tenants_count_as_changed(
    pulse: Driver,
) -> None:
    (run,) = {runs for runs in HeldRuns(pulse.settings.table).read("scores").days.values()}
    prefix = f"{lake.run_prefix(lake.SCORES, run[0])}dt={day(7)}/"
    for key in pulse.objects(prefix):
        Objects(pulse.settings.lake_bucket).put(key, b"no Parquet")
    post(pulse, "acme", 7, name="more")
    pulse.write()
    pulse.build_daily()
    assert sorted(pulse.build_reports().rewritten) == [(tenant, 2026) for tenant in TENANTS]
    assert [responses(pulse, tenant) for tenant in TENANTS] == [41, 40, 40]


@pytest.mark.only_whole
def test_a_day_that_was_named_and_never_shown_is_built_by_the_next_one(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build has died between naming a day and showing it, or another build is between them."""
    post(pulse, "acme", 50, name="first")
    pulse.write()
    pulse.build_daily()

    def die(*_: Any, **__: Any) -> None:
        raise RuntimeError("died")

    with monkeypatch.context() as dying:
        dying.setattr(Comparison, "compare", die)
        with pytest.raises(RuntimeError, match="died"):
            pulse.build_reports()
    assert checked(pulse) == "waiting"
    assert pulse.build_reports().rewritten == (("acme", 2026),)
    assert (responses(pulse, "acme"), checked(pulse)) == (41, "ok")


@pytest.mark.only_whole
def test_a_day_that_a_record_lacks_is_shown_once_it_is_built_again(pulse: Driver) -> None:
    """A former version leaves such a record when a build dies; the day's rows have not changed."""
    post(pulse, "acme", 50, name="first")
    pulse.write()
    pulse.build_daily()
    run = Catalog(pulse.settings.database).partitions("daily_scores")[day(50)].run
    held = HeldRuns(pulse.settings.table)
    held.put(held.read("scores"), 2026, {day(50): (run,)})
    pulse.build_reports()
    assert (responses(pulse, "acme"), checked(pulse)) == (40, "failed")
    pulse.build_daily(day(50), day(50))
    assert pulse.build_reports().rewritten == (("acme", 2026),)
    assert (responses(pulse, "acme"), checked(pulse)) == (41, "ok")


@pytest.mark.only_whole
def test_a_year_whose_runs_a_former_version_has_named_is_named_as_a_text(pulse: Driver) -> None:
    runs, records = HeldRuns(pulse.settings.table), Records(pulse.settings.table)
    held = runs.read("scores")
    former = {str(one): list(some) for one, some in held.days.items()}
    names, values = {"#days": "days"}, {":days": former}
    expression = "SET #days = :days REMOVE runs"
    records.update("REPORTS#scores", "2026", expression, names=names, values=values)
    assert runs.read("scores") == replace(held, former=frozenset({2026}))
    post(pulse, "acme", 3, name="more")
    pulse.build()
    found = runs.read("scores")
    assert (found.former, found.days.keys()) == (frozenset(), held.days.keys())
    assert {one for one, some in found.days.items() if some != held.days[one]} == {day(3)}
    assert (responses(pulse, "acme"), checked(pulse)) == (41, "ok")


@pytest.mark.only_whole
def test_a_record_of_before_whose_objects_are_gone_is_built_anew(pulse: Driver) -> None:
    """This happens after the table was restored to an earlier moment."""
    before = state(pulse, "acme")
    gone = Part("01J00000000000000000000000", before.parts[0].days, before.parts[0].sizes)
    wrong = YearState((gone,), "before", before.as_of_us, before.first_day, 7)
    pulse.tenants.set_year("acme", "scores", 2026, wrong, before=before)
    for ago in range(1, 4):  # so many that the part is folded with them
        post(pulse, "acme", *range(1, 41), name=f"more{ago}-")
        pulse.build()
    assert responses(pulse, "acme") == 160
    assert checked(pulse) == "ok"


def count_bots_again(pulse: Driver, tenant: str) -> None:
    """Let a roll-up of the tenant's year count bots, as versions made it that knew of no others."""
    objects, before = Objects(pulse.settings.lake_bucket), state(pulse, tenant)
    (part,) = before.parts
    cube, by_channel = ROLLUPS["scores"][0], named(lake.SCORES, "day-metric-scale-survey-channel")
    rows = rows_of_part(objects, lake.SCORES, tenant, 2026, part, cube)
    body = encode(lake.SCORES, by_channel, roll_up(lake.SCORES, by_channel, rows))
    objects.put(lake.part_key(lake.SCORES, tenant, 2026, part.run, by_channel.name), body)
    sizes = {CUBE: 2**30, by_channel.name: len(body)}
    former = replace(before, parts=(replace(part, sizes=sizes),), revision=before.revision + 1)
    pulse.tenants.set_year(tenant, "scores", 2026, former, before=before)


@pytest.mark.only_whole
def test_years_whose_roll_ups_count_bots_are_laid_anew_a_few_at_a_time(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(pulse, "globex", 3, 4, 5, name="bot", user_agent="Googlebot/2.1")
    pulse.build()
    for tenant in TENANTS:
        count_bots_again(pulse, tenant)
    assert responses(pulse, "globex") == 40
    assert checked(pulse) == "ok"
    monkeypatch.setattr(writing, "SMALL", 0)  # so that every part has roll-ups
    monkeypatch.setattr(build, "MOST_OUTDATED", 1)
    for night, laid_anew in enumerate([["acme"], ["acme", "globex"], [*TENANTS], [*TENANTS]]):
        post(pulse, "acme", 0, name=f"night{night}-")
        pulse.build()
        found = {tenant: state(pulse, tenant).parts for tenant in TENANTS}
        leave_bots_out = [t for t in TENANTS if all(part.leaves_bots_out for part in found[t])]
        assert leave_bots_out == laid_anew
    assert [part.sizes["bots"] for part in found["initech"]] == [0]
    assert [part.sizes["bots"] > 0 for part in found["globex"]] == [True]
    assert {tenant: responses(pulse, tenant) for tenant in TENANTS} == {
        "acme": 44,
        "globex": 40,
        "initech": 40,
    }
    of_bots = pulse.report("globex", "nps", f"{WHOLE}&device=bot")["totals"]
    assert [row["responses"] for row in of_bots] == [3]
    assert checked(pulse) == "ok"


@pytest.mark.only_whole
def test_a_tenant_whose_years_are_folded_has_one_part_and_no_other_object(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "fold", lambda levels, changed: parts.Fold(0, 0))
    for ago in (3, 9):
        post(pulse, "acme", ago, name="more")
        pulse.build()
    assert len(state(pulse, "acme").parts) == 3
    content = state(pulse, "acme").content
    Folding.from_settings(pulse.settings).fold("acme")
    (part,) = state(pulse, "acme").parts
    assert state(pulse, "acme").content == content
    prefix = lake.part_prefix(lake.SCORES, "acme", 2026, part.run)
    assert {key.startswith(prefix) for key in pulse.objects("reports/scores/tenant=acme/")} == {
        True
    }
    assert responses(pulse, "acme") == 42
    assert pulse.build_reports().rewritten == ()


@pytest.mark.only_whole
def test_a_build_does_not_name_an_object_that_folding_has_removed(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An erasure folds parts between a build's PUT and its change of the record."""
    real = YearWriter.write

    def write(self: YearWriter, *what: Any, **given: Any) -> WriteResult:
        written = real(self, *what, **given)
        monkeypatch.undo()
        Folding.from_settings(pulse.settings).fold("acme")
        return written

    post(pulse, "acme", 3, name="more")
    pulse.write()
    pulse.build_daily()
    monkeypatch.setattr(YearWriter, "write", write)
    assert pulse.build_reports().rewritten == (("acme", 2026),)
    assert (responses(pulse, "acme"), checked(pulse)) == (41, "ok")
