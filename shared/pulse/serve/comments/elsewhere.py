"""Comments of more months than a process holds: Athena narrows them to those that may be found."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from pulse import lake
from pulse.comments.month import SCHEMA, Moments, Month
from pulse.comments.search import Search
from pulse.days import DateRange
from pulse.serve.comments.comments_query import CommentsQuery
from pulse.serve.comments.found import AT_ONCE, ByPersons, Narrowed, Persons, too_many
from pulse.serve.comments.narrowing import COUNT, MOST_GROUPS, Narrowing
from pulse.serve.cursors import fingerprint
from pulse.serve.statements import WAIT_S, Question, Statements, outdated, patience, rows_in
from pulse.serve.years import Admit
from pulse.tenants.own_dimensions import tag_value

_END = 256 * 2**10
"""So many bytes are read from the end of a month's object: its footer is shorter."""


@dataclass(frozen=True)
class Elsewhere:
    """Asks Athena for a caller; `admit` counts each statement against the caller's limits."""

    statements: Statements
    admit: Admit
    wait_s: float = WAIT_S

    def narrowed(
        self, tenant: str, keys: Sequence[str], dates: DateRange, asked: CommentsQuery, most: int
    ) -> Narrowed:
        """The comments that may be found in the months with these keys, as far as there are any.

        Raises UnprocessableError for more than `most`, and what Statements.rows raises;
        UnavailableError too where a month has changed meanwhile.
        """
        months = self._months(keys)
        if not months:  # they have gone meanwhile
            return Narrowed(SCHEMA.empty_table(), {}, [])
        narrowing = _narrowing(self.statements.objects.bucket, [*months], dates, asked)
        if not narrowing.narrows:
            raise too_many(most)
        statement = narrowing.statement(most)
        etags = {key: etag for key, (etag, _) in months.items()}
        name = fingerprint(statement.sql, statement.parameters, etags)
        check = partial(self._check_unchanged, keys, etags)
        question = Question(tenant, name, statement, check)
        bodies = self.statements.rows(question, self.admit, patience(self.wait_s))
        schema = _schema(narrowing.tags)
        read = (rows_in(body).select(schema.names).cast(schema) for body in bodies)
        found = pa.concat_tables([schema.empty_table(), *read])
        of_people = pc.not_equal(found[COUNT], pa.scalar(0, pa.int64()))
        rows = found.filter(pc.invert(of_people)).select(SCHEMA.names)
        counts = found.filter(of_people)
        if len(rows) > most or len(counts) > MOST_GROUPS:
            raise too_many(most)
        by_persons = _by_persons(counts, narrowing.tags, asked)
        return Narrowed(rows, by_persons, [moments for _, moments in months.values()])

    def _months(self, keys: Sequence[str]) -> dict[str, tuple[str, Moments]]:
        """By its key each month that there is: its ETag, and as of when its days are."""
        objects = self.statements.objects
        with ThreadPoolExecutor(AT_ONCE) as pool:
            ends = list(pool.map(lambda key: objects.end_unless_gone(key, _END), keys))
        return {
            key: (end[1], Month.moments_in(end[0]))
            for key, end in zip(keys, ends, strict=True)
            if end is not None
        }

    def _check_unchanged(self, keys: Sequence[str], etags: Mapping[str, str]) -> None:
        """Raise unless the months are those that the statement is named by."""
        now = {key: etag for key, (etag, _) in self._months(keys).items()}
        if now != etags:
            raise outdated()


def _narrowing(
    bucket: str, keys: Sequence[str], dates: DateRange, asked: CommentsQuery
) -> Narrowing:
    filters = {n: held for n, held in asked.filters.items() if n in lake.COMMENT_COLUMNS}
    return Narrowing(
        paths=[(lake.month_of_comments(key), f"s3://{bucket}/{key}") for key in keys],
        dates=dates,
        filters=filters,
        tags=sorted(asked.filters.keys() - filters.keys()),
        scores=sorted(asked.scores),
        held=Search.parse(asked.text).held,
    )


def _by_persons(counts: pa.Table, tags: Sequence[str], asked: CommentsQuery) -> ByPersons:
    """How many comments pass the filters, whatever words they have, by whom they are about."""
    found = {names: Counter[Persons]() for names in asked.counted_by}
    for row in counts.to_pylist():
        brought = {key: row[f"tag{place}"] or "" for place, key in enumerate(tags)}
        if all(asked.filters[key].holds(tag_value(brought, key)) for key in tags):
            for names, counts_of in found.items():
                counts_of[tuple(row[name] for name in names)] += row[COUNT]
    return found


def _schema(tags: Sequence[str]) -> pa.Schema:
    """The columns of what Athena returns."""
    own = [pa.field(f"tag{place}", pa.string()) for place in range(len(tags))]
    return pa.schema([*SCHEMA, *own, pa.field(COUNT, pa.int64())])
