"""Starts Athena's statements and reads their state, without the libraries of the builders.

store/athena.py is for work that waits until its statement has ended. Here a statement may go on
when the request that started it has had its reply.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from pulse.errors import AthenaError
from pulse.store.clients import client

MOST_BYTES = 262_144
"""What Athena takes as a statement, encoded as UTF-8; it offers no larger quota."""

State = Literal["running", "done", "failed"]


@dataclass(frozen=True)
class Execution:
    """The state of a statement in Athena."""

    state: State
    reason: str = ""
    """Why it failed."""
    scanned_bytes: int = 0
    """The bytes that it has read so far."""


def unload_text(sql: str, target: str) -> str:
    """The statement that writes a query's rows as Parquet below an s3:// prefix."""
    return f"UNLOAD (\n{sql}\n) TO '{target}'\nWITH (format = 'PARQUET', compression = 'SNAPPY')"


class Executions:
    """One Glue database, queried through one workgroup, whose settings say where results go."""

    def __init__(self, database: str, workgroup: str) -> None:
        self._database = database
        self._workgroup = workgroup

    def unload(self, sql: str, parameters: Sequence[str], *, target: str, token: str) -> str:
        """Start to write a query's rows as Parquet below an s3:// prefix; return its execution id.

        `parameters` are literals for the query's `?`, in order. The same `token` (32 characters or
        more) starts only one execution, however often this is called. Raises AthenaError if Athena
        does not confirm the start.
        """
        given: dict[str, Any] = {"ExecutionParameters": list(parameters)} if parameters else {}
        try:
            reply = client("athena", fail_fast=True).start_query_execution(
                QueryString=unload_text(sql, target),
                ClientRequestToken=token,
                QueryExecutionContext={"Database": self._database},
                WorkGroup=self._workgroup,
                **given,
            )
        except ClientError as error:
            # without Athena's own message, which may quote a value of a caller's filter
            code = error.response["Error"]["Code"]
            raise AthenaError(f"not begun: {code}", retryable=True) from error
        except BotoCoreError as error:
            raise AthenaError(f"not begun: {type(error).__name__}", retryable=True) from error
        begun: str = reply["QueryExecutionId"]
        return begun

    def look(self, execution: str) -> Execution:
        """The state of a statement."""
        reply = client("athena", fail_fast=True).get_query_execution(QueryExecutionId=execution)
        found = reply["QueryExecution"]
        status = found["Status"]
        scanned = found.get("Statistics", {}).get("DataScannedInBytes", 0)
        if status["State"] == "SUCCEEDED":
            return Execution("done", scanned_bytes=scanned)
        if status["State"] in ("FAILED", "CANCELLED"):
            reason = status.get("StateChangeReason", "Athena gave no reason")
            return Execution("failed", f"{status['State']}: {reason}", scanned)
        return Execution("running", scanned_bytes=scanned)
