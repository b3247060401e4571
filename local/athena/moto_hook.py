"""moto's Athena API, which executes statements.

StartQueryExecution executes the statement before it replies. So an execution is over when its id is
known: polls see its end, nothing outlives a mock, and StopQueryExecution only stops executions that
a test's fault left QUEUED.
"""

import json
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from moto.athena import models, responses
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from local.athena.engine import Caller, Engine, Outcome, Request, engine_name
from local.athena.faults import Fault, next_fault
from local.athena.objects import Copies
from local.athena.results import results_page
from local.athena.statement import MAX_STATEMENT_BYTES

if TYPE_CHECKING:
    from moto.athena.responses import AthenaResponse

MOST_CALLERS = 100

_Refusal = tuple[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class _Credentials:
    access_key: str
    secret_key: str
    token: str | None


class EmulatedExecution(models.Execution):
    """An execution in moto's backend. Its state is set here and not by moto's ManagedState."""

    status = "QUEUED"

    def __init__(
        self, query: str, context: Any, workgroup: Any, parameters: list[str] | None, output: str
    ) -> None:
        super().__init__(query, context, {}, workgroup, parameters)
        self.database = str((context or {}).get("Database") or "default").strip("`")
        self.output = output
        self.outcome = Outcome(f"{output}{self.id}.csv")

    def request(self, *, only_columns: bool) -> Request:
        """The request for the engine."""
        return Request(
            execution_id=self.id,
            text=self.query,
            parameters=self.execution_parameters or [],
            database=self.database,
            output=self.output,
            only_columns=only_columns,
        )

    def finish(self, fault: Fault) -> None:
        """Take the state of the outcome, unless the fault says otherwise."""
        self.status = fault.state
        self.outcome.reason = fault.reason or self.outcome.reason
        if fault.state == "SUCCEEDED" and self.outcome.reason:
            self.status = "FAILED"
        self.end_time = time.time()

    def stop(self) -> None:
        """Become CANCELLED, if it is still QUEUED."""
        if self.status == "QUEUED":
            self.finish(Fault("CANCELLED", "Query cancelled by user"))

    def described(self) -> dict[str, Any]:
        """The execution as GetQueryExecution shows it."""
        milliseconds = int((self.end_time - self.start_time) * 1000)
        statistics: dict[str, Any] = {
            "EngineExecutionTimeInMillis": milliseconds,
            "TotalExecutionTimeInMillis": milliseconds,
            "QueryQueueTimeInMillis": 0,
            "ServiceProcessingTimeInMillis": 0,
            "DataScannedInBytes": self.outcome.scanned_bytes,
            "ResultReuseInformation": {"ReusedPreviousResult": False},
        }
        if self.outcome.manifest:
            statistics["DataManifestLocation"] = self.outcome.manifest
        return {
            "QueryExecutionId": self.id,
            "Query": self.query,
            "StatementType": "DML",
            "ResultConfiguration": {"OutputLocation": self.outcome.output_location},
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
            "QueryExecutionContext": self.context or {},
            "Status": self._described_status(),
            "Statistics": statistics,
            "WorkGroup": self.workgroup.name if self.workgroup else "primary",
            "ExecutionParameters": self.execution_parameters or [],
            "EngineVersion": {"EffectiveEngineVersion": "Athena engine version 3"},
        }

    def _described_status(self) -> dict[str, Any]:
        status: dict[str, Any] = {"State": self.status, "SubmissionDateTime": self.start_time}
        if self.status != "QUEUED":
            status["CompletionDateTime"] = self.end_time
        if self.outcome.reason and self.status != "SUCCEEDED":
            status["StateChangeReason"] = self.outcome.reason
        if self.status == "FAILED":
            status["AthenaError"] = {
                "ErrorCategory": 2,
                "ErrorType": 0,
                "Retryable": False,
                "ErrorMessage": self.outcome.reason or "",
            }
        return status


class _Callers:
    """The clients of each caller, made once for an access key: the first of a kind takes 350 ms."""

    def __init__(self, endpoint_url: str | None) -> None:
        self.endpoint_url = endpoint_url
        self.session = boto3.Session()
        self._known: dict[tuple[_Credentials, str], Caller] = {}
        self._lock = threading.Lock()  # a session makes one client at a time

    def caller(self, backend: Any, access_key: str) -> Caller:
        """The owner of the access key, with clients of S3 and Glue that have his rights."""
        who = _credentials(backend, access_key)
        place = (who, backend.region_name)
        with self._lock:
            if place not in self._known:
                if len(self._known) >= MOST_CALLERS:  # each session of a role has a key of its own
                    self._known.clear()
                s3 = self._client("s3", who, backend.region_name)
                glue = self._client("glue", who, backend.region_name)
                self._known[place] = Caller(who.access_key, s3, glue)
            return self._known[place]

    def _client(self, service: Any, who: _Credentials, region: str) -> Any:
        return self.session.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=who.access_key,
            aws_secret_access_key=who.secret_key,
            aws_session_token=who.token,
            config=Config(retries={"max_attempts": 2}),
        )


def _credentials(backend: Any, access_key: str) -> _Credentials:
    """The access key's secret, as moto's IAM or STS issued it."""
    iam = iam_backends[backend.account_id][backend.partition]
    for user in iam.users.values():
        for key in user.access_keys:
            if key.access_key_id == access_key:
                return _Credentials(access_key, key.secret_access_key, None)
    for role in sts_backends[backend.account_id][backend.partition].assumed_roles:
        if role.access_key_id == access_key:
            return _Credentials(access_key, role.secret_access_key, role.session_token)
    return _Credentials(access_key, "unknown to IAM", None)


class _Api:
    """The handlers, each given moto's response object of the call."""

    def __init__(self, endpoint_url: str | None) -> None:
        self.engine = _engine()
        self.callers = _Callers(endpoint_url)

    def start_query_execution(self, call: "AthenaResponse") -> str | _Refusal:
        backend = call.athena_backend
        name = call._get_param("WorkGroup") or "primary"
        workgroup = backend.work_groups.get(name)
        if workgroup is None:
            return call.error(f"WorkGroup {name} is not found.", 400)
        text = call._get_param("QueryString") or ""
        if len(text.encode()) > MAX_STATEMENT_BYTES:
            return call.error(f"QueryString is longer than {MAX_STATEMENT_BYTES} bytes", 400)
        output = _output_location(workgroup.configuration, call._get_param("ResultConfiguration"))
        if not output:
            return call.error(
                "No output location provided. An output location is required either through the "
                "Workgroup result configuration setting or as an API input.",
                400,
            )
        tokens: dict[str, str] = backend.__dict__.setdefault("request_tokens", {})
        token = call._get_param("ClientRequestToken")
        if token in tokens:  # a retry of a start whose reply was lost
            return json.dumps({"QueryExecutionId": tokens[token]})
        execution = EmulatedExecution(
            text,
            call._get_param("QueryExecutionContext"),
            workgroup,
            call._get_param("ExecutionParameters"),
            output,
        )
        backend.executions[execution.id] = execution
        if token:
            tokens[token] = execution.id
        self._execute(execution, backend, call.get_access_key())
        return json.dumps({"QueryExecutionId": execution.id})

    def _execute(self, execution: EmulatedExecution, backend: Any, access_key: str) -> None:
        fault = next_fault(backend)
        if fault.runs:
            caller = self.callers.caller(backend, access_key)
            request = execution.request(only_columns=fault.only_columns)
            execution.outcome = self.engine.run(request, caller)
        if fault.state != "QUEUED":
            execution.finish(fault)

    def get_query_execution(self, call: "AthenaResponse") -> str | _Refusal:
        execution = _execution(call, call._get_param("QueryExecutionId"))
        if execution is None:
            return _not_found(call)
        return json.dumps({"QueryExecution": execution.described()})

    def batch_get_query_execution(self, call: "AthenaResponse") -> str:
        wanted = call._get_param("QueryExecutionIds")
        found = {i: e for i in wanted if (e := _execution(call, i))}
        missing = [
            {"QueryExecutionId": i, "ErrorCode": "NOT_FOUND", "ErrorMessage": "was not found"}
            for i in wanted
            if i not in found
        ]
        return json.dumps(
            {
                "QueryExecutions": [e.described() for e in found.values()],
                "UnprocessedQueryExecutionIds": missing,
            }
        )

    def get_query_results(self, call: "AthenaResponse") -> str | _Refusal:
        execution = _execution(call, call._get_param("QueryExecutionId"))
        if execution is None:
            return _not_found(call)
        if execution.status != "SUCCEEDED":
            return call.error(
                "Query has not yet finished. Current state: QUEUED"
                if execution.status == "QUEUED"
                else f"Query did not finish successfully. Final query state: {execution.status}",
                400,
            )
        outcome, size = execution.outcome, call._get_param("MaxResults")
        page = results_page(
            outcome.outputs, outcome.rows, call._get_param("NextToken"), int(size) if size else None
        )
        return json.dumps(page)

    def stop_query_execution(self, call: "AthenaResponse") -> str | _Refusal:
        execution = _execution(call, call._get_param("QueryExecutionId"))
        if execution is None:
            return _not_found(call)
        execution.stop()
        return "{}"


def _engine() -> Engine:
    """The engine that PULSE_ENGINE names, without importing the packages of the other."""
    copies = Copies()
    if engine_name() == "trino":
        from local.athena.trino import TrinoExecutor

        return Engine(TrinoExecutor(), copies)
    from local.athena.duck import DuckExecutor

    return Engine(DuckExecutor(copies), copies)


def _execution(call: "AthenaResponse", execution_id: str) -> EmulatedExecution | None:
    found = call.athena_backend.executions.get(execution_id)
    return found if isinstance(found, EmulatedExecution) else None


def _not_found(call: "AthenaResponse") -> _Refusal:
    return call.error(f"QueryExecution {call._get_param('QueryExecutionId')} was not found", 400)


def _output_location(configuration: dict[str, Any], asked: dict[str, Any] | None) -> str | None:
    """The prefix of results, with a slash: the workgroup's if it is enforced, else the caller's."""
    own = (configuration.get("ResultConfiguration") or {}).get("OutputLocation")
    given = (asked or {}).get("OutputLocation")
    enforced = configuration.get("EnforceWorkGroupConfiguration") and own
    location = own if enforced else given or own
    return f"{location.rstrip('/')}/" if location else None


_installed: dict[str, _Api] = {}


def install(endpoint_url: str | None = None) -> None:
    """Make moto's Athena in this process execute statements.

    `endpoint_url` is the address of moto's server; None for mocks in this process. To call it again
    changes nothing, except that another address replaces the first.
    """
    api = _installed.get("api")
    if api is None:
        api = _installed["api"] = _Api(endpoint_url)
        for name in (
            "start_query_execution",
            "get_query_execution",
            "batch_get_query_execution",
            "get_query_results",
            "stop_query_execution",
        ):
            setattr(responses.AthenaResponse, name, _handler(api, name))
    elif api.callers.endpoint_url != endpoint_url:
        api.callers = _Callers(endpoint_url)


def close() -> None:
    """Remove the engine's files. Nothing is executed afterwards."""
    if api := _installed.get("api"):
        api.engine.executor.close()
        api.engine.copies.remove()


def _handler(api: _Api, name: str) -> Any:
    def handle(call: "AthenaResponse") -> Any:
        return getattr(api, name)(call)

    handle.__name__ = name
    return handle
