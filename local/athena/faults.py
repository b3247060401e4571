"""For tests: lets the next executions end in a given way, whatever their statements are.

    with next_executions(failed("GENERIC_INTERNAL_ERROR: ..."), passes(), stuck()):
        ...

The first StartQueryExecution within the block fails, the second runs normally, the third stays
QUEUED, and all others run normally. The plan is kept in moto's backend of the account and region
until the end of the block, so it works for mock_aws and for a server in this process.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from moto.athena.models import athena_backends
from moto.core.models import DEFAULT_ACCOUNT_ID

State = Literal["SUCCEEDED", "FAILED", "CANCELLED", "QUEUED"]


@dataclass(frozen=True, slots=True)
class Fault:
    """The state in which an execution ends. It is executed only if `runs`."""

    state: State
    reason: str | None = None
    runs: bool = False
    only_columns: bool = False


def passes() -> Fault:
    """No fault: the statement is executed normally."""
    return Fault("SUCCEEDED", runs=True)


def failed(reason: str, *, after_writing: bool = False) -> Fault:
    """FAILED; with `after_writing` its objects stay on S3, as those of a failed UNLOAD do."""
    return Fault("FAILED", reason, runs=after_writing)


def cancelled() -> Fault:
    """CANCELLED by somebody, with nothing written."""
    return Fault("CANCELLED", "Query cancelled by user")


def stuck() -> Fault:
    """QUEUED for ever, until StopQueryExecution."""
    return Fault("QUEUED")


def empty() -> Fault:
    """SUCCEEDED without any row, as if there were no data."""
    return Fault("SUCCEEDED", runs=True, only_columns=True)


@contextmanager
def next_executions(
    *faults: Fault, region: str = "us-east-1", account: str = DEFAULT_ACCOUNT_ID
) -> Iterator[deque[Fault]]:
    """Plan the account's next executions; yields the faults that are still to come."""
    planned = _planned(athena_backends[account][region])
    planned.extend(faults)
    try:
        yield planned
    finally:
        planned.clear()


def next_fault(backend: Any) -> Fault:
    """Take the fault of the execution that starts now from the plan."""
    planned = _planned(backend)
    return planned.popleft() if planned else passes()


def _planned(backend: Any) -> deque[Fault]:
    planned: deque[Fault] = backend.__dict__.setdefault("planned_faults", deque())
    return planned
