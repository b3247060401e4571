"""A notice stays until its builder is through, or must have died."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from pulse import days
from pulse.store.clients import client
from pulse.store.notices import Notices
from pulse.store.records import Records
from tests.account import make_table

NOW = datetime(2026, 1, 3, tzinfo=UTC)
DAYS = frozenset({date(2026, 1, 2), date(2025, 12, 31)})


@pytest.fixture
def table() -> Iterator[str]:
    with days.clock(lambda: NOW), mock_aws():
        yield make_table()


def test_a_notice_is_over_once_its_days_are_published(table: str) -> None:
    notices = Notices(table)
    given = notices.give("scores", DAYS)
    notices.give("sessions", [min(DAYS)], published=True)
    ((about,), (other,)) = (notices.read()[name] for name in ("scores", "sessions"))
    assert (about.table, about.id, about.days, about.is_over) == ("scores", given, DAYS, False)
    assert (other.days, other.is_over) == (frozenset({min(DAYS)}), True)
    notices.note_published("scores", given)
    (through,) = notices.read()["scores"]
    assert (through.days, through.is_over) == (DAYS, True)
    notices.remove([through, other])
    notices.remove([through])
    assert notices.read() == {}


def test_a_builder_that_is_not_through_after_an_hour_is_dead(table: str) -> None:
    notices = Notices(table)
    notices.give("scores", DAYS)
    (notice,) = notices.read()["scores"]
    with days.clock(lambda: NOW + timedelta(hours=1)):
        assert not notice.is_over
    with days.clock(lambda: NOW + timedelta(hours=1, microseconds=1)):
        assert notice.is_over


def test_a_builder_that_was_taken_for_dead_leaves_a_notice_of_no_days(table: str) -> None:
    notices = Notices(table)
    given = notices.give("scores", DAYS)
    notices.remove(notices.read()["scores"])
    notices.note_published("scores", given)
    (left,) = notices.read()["scores"]
    assert (left.days, left.is_over) == (frozenset(), True)
    notices.remove([left])
    assert notices.read() == {}


def test_two_builds_that_remove_a_notice_at_once_do_not_fail(
    table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB cancels a transaction over a record that another transaction is changing."""
    notices = Notices(table)
    notices.give("scores", DAYS, published=True)
    (notice,) = notices.read()["scores"]
    reasons = [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]
    error = {"Code": "TransactionCanceledException"}
    canceled: Any = {"Error": error, "CancellationReasons": reasons}

    def cancel(**_: Any) -> None:
        raise ClientError(canceled, "TransactWriteItems")

    with monkeypatch.context() as conflicting:
        conflicting.setattr(client("dynamodb"), "transact_write_items", cancel)
        notices.remove([notice])
    assert notices.read() == {"scores": [notice]}
    notices.remove([notice])
    assert notices.read() == {}


def test_any_number_of_notices_is_removed(table: str) -> None:
    notices = Notices(table)
    for _ in range(101):  # a transaction has a hundred changes at most
        notices.give("scores", DAYS)
    notices.remove(notices.read()["scores"])
    assert [*Records(table).scan("LEDGER")] == []
