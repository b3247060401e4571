"""Days that cannot be built are found, recorded and reported, and hold up no others."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from botocore.client import BaseClient

from local.athena.faults import cancelled, next_executions
from pulse import days, lake
from pulse.daily.build import BuildDaily
from pulse.errors import AthenaError, BuildCheckError
from pulse.raw import parquet
from pulse.sql import statement
from pulse.store.athena import Athena
from pulse.store.catalog import Catalog
from pulse.store.ledger import Entry, Ledger
from pulse.store.objects import Objects
from pulse.streams import STREAMS
from tests.driver import REGION, Driver, Reply
from tests.unbuilt import TODAY, YESTERDAY, calls, check, later, read, spoil, two_tenants, warned

pytestmark = pytest.mark.only_whole

AnyClient: Any = BaseClient
POISON = date(2026, 9, 10)


@pytest.fixture
def pulse() -> Iterator[Driver]:
    with two_tenants() as driver:
        yield driver


def poison(pulse: Driver) -> None:
    """8,500 interactions that took 36 years, as they may lie in raw from before there was a bound.

    Together they are more microseconds than a bigint holds.
    """
    entered_us = days.to_us(datetime(POISON.year, POISON.month, POISON.day, 12, tzinfo=UTC))
    row = dict.fromkeys(STREAMS["interactions"].columns) | {
        "tenant": "globex",
        "media_type": "email",
        "entered_us": entered_us,
        "updated_us": entered_us,
        "received_us": entered_us,
        "content_hash": "h",
        "accepted_us": entered_us + 36 * 365 * days.DAY,
    }
    rows = [row | {"interaction_id": f"p{number}"} for number in range(8_500)]
    key = lake.raw_key("interactions", POISON, lake.ulid())
    body = parquet.encode(rows, STREAMS["interactions"].columns)
    Objects(pulse.settings.lake_bucket).put(key, body)
    Ledger(pulse.settings.table).add("interactions", POISON)


def overflowing(folder: str, name: str) -> str:
    """The statements, with a sum that overflows as it did once."""
    text = statement(folder, name)
    bounded = "CAST(least(accept_us, 9223372036854775807) AS bigint)"
    if (folder, name) != ("daily", "interactions"):
        return text
    assert bounded in text
    return text.replace(bounded, "CAST(accept_us AS bigint)")


@pytest.fixture
def unloads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that were to write, as they are begun."""
    begun: list[str] = []
    real = AnyClient._make_api_call

    def note(self: Any, operation: str, kwargs: dict[str, Any]) -> Any:
        if operation == "StartQueryExecution" and kwargs["QueryString"].startswith("UNLOAD"):
            begun.append(kwargs["QueryString"])
        return real(self, operation, kwargs)

    monkeypatch.setattr(BaseClient, "_make_api_call", note)
    return begun


def entry(pulse: Driver, day: date, stream: str = "interactions") -> Entry:
    return Ledger(pulse.settings.table).entries(stream)[day]


def published(pulse: Driver, dataset: lake.Dataset = lake.INTERACTIONS) -> set[date]:
    return set(Catalog(pulse.settings.database).partitions(dataset.daily_table))


def entered(answer: Reply) -> int:
    return sum(row["entered"] for row in answer.json["rows"])


def test_a_day_that_poisons_its_statement_is_found_and_all_others_are_built(
    pulse: Driver,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    unloads: list[str],
) -> None:
    for tenant in ("acme", "globex"):
        pulse.post_interactions(tenant, calls(range(1, 101)))
    pulse.write()
    poison(pulse)
    monkeypatch.setattr("pulse.daily.build.statement", overflowing)
    with pytest.raises(AthenaError):
        pulse.build_daily()
    assert len(unloads) <= 1 + 2 * 7  # 100, 50, 25, 13, 7, 4, 2, 1 and the other halves
    assert len(published(pulse)) == 99
    assert POISON not in published(pulse)
    note = entry(pulse, POISON).unbuilt
    assert note is not None
    assert note.failing
    assert note.tries == 1
    assert [e.day for e in Ledger(pulse.settings.table).entries("interactions").values()
            if e.unbuilt] == [POISON]  # fmt: skip

    # readers are told, of ranges that have the day
    pulse.build_reports()
    far, near = "start_date=2026-08-01&end_date=2026-11-20", "preset=last_7_days"
    answer = read(pulse, far)
    ((code, message),) = warned(answer)
    assert (code, entered(answer)) == ("days_failing", 99)
    assert "2026-09-10." in message
    assert warned(read(pulse, near)) == []
    assert warned(read(pulse, "start_date=2026-09-11&end_date=2026-11-20")) == []
    compared = read(pulse, "start_date=2026-09-11&end_date=2026-09-11&compare=previous_period")
    assert [code for code, _ in warned(compared)] == ["days_failing"]

    # and whoever operates it
    found = check(pulse, "interactions: days built")
    assert found.state == "failed"
    assert note.reason in found.detail
    assert (found.rows[0]["day"], found.rows[0]["tries"]) == ("2026-09-10", 1)
    assert check(pulse, "daily_interactions = raw_interactions").state == "ok"

    # it holds up nothing, and is not looked for again
    unloads.clear()
    pulse.post_interactions("acme", calls(range(1, 51), "more"))
    pulse.write()
    with days.clock(lambda: TODAY + timedelta(minutes=30)):
        assert len(pulse.build_daily().built) == 50
        assert len(unloads) == 1
        pulse.build_reports()
    assert entered(read(pulse, far)) == 149

    # later it is tried again by itself, and fails again
    unloads.clear()
    with (
        days.clock(lambda: TODAY + timedelta(hours=1)),
        pytest.raises(AthenaError),
    ):
        pulse.build_daily()
    assert len(unloads) == 1
    with days.clock(lambda: TODAY + timedelta(hours=2, minutes=30)):
        assert pulse.build_daily().built == ()

    # mended, it is built, and nobody is told any more
    monkeypatch.setattr("pulse.daily.build.statement", statement)
    with days.clock(lambda: TODAY + timedelta(hours=3)):
        assert pulse.build_daily().built == (POISON,)
        pulse.build_reports()
    assert entry(pulse, POISON).unbuilt is None
    after = read(pulse, far, etag=answer.headers["ETag"])
    assert after.status == 200
    assert warned(after) == []
    assert check(pulse, "interactions: days built").state == "ok"


def test_a_reply_is_another_where_its_warnings_are(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The objects are the same, but a day can no longer be built."""
    pulse.post_interactions("acme", calls(range(1, 4)))
    pulse.build()
    before = read(pulse, "preset=last_7_days")
    etag = before.headers["ETag"]
    assert read(pulse, "preset=last_7_days", etag=etag).status == 304
    spoil(pulse, "interactions", YESTERDAY)
    pulse.post_interactions("globex", calls(range(30, 31)))
    pulse.write()
    with pytest.raises(AthenaError):
        pulse.build_daily()
    pulse.build_reports()
    after = read(pulse, "preset=last_7_days", etag=etag)
    assert after.status == 200
    assert after.json["rows"] == before.json["rows"]
    assert [code for code, _ in warned(after)] == ["days_failing"]


def test_an_object_of_no_bytes_is_no_row_and_keeps_nothing_from_being_built(pulse: Driver) -> None:
    Objects(pulse.settings.lake_bucket).put(lake.raw_prefix("interactions", POISON), b"")
    Ledger(pulse.settings.table).add("interactions", POISON)
    pulse.post_interactions("acme", calls(range(1, 2)))
    pulse.write()
    pulse.build_daily()
    assert published(pulse) == {YESTERDAY, POISON}


def test_a_day_of_which_athena_passes_over_what_nobody_can_read_is_left_out(pulse: Driver) -> None:
    hidden = lake.raw_prefix("interactions", POISON) + "_copied.parquet"
    Objects(pulse.settings.lake_bucket).put(hidden, b"no Parquet")
    Ledger(pulse.settings.table).add("interactions", POISON)
    pulse.post_interactions("acme", calls(range(1, 2)))
    pulse.write()
    with pytest.raises(BuildCheckError, match=f"{POISON}: .*{hidden} cannot be read"):
        pulse.build_daily()
    assert published(pulse) == {YESTERDAY}


def test_where_everything_fails_no_day_is_called_failing(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch, unloads: list[str]
) -> None:
    pulse.post_interactions("acme", calls(range(1, 101)))
    pulse.write()

    def refused(folder: str, name: str) -> str:
        return "SELECT nonsense FROM raw_interactions" if folder == "daily" else statement(
            folder, name
        )  # fmt: skip

    with monkeypatch.context() as patched:
        patched.setattr("pulse.daily.build.statement", refused)
        for night in range(3):
            with (
                days.clock(later(hours=24 * night)),
                pytest.raises(AthenaError, match="nonsense"),
            ):
                pulse.build_daily()
            assert len(unloads) <= 10 * (night + 1)
    notes = [e.unbuilt for e in Ledger(pulse.settings.table).entries("interactions").values()]
    assert len(notes) == 100
    assert [note for note in notes if note is None or note.failing] == []
    assert check(pulse, "interactions: days built").state == "waiting"
    pulse.build_reports()
    answer = read(pulse, "start_date=2026-08-01&end_date=2026-11-20")
    ((waiting, _), (code, message)) = [one for one in warned(answer) if one[0] != "nothing_built"]
    assert waiting == "first_events_waiting"
    assert code == "days_waiting"
    assert "2026-08-13 to 2026-11-20" in message
    assert len(pulse.build_daily().built) == 100
    pulse.build_reports()
    assert warned(read(pulse, "start_date=2026-08-01&end_date=2026-11-20")) == []


def test_a_statement_that_somebody_cancels_is_no_fault_of_the_rows(
    pulse: Driver, unloads: list[str]
) -> None:
    pulse.post_interactions("acme", calls(range(1, 9)))
    pulse.write()
    with next_executions(cancelled(), region=REGION), pytest.raises(AthenaError, match="CANCELLED"):
        pulse.build_daily()
    assert unloads == []
    note = entry(pulse, YESTERDAY).unbuilt
    assert note is not None
    assert (note.failing, note.tries) == (False, 0)
    assert len(pulse.build_daily().built) == 8


def test_athena_that_is_too_busy_to_begin_is_no_fault_of_the_rows(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse.post_interactions("acme", calls(range(1, 9)))
    pulse.write()
    real = AnyClient._make_api_call

    def busy(self: Any, operation: str, kwargs: dict[str, Any]) -> Any:
        if operation == "StartQueryExecution":
            told = {"Error": {"Code": "InternalServerException", "Message": "later"}}
            raise self.exceptions.from_code("InternalServerException")(told, operation)
        return real(self, operation, kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", busy)
        with pytest.raises(AthenaError, match="InternalServerException"):
            pulse.build_daily()
    note = entry(pulse, YESTERDAY).unbuilt
    assert note is not None
    assert (note.failing, note.tries) == (False, 0)
    assert len(pulse.build_daily().built) == 8


def test_a_day_that_is_the_only_one_is_called_failing_after_a_night(pulse: Driver) -> None:
    """As nothing else was built, Athena itself could be at fault until then."""
    pulse.post_interactions("acme", calls(range(1, 2)))
    pulse.write()
    spoil(pulse, "interactions", YESTERDAY)
    for hours, failing in ((0, False), (1, False), (21, True)):
        with days.clock(later(hours)):
            with pytest.raises(AthenaError):
                pulse.build_daily()
            note = entry(pulse, YESTERDAY).unbuilt
            assert note is not None
            assert note.failing == failing
            assert (note.tries > 2, note.since_us) == (failing, days.to_us(TODAY))


def test_of_two_builders_the_later_one_does_not_take_back_what_the_first_has_found(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second read the ledger before the first had built the other days."""
    pulse.post_interactions("acme", calls(range(1, 5)))
    pulse.write()
    spoil(pulse, "interactions", YESTERDAY)
    real, meanwhile = Ledger.entries, [pulse.build_daily]

    def entries(self: Ledger, stream: str, *range: date) -> Mapping[date, Entry]:
        found = real(self, stream, *range)
        if stream == "interactions" and meanwhile:
            with suppress(AthenaError):
                meanwhile.pop()()
        return found

    monkeypatch.setattr(Ledger, "entries", entries)
    with pytest.raises(AthenaError, match="2026-11-20: FAILED"):
        pulse.build_daily()
    note = entry(pulse, YESTERDAY).unbuilt
    assert note is not None
    assert (note.failing, note.tries) == (True, 1)


def test_what_fails_is_tried_by_hand_at_once(pulse: Driver, unloads: list[str]) -> None:
    pulse.post_interactions("acme", calls(range(1, 5)))
    pulse.write()
    key = spoil(pulse, "interactions", YESTERDAY)
    with pytest.raises(AthenaError):
        pulse.build_daily()
    assert pulse.build_daily().built == ()
    Objects(pulse.settings.lake_bucket).delete([key])
    stage = BuildDaily.from_settings(pulse.settings)
    built = stage.run(remaining_s=lambda: 900.0, impatient=True).built
    assert built == (YESTERDAY,)


def test_a_day_that_was_rewritten_is_tried_at_once(pulse: Driver) -> None:
    """An erasure rewrites days, and the rows that it removes must go from the built tables, too."""
    pulse.post_interactions("acme", calls(range(1, 5)))
    pulse.write()
    key = spoil(pulse, "interactions", YESTERDAY)
    with pytest.raises(AthenaError):
        pulse.build_daily()
    Objects(pulse.settings.lake_bucket).delete([key])
    Ledger(pulse.settings.table).add("interactions", YESTERDAY)
    assert pulse.build_daily().built == ()
    Ledger(pulse.settings.table).add("interactions", YESTERDAY, rewritten=True)
    assert pulse.build_daily().built == (YESTERDAY,)


@pytest.mark.parametrize("built_since", [True, False])
def test_a_builder_says_nothing_of_a_day_that_was_rewritten_since_it_read(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch, built_since: bool
) -> None:
    """A purge rewrites the day while a builder is still halving the statement that failed on it."""
    pulse.post_interactions("acme", calls(range(1, 5)))
    pulse.write()
    key = spoil(pulse, "interactions", YESTERDAY)
    real = Ledger.note_unbuilt

    def purge() -> None:
        Objects(pulse.settings.lake_bucket).delete([key])
        Ledger(pulse.settings.table).add("interactions", YESTERDAY, rewritten=True)
        if built_since:
            pulse.build_daily()

    meanwhile = [purge]

    def note_unbuilt(self: Ledger, *given: Any, **named: Any) -> None:
        if meanwhile:
            meanwhile.pop()()
        real(self, *given, **named)

    monkeypatch.setattr(Ledger, "note_unbuilt", note_unbuilt)
    with pytest.raises(AthenaError, match="2026-11-20: FAILED"):
        pulse.build_daily()
    assert entry(pulse, YESTERDAY).unbuilt is None
    assert pulse.build_daily().built == (() if built_since else (YESTERDAY,))


def test_a_day_whose_counts_do_not_add_up_holds_up_no_other(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse.post_interactions("acme", calls(range(1, 6)))
    pulse.write()
    real = Athena.rows

    def miscount(self: Athena, sql: str, *args: Any, **given: Any) -> list[dict[str, Any]]:
        rows = real(self, sql, *args, **given)
        wrong = "daily_interactions_runs" in sql
        return [
            row | {"events": 5} if wrong and row["dt"] == str(YESTERDAY) else row for row in rows
        ]

    with monkeypatch.context() as patched:
        patched.setattr(Athena, "rows", miscount)
        with pytest.raises(BuildCheckError, match="2026-11-20: 5 events built"):
            pulse.build_daily()
    assert published(pulse) == {YESTERDAY - timedelta(days=n) for n in range(1, 5)}
    note = entry(pulse, YESTERDAY).unbuilt
    assert note is not None
    assert not note.failing  # as while somebody is erased: the next run is right
    assert pulse.build_daily().built == (YESTERDAY,)


def test_time_that_runs_out_while_halving_is_used_up_by_the_next_run(
    pulse: Driver, unloads: list[str]
) -> None:
    pulse.post_interactions("acme", calls(range(1, 101)))
    pulse.write()
    spoil(pulse, "interactions", POISON)
    stage = BuildDaily.from_settings(pulse.settings)
    for _ in range(20):
        left = iter([900.0] * 3)
        before = published(pulse)
        with suppress(AthenaError):
            stage.run(remaining_s=lambda: next(left, 100.0))  # noqa: B023 - used up in the loop
        if len(published(pulse)) == 99:
            break
        assert published(pulse) >= before
    assert len(published(pulse)) == 99
    with suppress(AthenaError):
        pulse.build_daily()
    note = entry(pulse, POISON).unbuilt
    assert note is not None
    assert note.alone
