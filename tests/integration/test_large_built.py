"""Large tenants from ingest to deletion: built, asked about, extended, cleaned up, erased.

The parameter stands at its least, so that two rows make a tenant a large one.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from pulse import lake
from pulse.errors import AthenaError
from pulse.store.athena import Athena
from pulse.tenant_years import large
from pulse.tenant_years.folding import Folding
from pulse.tenant_years.large import LargeTenants
from pulse.tenants.tenant import CUBE, UNTOLD, Part
from tests.driver import Driver, running
from tests.eraser import GONE, OTHER, World


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    with running(LargestTenantRows="1") as driver:
        yield driver


def part(world: World, tenant: str = "acme") -> Part:
    """The one part of the tenant's scores of this year."""
    found = world.driver.tenants.get(tenant)
    assert found
    (only,) = found.table("scores").years[2026].parts
    return only


def fill(world: World) -> None:
    for tenant in ("acme", "umbrella"):
        world.response(3, id="r-1", tenant=tenant, customer_id=GONE, agent_id="mia", country="DE")
        world.response(3, id="r-2", tenant=tenant, customer_id=OTHER, agent_id="bob", country="FR")
        world.response(40, id="r-3", tenant=tenant, customer_id=OTHER, agent_id="bob", country="DE")
    world.driver.build()


def by_agent(world: World, tenant: str = "acme") -> dict[tuple[str, str | None], int]:
    """Answers by agent and country in some days of each of several weeks, which Athena counts."""
    dates = f"start_date={world.day(41)}&end_date={world.day(2)}"
    reply = world.driver.report(
        tenant, "nps", f"{dates}&group_by=agent,country,browser,survey&granularity=week"
    )
    assert reply["meta"]["engine"] == "athena"
    return {(row["agent"], row["country"]): row["responses"] for row in reply["rows"]}


def test_a_tenant_that_is_large_is_built_and_answered(world: World) -> None:
    fill(world)
    assert part(world).laid
    assert CUBE not in part(world).sizes
    found = by_agent(world)
    assert found == {("mia", "DE"): 1, ("bob", "FR"): 1, ("bob", "DE"): 1}
    assert found == by_agent(world, "umbrella")
    assert world.responses() == 3
    world.check()


@pytest.mark.only_whole
def test_bots_that_are_too_many_for_one_object_are_counted_and_found_by_the_check(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large, "MOST_ROWS", 2)
    for number, agent in enumerate(["mia", "mia", "bob"]):
        bot = {"agent_id": agent, "country": ("DE", "FR")[number % 2]}
        world.response(3, id=f"r-{number}", user_agent="Googlebot/2.1", **bot)
    world.response(3, id="r-3", agent_id="mia", country="DE")
    world.driver.build()
    assert part(world).sizes["bots"] == UNTOLD
    for filters, people, bots in (("", 1, "3 "), ("&agent=mia", 1, "2 "), ("&agent=bob", 0, "1 ")):
        reply = world.driver.report("acme", "nps", f"preset=last_7_days{filters}")
        assert reply["meta"]["engine"] == "reports"
        assert sum(row["responses"] for row in reply["totals"]) == people
        (told,) = (w for w in reply["meta"]["warnings"] if w["code"] == "bots_left_out")
        assert told["message"].startswith(bots)
    world.check()


@pytest.mark.only_whole
def test_a_tenant_whose_owed_days_make_it_large_is_found_among_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Athena.unload

    def busy(self: Athena, sql: str, params: Any, **more: Any) -> None:
        if "daily_scores" in sql and "INSERT" not in sql:
            raise AthenaError("not now", retryable=True)
        real(self, sql, params, **more)

    with monkeypatch.context() as patched:
        patched.setattr(Athena, "unload", busy)
        with pytest.raises(AthenaError, match="not now"):
            fill(world)
    found = world.driver.tenants.get("acme")
    assert found
    assert len(found.table("scores").years[2026].owed) == 2
    world.driver.build()
    assert part(world).laid
    assert CUBE not in part(world).sizes
    assert by_agent(world) == by_agent(world, "umbrella")
    world.check()


@pytest.mark.only_whole
def test_late_answers_are_laid_out_and_the_other_days_stay_where_they_are(world: World) -> None:
    fill(world)
    before = part(world).laid
    assert by_agent(world)["mia", "DE"] == 1
    world.response(3, id="r-4", agent_id="mia", country="DE")
    world.response(20, id="r-5", agent_id="mia", country="FR")
    world.driver.build()
    after = part(world).laid
    kept = {run for run in after if run in before}
    assert len(kept) == len(before)
    assert {day for run in {*after} - kept for day in after[run]} == {
        day for day in part(world).days if str(day) in (world.day(3), world.day(20))
    }
    found = by_agent(world)
    assert found == {
        ("mia", "DE"): 2,
        ("bob", "FR"): 1,
        ("bob", "DE"): 1,
        ("mia", "FR"): 1,
    }
    assert world.responses() == 5
    world.check()


@pytest.mark.only_whole
def test_a_build_names_no_rows_that_an_erasure_has_removed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An erasure removes rows that no record names, when a build has just laid them out."""
    fill(world)
    real = LargeTenants.lay_out

    def lay_out(self: LargeTenants, *what: Any, **given: Any) -> dict[str, frozenset[date]]:
        laid = real(self, *what, **given)
        monkeypatch.undo()
        Folding.from_settings(world.driver.settings).fold("acme")
        return laid

    world.response(3, id="r-4", agent_id="mia", country="DE")
    assert world.driver.write() == []
    world.driver.build_daily()
    monkeypatch.setattr(LargeTenants, "lay_out", lay_out)
    world.driver.build_reports()
    assert {*part(world).laid} <= laid(world)
    assert by_agent(world)["mia", "DE"] == 2
    world.check()


@pytest.mark.only_whole
def test_what_the_record_names_no_more_is_removed_a_day_later(world: World) -> None:
    fill(world)
    old = {*part(world).laid}
    for ago in (3, 40):  # so that no day of the first runs counts
        world.response(ago, id=f"late-{ago}", agent_id="mia")
    world.driver.build()
    assert not old & {*part(world).laid}
    world.driver.housekeep()
    assert laid(world) == old | {*part(world).laid}
    world.now += timedelta(days=1, seconds=1)
    world.driver.housekeep()
    assert laid(world) == {*part(world).laid}
    world.driver.forget()
    assert by_agent(world)["mia", "DE"] == 1


def laid(world: World, tenant: str = "acme") -> set[str]:
    root = lake.large_tenant_prefix(lake.SCORES, tenant)
    return {key.removeprefix(f"{root}run=")[:26] for key in world.driver.objects(root)}


@pytest.mark.only_whole
def test_an_erasure_leaves_nothing_of_before(world: World) -> None:
    fill(world)
    assert by_agent(world)["mia", "DE"] == 1
    others = {*world.driver.objects("large/scores/tenant=umbrella/")}
    world.erase()
    assert by_agent(world) == {("bob", "FR"): 1, ("bob", "DE"): 1}
    assert laid(world) == {*part(world).laid}
    assert {*world.driver.objects("large/scores/tenant=umbrella/")} >= others
    holders = [key for key in world.holders("mia") if "tenant=umbrella" not in key]
    assert [key for key in holders if key.startswith(("large/", "questions/", "reports/"))] == []
    world.check()


@pytest.mark.only_whole
def test_of_a_deleted_tenant_nothing_is_left(world: World) -> None:
    fill(world)
    assert by_agent(world)
    world.driver.export_revenue()

    def rebuild() -> None:
        world.driver.build_daily()

    world.deletion.run(world.acme, with_finance=True, rebuild=rebuild)
    for prefix in ("large/", "questions/", "reports/"):
        assert [key for key in world.driver.objects(prefix) if "tenant=acme/" in key] == []
    assert by_agent(world, "umbrella")["mia", "DE"] == 1
