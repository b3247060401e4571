"""The comments that a question finds, out of the months that hold its days, in columns."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pulse import days, lake
from pulse.comments.month import SCHEMA, Moments, Month
from pulse.comments.search import Search
from pulse.days import DateRange
from pulse.errors import UnprocessableError
from pulse.filters import Condition
from pulse.serve.comments.comments_query import PERSONS, CommentsQuery
from pulse.serve.cursors import fingerprint
from pulse.store.objects import Objects
from pulse.tenants.own_dimensions import tag_value
from pulse.tenants.rules import Rule, Segment

MOST_READ = 1_000_000
"""A process can hold so many comments. Of more, Athena reads those that may be found."""
AT_ONCE = 8  # objects in flight
_WITHHELD = pa.field("withheld", pa.bool_())
Persons = tuple[str | None, ...]
ByPersons = Mapping[tuple[str, ...], Counter[Persons]]
"""Numbers of comments by the values of dimensions of people (CommentsQuery.counted_by)."""
_NEWEST_FIRST: Any = [("answered_us", "descending"), ("response_id", "descending")]
_HIGHEST_SCORE = 10


@dataclass(frozen=True)
class FoundComments:
    """Comments, the newest first, and what they were read from."""

    rows: pa.Table
    """The columns of month.SCHEMA, and `withheld`: True where one of PERSONS is not to be told."""
    content: str
    """A fingerprint of what the months were built from: it changes with every comment of theirs."""
    withheld: int = 0
    """How many are left out because few have written about those whom the question asks about."""
    by_athena: bool = False
    """Whether the months were too large, and Athena has narrowed them."""

    @property
    def linked(self) -> int:
        """How many of the rows are linked to an interaction."""
        return len(self.rows) - int(self.rows["media_type"].null_count)

    def newest(self, most: int) -> "FoundComments":
        """The same with at most so many rows; the others no longer take memory."""
        # a slice would hold on to what it does not show
        first = self.rows.take(np.arange(min(most, len(self.rows))))
        return replace(self, rows=first)

    def of_segment(self, segment: Segment) -> pa.Table:
        """The rows whose score is in this part of its scale."""
        return self.rows.filter(pa.array(_segments(self.rows) == segment))

    def parted(self, dimension: str, condition: Condition) -> tuple[pa.Table, pa.Table]:
        """The rows for which the condition holds, and the others."""
        theirs = _hold(_values(self.rows, dimension), condition)
        return self.rows.filter(theirs), self.rows.filter(pc.invert(theirs))

    def lowest_first(self) -> pa.Table:
        """The rows from the worst score on, whatever its scale; of equal ones the newest first."""
        return self.rows.take(np.argsort(_by_score(self.rows, _height), kind="stable"))


def shown(rows: pa.Table) -> Iterator[dict[str, Any]]:
    """Each row as a reply tells it."""
    names = ("survey", "metric", "scale", "score", "channel", "agent", "country", "browser")
    for row in rows.to_pylist():
        yield {
            "answered_at": days.iso(row["answered_us"]),
            **{name: row[name] for name in names},
            "os": row["os"],
            "device": row["device"],
            "segment": _rule(row["metric"], row["scale"]).segment(row["score"]),
            "comment": row["comment"],
            "tags": dict(row["tags"] or ()),
            "response_id": row["response_id"],
            "interaction_id": row["interaction"],
            "experience": _experience(row),
            "withheld": row["withheld"],
        }


def _experience(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the customer went through; None where no interaction is linked."""
    if row["media_type"] is None:
        return None
    return {name: row[name] for name in lake.COMMENT_EXPERIENCE}


@dataclass(frozen=True)
class Narrowed:
    """What Athena leaves of months that are too large: the rows that the question may find."""

    rows: pa.Table
    """Every comment of the days that passes the filters of columns and that may hold the words."""
    by_persons: ByPersons
    """How many comments of the days pass the filters, whatever words they have."""
    moments: Sequence[Moments]
    """As of when the months' days are."""


Narrow = Callable[[str, Sequence[str], DateRange, CommentsQuery, int], Narrowed]
"""Narrows the months of a tenant, given by their keys, to at most so many comments."""


@dataclass(frozen=True)
class _Part:
    """What a question finds in one month, or in all of them."""

    rows: pa.Table
    by_persons: ByPersons
    """How many comments of the days pass the filters, whatever words they have."""


def read(
    objects: Objects,
    tenant: str,
    dates: DateRange,
    asked: CommentsQuery,
    min_sample: int,
    narrow: Narrow,
    *,
    most: int = MOST_READ,
) -> FoundComments:
    """The tenant's comments of some days.

    Whoever has fewer of them than `min_sample` in one of PERSONS is not named there by any reply: a
    question about that dimension finds none of these comments, every other question finds them
    without the name. Where `min_sample` is 0, all are named. Months that have more than `most`
    comments are narrowed by `narrow`: raises what that raises.
    """
    keys = [lake.comments_key(tenant, month) for month in _months(dates)]
    bodies = _bodies(objects, keys, most)
    parts: list[_Part] = []
    moments: list[Moments] = []
    if bodies is None:
        narrowed = narrow(tenant, keys, dates, asked, most)
        rows = _matching(_passing(narrowed.rows, asked), asked)
        parts.append(_Part(rows, narrowed.by_persons))
        moments += narrowed.moments
    for body in bodies or ():  # one after another, so that only one is in memory whole
        month = Month.decode(body)
        parts.append(_part(month, dates, asked))
        moments.append(month.as_of_us)
    by_persons: dict[tuple[str, ...], Counter[Persons]] = defaultdict(Counter)
    for part in parts:
        for names, counts in part.by_persons.items():
            by_persons[names].update(counts)
    few = {
        name: frozenset(
            who for (who,), n in by_persons[(name,)].items() if who is not None and n < min_sample
        )
        for name in PERSONS
    }
    rows = pa.concat_tables([SCHEMA.empty_table(), *(part.rows for part in parts)])
    for name in asked.persons:
        rows = rows.filter(pc.invert(_among(rows[name], few[name])))
    rows = _without(rows, few)
    withheld = sum(
        n
        for persons, n in by_persons[asked.persons].items()
        if any(who in few[name] for name, who in zip(asked.persons, persons, strict=True))
    )
    content = fingerprint([sorted((str(day), us) for day, us in one.items()) for one in moments])
    return FoundComments(rows.sort_by(_NEWEST_FIRST), content, withheld, bodies is None)


def no_comments() -> FoundComments:
    """What is found where there are no comments."""
    return FoundComments(_without(SCHEMA.empty_table(), {}), "")


def too_many(most: int) -> UnprocessableError:
    """The error of a question about more comments than a process holds, even when narrowed."""
    message = (
        f"The question leaves more than {most:,} comments, segments, tags and excluded words not "
        "counted: ask for fewer days, or filter them by words, scores or other dimensions."
    )
    return UnprocessableError("too_many_comments", message)


def _bodies(objects: Objects, keys: Sequence[str], most: int) -> list[bytes] | None:
    """The objects that there are; None where they have more than `most` comments."""
    found: list[bytes] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for first in range(0, len(keys), AT_ONCE):
            some = pool.map(objects.get_unless_gone, keys[first : first + AT_ONCE])
            found += [body for body in some if body is not None]
            if sum(map(Month.rows_in, found)) > most:
                return None
    return found


def _months(dates: DateRange) -> Iterator[date]:
    """The first day of each month that the days touch."""
    month = dates.start.replace(day=1)
    while month <= dates.end:
        yield month
        month = (month.replace(day=28) + 4 * days.ONE_DAY).replace(day=1)


def _part(month: Month, dates: DateRange, asked: CommentsQuery) -> _Part:
    """What the question finds in one month."""
    rows = _passing(_of_days(month.rows, dates), asked)
    by_persons = {names: _counts(rows, names) for names in asked.counted_by}
    return _Part(_matching(rows, asked), by_persons)


def _counts(rows: pa.Table, names: Sequence[str]) -> Counter[Persons]:
    """How many rows have each of the values that occur together."""
    counted = rows.group_by([*names], use_threads=False).aggregate([([], "count_all")])
    values = zip(*(counted[name].to_pylist() for name in names), strict=True)
    return Counter(dict(zip(values, counted["count_all"].to_pylist(), strict=True)))


def _of_days(rows: pa.Table, dates: DateRange) -> pa.Table:
    """The rows of these days. A filter copies what it leaves, so there is none where all are."""
    days_of: Any = rows["day"]
    earliest, latest = pc.min(days_of).as_py(), pc.max(days_of).as_py()
    if earliest is None or (dates.start <= earliest and latest <= dates.end):
        return rows
    first, last = (pa.scalar(day, pa.date32()) for day in (dates.start, dates.end))
    return rows.filter(pc.and_(pc.greater_equal(days_of, first), pc.less_equal(days_of, last)))


def _passing(rows: pa.Table, asked: CommentsQuery) -> pa.Table:
    """The rows that pass the filters of dimensions."""
    for name, condition in asked.filters.items():
        rows = rows.filter(_hold(_values(rows, name), condition))
    return rows


def _matching(rows: pa.Table, asked: CommentsQuery) -> pa.Table:
    """The rows with one of the scores, of one of the parts of the scale and with the words.

    What the question does not ask for leaves no row out.
    """
    if asked.scores:
        rows = rows.filter(
            pc.is_in(rows["score"], value_set=pa.array(list(asked.scores), pa.int32()))
        )
    if asked.segments:
        rows = rows.filter(pa.array(np.isin(_segments(rows), list(asked.segments))))
    if asked.text:
        search = Search.parse(asked.text)
        found = [search.finds(comment) for comment in texts(rows)]
        rows = rows.filter(pa.array(found, pa.bool_()))
    return rows


def texts(rows: pa.Table) -> list[str]:
    """What the rows' customers wrote."""
    found: list[Any] = rows["comment"].to_pylist()
    return found


def _without(rows: pa.Table, few: Mapping[str, frozenset[str]]) -> pa.Table:
    """The rows with `withheld`; those of these people do not tell who served the customer."""
    withheld = pa.chunked_array([pa.repeat(pa.scalar(False), len(rows))])
    for name, people in few.items():
        theirs = _among(rows[name], people)
        rows = _replaced(rows, name, theirs)
        withheld = pc.or_(withheld, theirs)
    return _replaced(rows, "interaction", withheld).append_column(_WITHHELD, withheld)


def _replaced(rows: pa.Table, name: str, hidden: Any) -> pa.Table:
    """The rows without what a column has where `hidden`."""
    told = pc.if_else(hidden, pa.scalar(None, pa.string()), rows[name])
    return rows.set_column(rows.schema.get_field_index(name), name, told)


def _among(column: Any, values: Iterable[str | None]) -> Any:
    """Of each value whether it is one of these."""
    return pc.is_in(column, value_set=pa.array([*values], column.type))


def _values(rows: pa.Table, dimension: str) -> Any:
    """The column of a dimension, also of one that is a tag."""
    if dimension in rows.schema.names:
        return rows[dimension]
    # each text that occurs is looked at once, however many comments have it
    sent = pc.map_lookup(rows["tags"].combine_chunks(), dimension, "last").dictionary_encode()
    told = [tag_value({dimension: text}, dimension) for text in sent.dictionary.to_pylist()]
    return pa.array(told, pa.string()).take(sent.indices)


def _hold(column: Any, condition: Condition) -> Any:
    """Of each value whether the condition holds for it; None is a value like any other."""
    among = _among(column, condition.values)
    return pc.invert(among) if condition.negated else among


@cache
def _rule(metric: str, scale: str) -> Rule:
    return Rule.parse(metric, scale)


def _segments(rows: pa.Table) -> npt.NDArray[Any]:
    """Of each row the part of its scale that the score is in."""
    return _by_score(rows, Rule.segment)


def _height(rule: Rule, score: int) -> float:
    """How good a score is, from 0 to 1, whatever the scale."""
    above = rule.high - score if rule.lower_is_better else score - rule.low
    return above / (rule.high - rule.low)


def _by_score(rows: pa.Table, tell: Callable[[Rule, int], Any]) -> npt.NDArray[Any]:
    """Of each row what follows from its metric, scale and score."""
    metric, metrics = _encoded(rows["metric"])
    scale, scales = _encoded(rows["scale"])
    places = (metric * len(scales) + scale) * (_HIGHEST_SCORE + 1) + rows["score"].to_numpy()
    present, of_row = np.unique(places, return_inverse=True)
    told = []
    for place in present.tolist():
        rule, score = divmod(place, _HIGHEST_SCORE + 1)
        first, second = divmod(rule, len(scales))
        told.append(tell(_rule(metrics[first], scales[second]), score))
    return np.array(told)[of_row] if told else np.empty(0)


def _encoded(column: Any) -> tuple[npt.NDArray[np.int64], list[str]]:
    """The column as places in a list of its values."""
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()
