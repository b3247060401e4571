"""Statements on Athena, through awswrangler: every one ends in time or is stopped.

Only the builders import this module: awswrangler brings pandas with it.
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

MOST_BYTES = 262_144
"""What Athena takes as a statement, encoded as UTF-8; it offers no larger quota."""
RESERVE_S = 180.0
"""No statement is begun with less time than this left: the rest is for a run of its own."""
_POLL_S = (0.05, 0.1, 0.2, 0.5, 1.0)
_LEFT_TO_STOP_S = 20.0
_OUT_OF_ORDER = ("InternalServerException", "ThrottlingException", "TooManyRequestsException")
"""Athena's answers to whoever should come again."""


class Athena:
    """One Glue database, asked through one workgroup (which says where results go)."""

    def __init__(self, database: str, workgroup: str) -> None:
        if boto3.DEFAULT_SESSION is None:
            # awswrangler would make one for every call, and read all that botocore knows again
            boto3.setup_default_session()
        self._database = database
        self._workgroup = workgroup

    def rows(
        self, sql: str, params: Mapping[str, Any], *, remaining_s: Remaining
    ) -> list[dict[str, Any]]:
        """The rows of a SELECT as dicts; `:name` in it stands for a parameter's literal.

        Raises AthenaError if it is too long, and with Athena's reason if it does not succeed in
        the time left.
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
        """Write a SELECT's rows as Parquet below `target`, an s3:// prefix with nothing in it.

        Rows lie under `partition=VALUE/`, at most lake.PARTITION_LIMIT of them, or all together
        where there is no partition. Raises AthenaError if it is too long, and with Athena's reason
        if it does not succeed in the time left.
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
        """Begin a statement; its id."""
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
    """Why an execution came to its end, and whether it might succeed another time."""
    reason = status.get("StateChangeReason", "Athena gave no reason")
    told = status.get("AthenaError", {})
    # somebody who cancels a statement says nothing about its rows
    retryable = status["State"] == "CANCELLED" or told.get("Retryable", False)
    return AthenaError(f"{status['State']}: {reason}", retryable=retryable)


def statement_text(sql: str, params: Mapping[str, Any]) -> str:
    """The statement as Athena gets it, with each `:name` replaced by its parameter's literal.

    Raises AthenaError if it is longer than Athena takes: nothing has been asked then.
    """
    # awswrangler's own, with which it would do the same, but show the text to nobody
    text = _process_sql_params(sql, dict(params))
    size = len(text.encode())
    if size > MOST_BYTES:
        begin = " ".join(sql.split())[:60]  # without values, which an event may have held
        raise AthenaError(
            f"the statement that begins with {begin!r} has {size:,} bytes with its values, and "
            f"Athena takes {MOST_BYTES:,}: fewer values have to go into one"
        )
    return text
