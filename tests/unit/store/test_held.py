"""Of two builders, one that read older runs publishes nothing after the other has finished."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from moto import mock_aws

from pulse import days, formats
from pulse.errors import ConflictError
from pulse.store.changes import Stand
from pulse.store.held import NOTHING, Builds, HeldRuns
from pulse.store.records import Records
from pulse.store.tenants import Tenants
from pulse.tenants.tenant import CUBE, Part, Tenant, YearState
from tests.account import make_table

NOW_US = days.to_us(datetime(2026, 1, 3, tzinfo=UTC))
DAY = date(2026, 1, 2)
OTHER = date(2025, 12, 31)
STATE = YearState(
    parts=(Part("R1", frozenset({DAY}), {CUBE: 9}, carried=4),),
    content="R1",
    as_of_us=1,
    first_day=DAY,
    revision=1,
    owed=frozenset({DAY}),
)


@pytest.fixture
def table() -> Iterator[str]:
    with days.clock(lambda: datetime(2026, 1, 3, tzinfo=UTC)), mock_aws():
        yield make_table()


def test_runs_are_named_under_the_number_that_was_read(table: str) -> None:
    runs = HeldRuns(table)
    before = runs.read("scores")
    assert before.days == {}
    first = runs.put(before, 2026, {DAY: ("R1",)})
    both = runs.put(first, 2025, {OTHER: ("R1", "R2")})
    assert runs.read("scores") == both
    assert (both.newest(DAY), both.newest(OTHER), both.newest(date(2026, 1, 3))) == (
        "R1",
        "R2",
        None,
    )
    assert runs.runs("scores") == both.days
    for outdated in (before, first):
        with pytest.raises(ConflictError):
            runs.put(outdated, 2026, {DAY: ("R3",)})
    assert runs.read("scores") == both
    assert runs.read("sessions").days == {}


def test_only_a_build_that_knows_all_says_when_it_was(table: str) -> None:
    runs = HeldRuns(table)
    runs.finish(runs.read("scores"), 5, seen=3, again_us=None, failing=0, unnoticed=0)
    assert runs.builds()["scores"] == Builds("scores", 0, 5, 3, NOW_US, unnoticed=0)
    first = runs.put(runs.read("scores"), 2026, {DAY: ("R1",)})
    assert runs.builds()["scores"].seen is None  # what has been seen is no longer all
    second = runs.put(first, 2026, {DAY: ("R1", "R2")})
    runs.finish(first, 6, seen=3, again_us=None, failing=0, unnoticed=0)
    assert runs.builds()["scores"] == replace(second.builds, as_of_us=5, seen_us=NOW_US)
    runs.finish(second, 7, seen=4, again_us=9, failing=2, unnoticed=1)
    assert runs.builds() == {"scores": Builds("scores", 2, 7, 4, NOW_US, 9, failing=2, unnoticed=1)}
    assert runs.read("scores").days == second.days


def test_notices_tell_all_once_a_build_has_looked_at_every_day(table: str) -> None:
    runs = HeldRuns(table)
    stand = Stand(published=5, unnoticed=2)
    assert not runs.read("scores").is_told_all(stand)
    runs.finish(runs.read("scores"), 5, seen=5, again_us=None, failing=0, unnoticed=2)
    held = runs.put(runs.read("scores"), 2026, {DAY: ("R1", "R2"), OTHER: ("R1",)})
    assert runs.read("scores").is_told_all(stand)
    assert held.unsettled == {DAY}
    assert not held.is_told_all(replace(stand, unnoticed=3))  # a builder gave none
    assert not replace(held, lacks_years=True).is_told_all(stand)
    runs.forget()
    assert not runs.read("scores").is_told_all(stand)


def test_days_of_another_format_were_never_built(
    table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = HeldRuns(table)
    runs.put(runs.read("scores"), 2026, {DAY: ("R1",)})
    monkeypatch.setattr(formats, "REPORT", formats.Format(formats.REPORT.number + 1))
    assert (runs.read("scores").days, runs.read("scores").lacks_years) == ({}, True)
    assert runs.runs("scores") == {DAY: ("R1",)}


def test_what_a_version_of_before_has_named_is_read(table: str) -> None:
    """So it is where that version comes back: it does not know the text, which stays as it was."""
    runs, records = HeldRuns(table), Records(table)
    held = runs.put(runs.read("scores"), 2026, {DAY: (NOTHING, "R1")})
    former = {str(DAY): ["R1", "R2"], "2026-01-03": ["R2"]}
    records.update(
        "REPORTS#scores", "2026", "SET #d = :days", names={"#d": "days"}, values={":days": former}
    )
    before = runs.read("scores")
    assert runs.runs("scores") == before.days
    assert before.days == {DAY: ("R1", "R2"), date(2026, 1, 3): ("R2",)}
    assert (before.builds, before.former) == (held.builds, frozenset({2026}))
    after = runs.put(before, 2026, {DAY: ("R2",)})
    assert runs.read("scores") == after
    assert after.days == {DAY: ("R2",), date(2026, 1, 3): ("R2",)}


def test_a_day_that_was_never_built_is_read_as_it_was_named(table: str) -> None:
    runs = HeldRuns(table)
    held = runs.put(runs.read("scores"), 2026, {DAY: (NOTHING, "R1", "R2")})
    assert runs.read("scores") == held
    assert held.days == {DAY: (NOTHING, "R1", "R2")}


def test_a_year_changes_only_as_it_was_read_and_within_the_fence(table: str) -> None:
    runs, tenants = HeldRuns(table), Tenants(table)
    tenants.create(Tenant("acme", "Acme"))
    old = runs.put(runs.read("scores"), 2026, {DAY: ("R1",)})
    now = runs.put(old, 2026, {DAY: ("R1", "R2")})
    with pytest.raises(ConflictError):
        tenants.set_year("acme", "scores", 2026, STATE, before=None, fence=old.fence)
    tenants.set_year("acme", "scores", 2026, STATE, before=None, fence=now.fence)
    wrong = [
        (old.fence, STATE),
        (now.fence, None),
        (now.fence, replace(STATE, revision=4)),
    ]
    for fence, before in wrong:
        with pytest.raises(ConflictError):
            tenants.set_year(
                "acme", "scores", 2026, replace(STATE, revision=2), before=before, fence=fence
            )
    with pytest.raises(ConflictError):
        tenants.set_year("gone", "scores", 2026, STATE, before=None, fence=now.fence)
    found = tenants.get("acme")
    assert found is not None
    assert found.table("scores").years == {2026: STATE}
