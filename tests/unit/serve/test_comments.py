"""How many comments and words a page holds, and how much is in memory at once."""

from collections.abc import Sequence
from datetime import date
from itertools import islice, permutations
from typing import Any

import pyarrow as pa
import pytest

from pulse.comments.month import SCHEMA, Month
from pulse.days import DateRange
from pulse.errors import BadRequestError, ForbiddenError, UnprocessableError
from pulse.filters import Filters
from pulse.reports.registry import FAMILIES, Dimension, Report
from pulse.serve import query
from pulse.serve.comments import found
from pulse.serve.comments.comments_query import COMMENTS, CommentsQuery, parse
from pulse.serve.comments.found import MOST_READ, read
from pulse.serve.comments.routes import words_apart
from pulse.serve.cursors import Cursor
from pulse.serve.formats import to_json
from pulse.store.objects import Objects
from pulse.tenants.keys import Key

MOST_BYTES = 6 * 1024 * 1024
"""What Lambda lets out (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""
_NO_FILTERS: Filters = {}


def row(comment: str, score: int) -> dict[str, Any]:
    words_apart = {"metric": "nps", "scale": "0-10", "score": score, "comment": comment}
    return {"day": date(2026, 11, 20), "answered_us": 0, "tags": [], **words_apart}


def everything() -> CommentsQuery:
    report = Report("comments", "", "", FAMILIES["survey"], metrics=(), group_by=())
    nothing: frozenset[Any] = frozenset()
    return CommentsQuery(query.parse([], report), _NO_FILTERS, nothing, nothing, "", limit=50)


class Months(Objects):
    """Every month has the same comments."""

    def __init__(self, body: bytes) -> None:
        super().__init__("lake")
        self.body = body
        self.read: list[str] = []

    def get_unless_gone(self, key: str) -> bytes:
        self.read.append(key)
        return self.body


def test_a_tag_that_is_called_as_what_interactions_tell_is_no_filter_of_comments() -> None:
    """It was declared before interactions told that, and is a dimension of reports on answers."""
    tags = tuple(Dimension(name, name, "", open=True) for name in ("accept", "team"))
    key = Key("", "secret", "acme", 0)
    asked = parse([("accept", "late"), ("team", "north")], COMMENTS, key, tags)
    assert {name: {*found.values} for name, found in asked.filters.items()} == {
        "accept": {"late"},
        "team": {"north"},
    }
    with pytest.raises(BadRequestError):  # what the tag may be, and no interaction
        parse([("accept", "by post")], COMMENTS, key, tags)
    bound = Key("", "report", "acme", 0, filters={"accept": ("by post",)}, comments=True)
    with pytest.raises(ForbiddenError):
        parse([], COMMENTS, bound, tags)


def test_a_cursor_reaches_every_comment_that_a_question_may_have() -> None:
    cursor = Cursor("question", "rows", MOST_READ - 1)
    assert Cursor.parse(cursor.text()) == cursor


def narrow(
    tenant: str, keys: Sequence[str], dates: DateRange, asked: CommentsQuery, most: int
) -> found.Narrowed:
    """Stands for Athena, which is asked about every month, and finds too many."""
    assert (tenant, len(keys)) == ("acme", 121)
    raise found.too_many(most)


def test_of_more_comments_than_a_question_may_have_hardly_any_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = pa.Table.from_pylist([row("slow", 1), row("quick", 9)], SCHEMA)
    months = Months(Month(rows).encode())
    monkeypatch.setattr(Month, "decode", lambda body: pytest.fail("a month was read whole"))
    decade = DateRange(date(2016, 1, 1), date(2026, 1, 1))
    with pytest.raises(UnprocessableError, match="leaves more than 3"):
        read(months, "acme", decade, everything(), 0, narrow, most=3)
    assert len(months.read) < 10


def test_words_that_tell_stand_by_strength_and_equals_by_the_alphabet() -> None:
    bad = ["slow. late. again. slower"] * 20 + ["again"] * 10
    good = ["kind. fast. early. faster"] * 20 + ["fast"] * 10
    made = words_apart(bad, good, limit=3)
    told = {name: [one["term"] for one in made[name]["words"]] for name in ("first", "second")}
    assert told == {"first": ["again", "late", "slow"], "second": ["fast", "early", "faster"]}


def test_words_that_tell_fit_into_a_reply_with_the_comments_that_they_bring() -> None:
    words = ["".join(letters) for letters in islice(permutations("абвгдежз", 7), 1_000)]
    bad, good = (" ".join(some) for some in (words[:500], words[500:]))
    made = words_apart([bad] * 30, [good] * 30, limit=500)
    escaped = to_json(to_json(made)).encode()
    assert len(escaped) < MOST_BYTES
    assert min(len(made[name]["words"]) for name in ("first", "second")) > 100
