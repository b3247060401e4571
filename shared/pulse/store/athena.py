"""Runs statements on Athena through awswrangler. Each ends in time or is cancelled.

Only builders import this module, because awswrangler imports pandas.
"""

import time
from collections.abc import Mapping
from itertools import chain, repeat
from typing import Any

import awswrangler as wr
import boto3
from awswrangler._sql_formatter import _process_sql_params
from botocore.exceptions import ClientError

from pulse.days import Remaining
from pulse.errors import AthenaError
from pulse.store.executions import MOST_BYTES

RESERVE_S = 180.0
"""With less time left no statement is started: the next invocation goes on."""
_POLL_S = (0.05, 0.1, 0.2, 0.5, 1.0)
_LEFT_TO_STOP_S = 20.0
_OUT_OF_ORDER = ("InternalServerException", "ThrottlingException", "TooManyRequestsException")
"""The errors of Athena after which a statement may be tried again."""


class Athena:
    """One Glue database, queried through one workgroup, whose settings say where results go."""

    def __init__(self, database: str, workgroup: str) -> None:
        if boto3.DEFAULT_SESSION is None:
            # otherwise awswrangler makes a session for every call, and reads botocore's files again
            boto3.setup_default_session()
        self._database = database
        self._workgroup = workgroup

    def rows(
        self, sql: str, params: Mapping[str, Any], *, remaining_s: Remaining
    ) -> list[dict[str, Any]]:
        """Run a SELECT and return its rows as dicts; `:name` in it is a parameter.

        Raises AthenaError if the statement is too long, and with Athena's reason if it fails or
        does not end in the time left.
        """
        query = self._run(sql, params, remaining_s)
        frame = wr.athena.get_query_results(query_execution_id=query)
        rows: list[dict[str, Any]] = frame.to_dict(orient="records")
        return rows

    def unload(
        self,
        sql: str,
        params: Mapping[str, Any],
        *,
        target: str,
        partition: str | None,
        remaining_s: Remaining,
    ) -> None:
        """Write a SELECT's rows as Parquet below `target`, an empty s3:// prefix.

        Rows are written under `partition=VALUE/`, with at most lake.PARTITION_LIMIT values, or all
        together if there is no partition. Raises AthenaError if the statement is too long, and with
        Athena's reason if it fails or does not end in the time left.
        """
        parted = f", partitioned_by = ARRAY['{partition}']" if partition else ""
        statement = (
            f"UNLOAD (\n{sql}\n) TO '{target}'\n"
            f"WITH (format = 'PARQUET', compression = 'SNAPPY'{parted})"
        )
        self._run(statement, params, remaining_s)

    def _run(self, sql: str, params: Mapping[str, Any], remaining_s: Remaining) -> str:
        query = self._start(sql, params)
        for wait_s in chain(_POLL_S, repeat(_POLL_S[-1])):
            status = wr.athena.get_query_execution(query_execution_id=query)["Status"]
            if status["State"] == "SUCCEEDED":
                return query
            if status["State"] in ("FAILED", "CANCELLED"):
                raise _error(status)
            if remaining_s() < _LEFT_TO_STOP_S:
                break
            time.sleep(wait_s)
        wr.athena.stop_query_execution(query_execution_id=query)
        raise AthenaError(
            f"stopped: the statement was {status['State']} when time ran out", retryable=True
        )

    def _start(self, sql: str, params: Mapping[str, Any]) -> str:
        """Start a statement; return its id."""
        try:
            query: str = wr.athena.start_query_execution(
                sql=statement_text(sql, params),
                database=self._database,
                workgroup=self._workgroup,
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in _OUT_OF_ORDER:
                raise
            raise AthenaError(f"not begun: {code}", retryable=True) from error
        return query


def _error(status: Mapping[str, Any]) -> AthenaError:
    """The error of an execution that failed or was cancelled; it says whether to try again."""
    reason = status.get("StateChangeReason", "Athena gave no reason")
    told = status.get("AthenaError", {})
    # that somebody cancelled a statement says nothing about its rows
    retryable = status["State"] == "CANCELLED" or told.get("Retryable", False)
    return AthenaError(f"{status['State']}: {reason}", retryable=retryable)


def statement_text(sql: str, params: Mapping[str, Any]) -> str:
    """The statement with each `:name` replaced by its parameter's literal.

    Raises AthenaError, before Athena is called, if it is longer than Athena takes.
    """
    # awswrangler's own function, called here because the text's length must be known
    text = _process_sql_params(sql, dict(params))
    size = len(text.encode())
    if size > MOST_BYTES:
        begin = " ".join(sql.split())[:60]  # without values, which may come from an event
        raise AthenaError(
            f"the statement that begins with {begin!r} has {size:,} bytes with its values, and "
            f"Athena takes {MOST_BYTES:,}: fewer values have to go into one"
        )
    return text
