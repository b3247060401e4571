"""Statements that Athena runs for readers, one of a tenant at a time.

Equal questions share a statement. A caller waits as long as HTTP allows; the statement runs on
after that, and whoever asks the same finds its rows. They answer the question until the rows change
that the statement has read. Its name is a fingerprint of the question and of these rows, so that no
other rows can be taken for its own.
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.parquet as pq

from pulse import lake
from pulse.days import Remaining
from pulse.errors import AthenaError, UnavailableError, UnprocessableError
from pulse.observe import count, logger
from pulse.serve.years import Admit
from pulse.store.executions import MOST_BYTES, Executions, unload_text
from pulse.store.objects import Objects
from pulse.store.questions import Questions, StatementRun

METRICS = ("AthenaQuestions", "AthenaQuestionsFailed", "AthenaQuestionBytes")
WEIGHT = 60
"""A statement counts as so many requests against the limits of its key and tenant."""
WAIT_S = 20.0
"""So long a caller waits: API Gateway allows 30 s for a reply, and docs/operations.md says 25 s."""
_POLL_S = (0.1, 0.2, 0.3, 0.5, 1.0)
_COME_BACK_S = 5
_AFTER_FAILURE_S = 60


@dataclass(frozen=True)
class Statement:
    """A query, and its `?` in order as the literals that Athena takes for them."""

    sql: str
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """A statement about one tenant's rows."""

    tenant: str
    name: str
    """A fingerprint of what is asked, and of which rows."""
    statement: Statement
    check: Callable[[], None]
    """Raises where the rows that the statement was to read were not there throughout."""


@dataclass(frozen=True)
class Statements:
    """Begins statements, waits for their end and reads the rows that they have written."""

    executions: Executions
    questions: Questions
    objects: Objects

    def rows(self, question: Question, admit: Admit, remaining_s: Remaining) -> list[bytes]:
        """The Parquet objects with the statement's rows. `admit` counts a statement that begins.

        Raises UnavailableError (503, with Retry-After) while they are not there, because this or
        another statement of the tenant still runs or it failed, UnprocessableError where the
        statement is longer than Athena takes, and what `check` of the question raises.
        """
        asked = self._wait(self.begun(question, admit), remaining_s)
        question.check()  # now that no statement reads them any more
        if asked.state == "failed":
            raise _failed(_AFTER_FAILURE_S)
        keys = self._keys(asked)
        if len(keys) != asked.objects:  # removed, as an erasure does it: ask anew
            self.questions.forget(asked)
            raise outdated()
        return [self.objects.get(key) for key in keys]

    def begun(self, question: Question, admit: Admit) -> StatementRun:
        """The statement, which may run or have ended; `admit` counts one that begins."""
        known = self.questions.get(question.tenant, question.name)
        return known or self._begin(question, admit)

    def _begin(self, question: Question, admit: Admit) -> StatementRun:
        """Begin the statement, as the tenant's only one.

        A statement that is longer than Athena takes is refused before it counts against limits.
        """
        asked = StatementRun(question.tenant, question.name, lake.ulid())
        statement = question.statement
        target = f"s3://{self.objects.bucket}/{_prefix(asked)}"
        if len(unload_text(statement.sql, target).encode()) > MOST_BYTES:
            raise _too_long()
        self._make_way(question.tenant)
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
        """Give back the tenant's turn if its statement has ended and nobody has noted that.

        Raises UnavailableError if the statement still runs.
        """
        running = self.questions.turn(tenant)
        if running is None:
            return
        if running.execution is None or self._looked(running).state == "running":
            raise _busy()

    def _wait(self, asked: StatementRun, remaining_s: Remaining) -> StatementRun:
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

    def _looked(self, asked: StatementRun) -> StatementRun:
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

    def _keys(self, asked: StatementRun) -> list[str]:
        """The keys of the objects with its rows; a statement without rows writes none."""
        return list(self.objects.keys(_prefix(asked)))


def rows_in(body: bytes) -> pa.Table:
    """The rows of one of the objects that a statement has written (Statements.rows)."""
    return pq.ParquetFile(pa.BufferReader(body)).read(use_threads=False)


def patience(seconds: float) -> Remaining:
    """Tells, whenever it is called, how many of these seconds are left; they begin now."""
    until = time.monotonic() + seconds
    return lambda: until - time.monotonic()


def _prefix(asked: StatementRun) -> str:
    return lake.question_prefix(asked.tenant, asked.name, asked.run)


def outdated() -> UnavailableError:
    """The error of a question whose rows have changed meanwhile."""
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
