"""Months of comments: which links stay, and which go, when days are replaced or events erased."""

from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest

from pulse.comments.month import SCHEMA, Month

DAY = date(2026, 11, 20)
BEFORE, LONG_BEFORE = DAY - timedelta(days=2), DAY - timedelta(days=30)
LINK = {"media_type": "chat", "handled_by": "mia", "accept": "late", "wait": "1-2min"}


def comment(response: str = "r-1", entered: date | None = None, **more: Any) -> dict[str, Any]:
    """A comment of the day about interaction T-1, linked if its interaction `entered` some day."""
    link = LINK | {"entered_on": str(entered)} if entered else {}
    known = {"day": DAY, "answered_us": 5, "response_id": response, "interaction": "T-1"}
    return known | {"survey": "email", "key_kind": "secret", "comment": "slow"} | link | more


def rows(*found: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(found, SCHEMA)


def linked(table: pa.Table) -> dict[str, str | None]:
    """By response, the day on which its interaction entered."""
    found = {row["response_id"]: row for row in table.to_pylist()}
    for row in found.values():
        assert (row["entered_on"] is None) == (row["media_type"] is None) == (row["wait"] is None)
    return {response: row["entered_on"] for response, row in found.items()}


def test_links_to_past_days_stay_where_none_is_found_anew() -> None:
    month = Month(rows(comment("r-1", LONG_BEFORE), comment("r-2", BEFORE), comment("r-3")))
    new = rows(*map(comment, ("r-4", "r-3", "r-2", "r-1")))
    kept = month.with_links_to([LONG_BEFORE], new)
    assert kept.schema == SCHEMA
    assert linked(kept) == {"r-1": str(LONG_BEFORE), "r-2": None, "r-3": None, "r-4": None}
    assert kept.slice(3).to_pylist() == rows(comment("r-1", LONG_BEFORE)).to_pylist()
    assert month.with_links_to([], new) is new


def test_a_link_that_is_found_anew_prevails() -> None:
    month = Month(rows(comment("r-1", LONG_BEFORE)))
    assert linked(month.with_links_to([LONG_BEFORE], rows(comment("r-1", BEFORE)))) == {
        "r-1": str(BEFORE)
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"interaction": "T-2"},
        {"interaction": None},
        {"answered_us": 6},
        {"survey": "phone"},
        {"key_kind": "publishable"},
    ],
)
def test_an_answer_that_is_another_by_now_keeps_no_link(changed: dict[str, Any]) -> None:
    month = Month(rows(comment("r-1", LONG_BEFORE)))
    kept = month.with_links_to([LONG_BEFORE], rows(comment("r-1", **changed)))
    assert linked(kept) == {"r-1": None}


def test_what_interactions_of_some_days_tell_goes_and_the_comments_stay() -> None:
    before = rows(comment("r-1", LONG_BEFORE), comment("r-2", BEFORE), comment("r-3"))
    month = Month(before, {DAY: 7, BEFORE: 9})
    gone = month.unlinked([BEFORE], [DAY, BEFORE], 8)
    assert gone.rows.schema == SCHEMA
    assert linked(gone.rows) == {"r-1": str(LONG_BEFORE), "r-2": None, "r-3": None}
    assert gone.rows["comment"] == before["comment"]
    assert gone.as_of_us == {DAY: 8, BEFORE: 9}


def test_a_build_that_read_before_links_went_brings_none_back() -> None:
    gone = Month(rows(comment("r-1", BEFORE))).unlinked([BEFORE], [DAY], 8)
    assert linked(gone.replaced([DAY], rows(comment("r-1", BEFORE)), 7).rows) == {"r-1": None}
    assert linked(gone.replaced([DAY], rows(comment("r-1", BEFORE)), 9).rows) == {
        "r-1": str(BEFORE)
    }
    # also on a day that had no links then
    nothing = Month().unlinked([BEFORE], [DAY], 8)
    assert linked(nothing.replaced([DAY], rows(comment("r-1", BEFORE)), 7).rows) == {}
