"""The comments that a question finds, out of the months that hold its days."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from pulse import days, lake
from pulse.comments.month import Month
from pulse.comments.search import Search
from pulse.days import DateRange
from pulse.errors import UnprocessableError
from pulse.filters import Filters
from pulse.serve.comments.asked import Asked
from pulse.serve.cursors import fingerprint
from pulse.store.objects import Objects
from pulse.tenants.own_dimensions import value_of
from pulse.tenants.rules import Rule, Segment

MOST_READ = 300_000
"""A question about days with more comments than these is refused."""
_AT_ONCE = 8  # objects in flight


@dataclass(frozen=True)
class Comment:
    """A row: what an answer told and said."""

    row: dict[str, Any]
    withheld: bool = False
    """True where its agent is not to be told."""

    @property
    def segment(self) -> Segment:
        """The part of its scale that the score is in."""
        return _rule(self.row["metric"], self.row["scale"]).segment(self.row["score"])

    @property
    def height(self) -> float:
        """How good the score is, from 0 to 1, whatever the scale."""
        rule = _rule(self.row["metric"], self.row["scale"])
        share: float = (self.row["score"] - rule.low) / (rule.high - rule.low)
        return 1 - share if rule.lower_is_better else share

    def value(self, dimension: str) -> str | None:
        """The answer's value of a dimension, also of one that is a tag."""
        if dimension in self.row:
            found: str | None = self.row[dimension]
            return found
        return value_of(_tags(self.row["tags"]), dimension)

    @property
    def shown(self) -> dict[str, Any]:
        """As a reply tells it."""
        row = self.row
        names = ("survey", "metric", "scale", "score", "channel", "agent", "country", "browser")
        return {
            "answered_at": days.iso(row["answered_us"]),
            **{name: row[name] for name in names},
            "os": row["os"],
            "device": row["device"],
            "segment": self.segment,
            "comment": row["comment"],
            "tags": _tags(row["tags"]),
            "response_id": row["response_id"],
            "interaction_id": row["interaction"],
            "withheld": self.withheld,
        }

    def without_agent(self) -> "Comment":
        """The same, whoever served the customer."""
        return Comment({**self.row, "agent": None, "interaction": None}, withheld=True)


def _tags(stored: Any) -> dict[str, str]:
    """Tags as Arrow has them."""
    return dict(stored.as_py() or ())


@cache
def _rule(metric: str, scale: str) -> Rule:
    return Rule.parse(metric, scale)


@dataclass(frozen=True)
class Found:
    """Comments, the newest first, and what they were read from."""

    comments: Sequence[Comment]
    content: str
    """Another one where any comment of the months has changed."""
    withheld: int = 0
    """How many are left out because few have written about their agent."""


NOTHING = Found((), "")


def read(objects: Objects, tenant: str, dates: DateRange, asked: Asked, min_sample: int) -> Found:
    """The tenant's comments of some days.

    Of an agent with fewer of them than `min_sample` (0: whoever it is) none is found by a question
    about agents, and the agent is not told by any other. Raises UnprocessableError above
    MOST_READ.
    """
    keys = [lake.comments_key(tenant, month) for month in _months(dates)]
    months = [Month.decode(body) for body in _bodies(objects, keys)]
    held = [Comment(row) for month in months for row in _of(month, dates, asked.filters)]
    few = _few(held, min_sample)
    told = [one.without_agent() if one.row["agent"] in few else one for one in held]
    shown = [one for one in told if not (one.withheld and asked.tells_agents)]
    search = Search.parse(asked.text)
    passing = [one for one in shown if _passes(one, asked, search)]
    passing.sort(key=lambda one: (one.row["answered_us"], one.row["response_id"]), reverse=True)
    return Found(
        passing,
        fingerprint([sorted((str(d), us) for d, us in m.as_of_us.items()) for m in months]),
        len(told) - len(shown),
    )


def _bodies(objects: Objects, keys: Sequence[str]) -> list[bytes]:
    """The objects that there are. Raises UnprocessableError before more than MOST_READ are held."""
    found: list[bytes] = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for first in range(0, len(keys), _AT_ONCE):
            some = pool.map(objects.get_unless_gone, keys[first : first + _AT_ONCE])
            found += [body for body in some if body is not None]
            if sum(map(Month.rows_in, found)) > MOST_READ:
                message = f"These months have more than {MOST_READ:,} comments: ask for fewer days."
                raise UnprocessableError("too_many_comments", message)
    return found


def _months(dates: DateRange) -> Iterator[date]:
    """The first day of each month that the days touch."""
    month = dates.start.replace(day=1)
    while month <= dates.end:
        yield month
        month = (month.replace(day=28) + 4 * days.ONE_DAY).replace(day=1)


def _of(month: Month, dates: DateRange, filters: Filters) -> Iterator[dict[str, Any]]:
    """The rows of these days that pass the filters; their tags are as Arrow has them."""
    for batch in month.rows.to_batches():
        columns: dict[str, Any] = {
            name: batch.column(name) if name == "tags" else batch.column(name).to_pylist()
            for name in batch.schema.names
        }
        for place, day in enumerate(columns["day"]):
            if dates.start <= day <= dates.end and all(
                condition.holds(_value(columns, name, place)) for name, condition in filters.items()
            ):
                yield {name: column[place] for name, column in columns.items()}


def _value(columns: Mapping[str, Any], dimension: str, place: int) -> str | None:
    """A row's value of a dimension: in its column, or among the tags."""
    if dimension in columns:
        found: str | None = columns[dimension][place]
        return found
    return value_of(_tags(columns["tags"][place]), dimension)


def _few(comments: Iterable[Comment], min_sample: int) -> frozenset[str]:
    """The agents about whom fewer have written."""
    counts = Counter(one.row["agent"] for one in comments)
    return frozenset(agent for agent, n in counts.items() if agent is not None and n < min_sample)


def _passes(one: Comment, asked: Asked, search: Search) -> bool:
    if asked.segments and one.segment not in asked.segments:
        return False
    if asked.scores and one.row["score"] not in asked.scores:
        return False
    return search.finds(one.row["comment"])
