"""For tests: what the next executions come to, whatever they ask for.

    with next_executions(failed("GENERIC_INTERNAL_ERROR: ..."), passes(), stuck()):
        ...

The first StartQueryExecution within the block fails, the second runs as ever, the third stays
QUEUED; further ones run as ever. The plan lives in moto's backend of the account and region and
goes with it (and with the block), so it works for mock_aws and for a server of this process.
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
    """The state that an execution comes to. It executes before that only if `runs`."""

    state: State
    reason: str | None = None
    runs: bool = False
    only_columns: bool = False


def passes() -> Fault:
    """Nothing: the statement is executed as ever."""
    return Fault("SUCCEEDED", runs=True)


def failed(reason: str, *, after_writing: bool = False) -> Fault:
    """FAILED; `after_writing`: its objects stay behind on S3, as an UNLOAD's orphans do."""
    return Fault("FAILED", reason, runs=after_writing)


def cancelled() -> Fault:
    """CANCELLED by somebody, nothing written."""
    return Fault("CANCELLED", "Query cancelled by user")


def stuck() -> Fault:
    """QUEUED for ever, until StopQueryExecution."""
    return Fault("QUEUED")


def empty() -> Fault:
    """SUCCEEDED without a single row, as if there were no data."""
    return Fault("SUCCEEDED", runs=True, only_columns=True)


@contextmanager
def next_executions(
    *faults: Fault, region: str = "us-east-1", account: str = DEFAULT_ACCOUNT_ID
) -> Iterator[deque[Fault]]:
    """Plan the account's next executions; yields those faults that have not come to pass yet."""
    planned = _planned(athena_backends[account][region])
    planned.extend(faults)
    try:
        yield planned
    finally:
        planned.clear()


def next_fault(backend: Any) -> Fault:
    """The fault planned for the execution that starts now; it is taken off the plan."""
    planned = _planned(backend)
    return planned.popleft() if planned else passes()


def _planned(backend: Any) -> deque[Fault]:
    planned: deque[Fault] = backend.__dict__.setdefault("planned_faults", deque())
    return planned
