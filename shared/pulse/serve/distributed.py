"""Questions that no report object covers: Athena makes the roll-up that each of them needs.

A tenant has one such statement at a time, and equal questions share it. Who asks waits as long as
HTTP lets a caller wait; the statement goes on without the caller, and whoever asks next finds it.
Its roll-up answers the question until the rows change: the statement names the runs that it reads,
so that no other rows can be taken for it.
"""

import itertools
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Self

from pulse import lake
from pulse.days import Remaining
from pulse.errors import AthenaError, GoneError, UnavailableError, UnprocessableError
from pulse.observe import count, logger
from pulse.serve.block import Block
from pulse.serve.cursors import fingerprint
from pulse.serve.distributed_sql import MOST_ROWS, TooManyRowsError, Wanted
from pulse.serve.years import Admit, Left, YearRows, not_rolled_up
from pulse.settings import ServeReportsSettings
from pulse.store.clients import client
from pulse.store.executions import MOST_BYTES, Executions, unload_text
from pulse.store.laid import LaidRows
from pulse.store.objects import Objects
from pulse.store.questions import Questions, RollUpStatement

METRICS = ("AthenaQuestions", "AthenaQuestionsFailed", "AthenaQuestionBytes")
WEIGHT = 60
"""As so many requests a statement counts against the limits of its key and tenant."""
WAIT_S = 20.0
"""So long a caller waits: API Gateway gives an answer 30 s, and 25 is what we promise."""
BUDGET_BYTES = 100 * 2**20
_POLL_S = (0.1, 0.2, 0.3, 0.5, 1.0)
_AT_ONCE = 8
_COME_BACK_S = 5
_AFTER_FAILURE_S = 60


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

    def years(self, left: Sequence[Left], admit: Admit) -> list[YearRows]:
        """What the objects of a question do not tell, of each as one (see serve.years.Elsewhere).

        Raises what `block` raises. What has been made by then is there for whoever asks again.
        """
        asked = [Wanted.of(one.needs, laid_out(one)) for one in left]
        remaining_s = _patience(self.wait_s)
        first_of = {wanted.tenant: wanted for wanted in reversed(asked)}
        if len(first_of) > 1:  # statements of several tenants run side by side
            for wanted in first_of.values():
                name = _name(wanted)
                if name not in self._kept:
                    self._begun(wanted, name, admit)
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
        name = _name(wanted)
        if name not in self._kept:
            self._kept[name] = self._made(wanted, name, admit, remaining_s)
        self._kept.move_to_end(name)
        block = self._kept[name]
        self._forget()
        return block

    def _made(self, wanted: Wanted, name: str, admit: Admit, remaining_s: Remaining) -> Block:
        asked = self._wait(self._begun(wanted, name, admit), remaining_s)
        self._check_complete(wanted)  # now that no statement reads them any more
        if asked.state == "failed":
            raise _failed(_AFTER_FAILURE_S)
        keys = self._keys(asked)
        if len(keys) != asked.objects:  # removed, as an erasure does it: ask anew
            self.questions.forget(asked)
            raise _gone()
        try:
            return wanted.block([self.objects.get(key) for key in keys])
        except TooManyRowsError as error:
            raise UnprocessableError(
                "too_many_rows",
                f"The question makes more than {MOST_ROWS:,} sums of a tenant as large as this: "
                "group by fewer dimensions, filter more, or ask for fewer days or longer periods.",
            ) from error

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

    def _begun(self, wanted: Wanted, name: str, admit: Admit) -> RollUpStatement:
        """The statement, which may run or have ended."""
        return self.questions.get(wanted.tenant, name) or self._begin(wanted, name, admit)

    def _begin(self, wanted: Wanted, name: str, admit: Admit) -> RollUpStatement:
        """Begin the statement, as the tenant's only one.

        One that is longer than Athena takes is refused before it counts.
        """
        asked = RollUpStatement(wanted.tenant, name, lake.ulid())
        statement = wanted.statement
        target = f"s3://{self.objects.bucket}/{_prefix(asked)}"
        if len(unload_text(statement.sql, target).encode()) > MOST_BYTES:
            raise _too_long()
        self._make_way(wanted.tenant)
        admit()
        if not self.questions.take_turn(asked):
            raise _busy()
        try:
            execution = self.executions.unload(
                statement.sql,
                statement.parameters,
                target=target,
                token=f"{asked.run}-{asked.name}",
            )
        except AthenaError as error:
            self.questions.forget(asked)
            logger.error("a question's statement was not begun", extra={"error": str(error)})
            raise _failed(_COME_BACK_S) from error
        asked = replace(asked, execution=execution)
        self.questions.note_begun(asked)
        count("AthenaQuestions")
        return asked

    def _make_way(self, tenant: str) -> None:
        """Give back the turn of a statement that has ended unseen. Raises if one still runs."""
        running = self.questions.turn(tenant)
        if running is None:
            return
        if running.execution is None or self._looked(running).state == "running":
            raise _busy()

    def _wait(self, asked: RollUpStatement, remaining_s: Remaining) -> RollUpStatement:
        """The statement when it has ended. Raises UnavailableError if it runs on."""
        for poll in itertools.count():
            if asked.execution is None:  # somebody else is at beginning it
                asked = self.questions.get(asked.tenant, asked.name) or asked
            if asked.execution is not None and asked.state == "running":
                asked = self._looked(asked)
            if asked.state != "running":
                return asked
            wait_s = _POLL_S[min(poll, len(_POLL_S) - 1)]
            if remaining_s() < wait_s:
                break
            time.sleep(wait_s)
        raise UnavailableError(
            "still_computing",
            "A question about a tenant as large as this is still being worked out. "
            "Send the same request again: its answer is kept.",
            retry_after_s=_COME_BACK_S,
        )

    def _looked(self, asked: RollUpStatement) -> RollUpStatement:
        """The statement as Athena sees it now; its end is noted."""
        found = self.executions.look(asked.execution or "")
        if found.state == "running":
            return asked
        objects = len(self._keys(asked)) if found.state == "done" else 0
        asked = replace(asked, state=found.state, objects=objects)
        self.questions.end(asked)
        count("AthenaQuestionBytes", found.scanned_bytes)
        if found.state == "failed":
            count("AthenaQuestionsFailed")
            # not its reason: that may show a value of a caller's filter
            logger.error("a question's statement failed", extra={"execution": asked.execution})
        return asked

    def _keys(self, asked: RollUpStatement) -> list[str]:
        """The objects of its rows; a statement without rows writes none."""
        return list(self.objects.keys(_prefix(asked)))

    def _forget(self) -> None:
        size = sum(block.nbytes for block in self._kept.values())
        while size > self.budget_bytes and len(self._kept) > 1:
            _, block = self._kept.popitem(last=False)
            size -= block.nbytes


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


def _patience(seconds: float) -> Remaining:
    """The seconds that are left of these, from now on."""
    until = time.monotonic() + seconds
    return lambda: until - time.monotonic()


def _name(wanted: Wanted) -> str:
    """Names the statement: what it asks, of which runs and days, and what its rows are read as."""
    filters = {name: condition.shown() for name, condition in wanted.filters.items()}
    return fingerprint(wanted.statement.sql, wanted.statement.parameters, filters)


def _prefix(asked: RollUpStatement) -> str:
    return lake.question_prefix(asked.tenant, asked.name, asked.run)


def _gone() -> UnavailableError:
    return UnavailableError(
        "question_outdated",
        "The rows that this question is about have just changed. Send the same request again.",
        retry_after_s=1,
    )


def _too_long() -> UnprocessableError:
    return UnprocessableError(
        "question_too_long",
        f"About a tenant as large as this Athena is asked, in at most {MOST_BYTES:,} bytes, and "
        "each build that has some of the days takes every value of a filter once: filter by fewer "
        "values, or ask for fewer days.",
    )


def _busy() -> UnavailableError:
    return UnavailableError(
        "question_running",
        "Another question about this tenant is being worked out, and a tenant as large as this "
        "has one at a time. Send this request again.",
        retry_after_s=_COME_BACK_S,
    )


def _failed(retry_after_s: int) -> UnavailableError:
    return UnavailableError(
        "question_failed",
        "The question could not be worked out. Send the same request again later; "
        "fewer days, dimensions or groups make it smaller.",
        retry_after_s=retry_after_s,
    )
