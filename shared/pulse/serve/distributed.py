"""Questions that no report object covers: Athena makes the roll-up that each of them needs.

statements.py says how such statements are begun, shared and waited for. They name the runs that
they read, so that no other rows can be taken for theirs.
"""

from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Self

from pulse import lake
from pulse.days import Remaining
from pulse.errors import GoneError, UnprocessableError
from pulse.serve.block import Block
from pulse.serve.cursors import fingerprint
from pulse.serve.distributed_sql import MOST_ROWS, TooManyRowsError, Wanted
from pulse.serve.statements import WAIT_S, Question, Statements, patience
from pulse.serve.years import Admit, Left, YearRows, not_rolled_up
from pulse.settings import ServeReportsSettings
from pulse.store.clients import client
from pulse.store.executions import Executions
from pulse.store.laid import LaidRows
from pulse.store.objects import Objects
from pulse.store.questions import Questions

BUDGET_BYTES = 100 * 2**20
_AT_ONCE = 8


@dataclass
class Distributed:
    """Answers what report objects cannot; the least recently used roll-ups leave the memory."""

    executions: Executions
    questions: Questions
    objects: Objects
    budget_bytes: int = BUDGET_BYTES
    wait_s: float = WAIT_S
    _kept: OrderedDict[str, Block] = field(default_factory=OrderedDict)

    @classmethod
    def from_settings(cls, settings: ServeReportsSettings) -> Self:
        """On the table, bucket and workgroup that template.yaml names."""
        client("athena", fail_fast=True)  # here, because clients cannot be made by threads at once
        return cls(
            Executions(settings.database, settings.workgroup),
            Questions(settings.table),
            Objects(settings.lake_bucket, fail_fast=True),
        )

    @property
    def statements(self) -> Statements:
        """What asks Athena."""
        return Statements(self.executions, self.questions, self.objects)

    def years(self, left: Sequence[Left], admit: Admit) -> list[YearRows]:
        """What the objects of a question do not tell, of each as one (see serve.years.Elsewhere).

        Raises what `block` raises. What has been made by then is there for whoever asks again.
        """
        asked = [Wanted.of(one.needs, laid_out(one)) for one in left]
        remaining_s = patience(self.wait_s)
        first_of = {wanted.tenant: wanted for wanted in reversed(asked)}
        if len(first_of) > 1:  # statements of several tenants run side by side
            for wanted in first_of.values():
                question = self._question(wanted)
                if question.name not in self._kept:
                    self.statements.begun(question, admit)
        return [
            YearRows(wanted.table, [wanted.piece(self.block(wanted, admit, remaining_s))], "athena")
            for wanted in asked
        ]

    def block(self, wanted: Wanted, admit: Admit, remaining_s: Remaining) -> Block:
        """The roll-up. `admit` counts a statement, and raises where that is one too many.

        Raises UnavailableError (503, with Retry-After) while it is not there, because this or
        another statement of the tenant still runs or it failed, UnprocessableError where the
        question is longer than Athena takes or makes more rows than can be held, and GoneError
        where rows that it is about have been removed: the tenant's record then names others.
        """
        question = self._question(wanted)
        if question.name not in self._kept:
            bodies = self.statements.rows(question, admit, remaining_s)
            self._kept[question.name] = _block(wanted, bodies)
        self._kept.move_to_end(question.name)
        block = self._kept[question.name]
        self._forget()
        return block

    def _question(self, wanted: Wanted) -> Question:
        check = partial(self._check_complete, wanted)
        return Question(wanted.tenant, _name(wanted), wanted.statement, check)

    def _check_complete(self, wanted: Wanted) -> None:
        """Raise GoneError unless all rows that the statement was to read were there throughout."""
        laid = LaidRows(self.objects)
        places = {
            lake.large_run_prefix(wanted.table, wanted.tenant, run): its_days
            for run, its_days in wanted.asked
        }
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            there = pool.map(laid.days, places)
        for (prefix, its_days), its_there in zip(places.items(), there, strict=True):
            if not its_there.issuperset(its_days):
                raise GoneError(f"days of {prefix} are no longer there")

    def _forget(self) -> None:
        size = sum(block.nbytes for block in self._kept.values())
        while size > self.budget_bytes and len(self._kept) > 1:
            _, block = self._kept.popitem(last=False)
            size -= block.nbytes


def _block(wanted: Wanted, bodies: Sequence[bytes]) -> Block:
    """The roll-up. Raises UnprocessableError where it has more rows than can be held."""
    try:
        return wanted.block(bodies)
    except TooManyRowsError as error:
        raise UnprocessableError(
            "too_many_rows",
            f"The question makes more than {MOST_ROWS:,} sums of a tenant as large as this: "
            "group by fewer dimensions, filter more, or ask for fewer days or longer periods.",
        ) from error


def laid_out(left: Left) -> dict[str, frozenset[date]]:
    """Where Athena finds the rows of the days that count: Wanted.laid.

    Raises UnavailableError where a part has days that are laid out nowhere.
    """
    found: dict[str, frozenset[date]] = {}
    for one in left.parts:
        missing = one.live
        for run, its_days in one.part.laid.items():
            found[run] = found.get(run, frozenset()) | its_days & one.live
            missing -= its_days
        if left.needs.days_of(missing):
            raise not_rolled_up(left)
    return {run: its_days for run, its_days in found.items() if its_days}


def _name(wanted: Wanted) -> str:
    """Names the statement: what it asks, of which runs and days, and what its rows are read as."""
    filters = {name: condition.shown() for name, condition in wanted.filters.items()}
    return fingerprint(wanted.statement.sql, wanted.statement.parameters, filters)
