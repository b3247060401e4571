"""Lambda: each function is a small pool of warm worker processes (local/worker.py).

A worker has what it would have in Lambda: the code, the layers, the template's environment and the
credentials of its role. It has neither the repository nor the caller's environment.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import Any, BinaryIO

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.aws import Account
from local.deployment import FunctionConfig

WORKER = Path(__file__).with_name("worker.py")
MOST_WORKERS = 4
IMPORT_SECONDS = 60
RETRY_SECONDS = (1, 2)
"""Seconds before an asynchronous call is tried again; in Lambda these are one and two minutes."""


class FunctionError(Exception):
    """A function raised, ran out of time, or its process ended."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(f"{error.get('errorType')}: {error.get('errorMessage')}")
        self.error_type = str(error.get("errorType"))
        self.error = dict(error)
        """The members errorType, errorMessage and stackTrace, as in Lambda."""


class Worker:
    """One process, which runs one event at a time."""

    def __init__(
        self, config: FunctionConfig, environment: Mapping[str, str], log: BinaryIO | int
    ) -> None:
        self._config = config
        self._ready = False
        self._connection, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", str(WORKER), str(theirs.fileno()), config.handler],
                cwd=config.code_dirs[0],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # so that what the handler starts can be ended with it
            )

    def run(self, event: Any) -> Any:
        """Return what the handler returns. After a FunctionError `usable` may be false."""
        try:
            self._wait_until_imported()
            deadline = time.time() + self._config.timeout
            call = {"event": event, "request_id": str(uuid.uuid4()), "deadline": deadline}
            self._connection.send_bytes(json.dumps(call).encode())
            if not self._connection.poll(self._config.timeout):
                self.kill()
                raise _failure(
                    "Sandbox.Timedout", f"Task timed out after {self._config.timeout:.2f} seconds"
                )
            reply = json.loads(self._connection.recv_bytes())
        except (EOFError, OSError) as error:
            self.kill()
            status = self._process.returncode
            raise _failure(
                "Runtime.ExitError", f"Runtime exited with error: exit status {status}"
            ) from error
        if "error" in reply:
            raise FunctionError(reply["error"])
        return reply["result"]

    @property
    def usable(self) -> bool:
        """Whether the process runs and has imported its handler."""
        return self._ready and self._process.poll() is None

    @property
    def ended(self) -> bool:
        """Whether the process ended between two events.

        False for one that could not import its handler: the next event still has to get that error.
        """
        return self._ready and self._process.poll() is not None

    def kill(self) -> None:
        """End the process and those that it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _wait_until_imported(self) -> None:
        """Wait for the import, which as in Lambda does not count towards the function's timeout."""
        if self._ready:
            return
        if not self._connection.poll(IMPORT_SECONDS):
            self.kill()
            raise _failure("Runtime.InitError", f"no handler after {IMPORT_SECONDS} seconds")
        imported = json.loads(self._connection.recv_bytes())
        if "error" in imported:
            self.kill()
            raise FunctionError(imported["error"])
        self._ready = True


def _failure(error_type: str, message: str) -> FunctionError:
    return FunctionError({"errorType": error_type, "errorMessage": message})


class Function:
    """A deployed function. At most `concurrency` events run at once; others wait.

    Its first event starts its first process, unless it is warmed before.
    """

    def __init__(
        self, config: FunctionConfig, environment: Mapping[str, str], log: BinaryIO | int
    ) -> None:
        self.config = config
        self.concurrency = min(MOST_WORKERS, config.reserved_concurrency or MOST_WORKERS)
        self._environment = dict(environment)
        self._log = log
        self._threads = ThreadPoolExecutor(self.concurrency, thread_name_prefix=config.name)
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._pending = 0
        self._accepted = 0
        self._stopped = False

    def warm(self) -> None:
        """Start one process now, without waiting for its imports."""
        worker = self._new_worker()
        with self._lock:
            self._idle.append(worker)

    def invoke(self, event: Any) -> Any:
        """Run an event; return what the handler returns. Raises FunctionError."""
        try:
            return self.submit(event).result()
        except CancelledError as error:
            raise _failure("Stopped", "the stack was stopped before its turn came") from error

    def submit(self, event: Any) -> Future[Any]:
        """Run an event in the background; the future gets the result or a FunctionError."""
        self._count(+1)
        future = self._threads.submit(self._run, event)
        future.add_done_callback(lambda _: self._count(-1))
        return future

    def submit_event(self, event: Any) -> None:
        """Run an event in the background and try again if it fails, as Lambda's asynchronous call.

        An event that fails each time goes to the queue that the template names for that.
        """
        self._count(+1)
        self._attempt(event, self.config.retries)

    @property
    def pending(self) -> int:
        """How many accepted events are not finished, including those that will be tried again."""
        return self._pending

    @property
    def accepted(self) -> int:
        """How many events were accepted since the start."""
        return self._accepted

    def stop(self) -> None:
        """End all processes of the function. Events that are running fail."""
        with self._lock:
            self._stopped = True
            workers = list(self._all)
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.kill()

    def _attempt(self, event: Any, retries: int) -> None:
        with suppress(RuntimeError):  # raised after the pool was shut down
            self._threads.submit(self._run, event).add_done_callback(
                lambda done: self._after_attempt(done, event, retries)
            )

    def _after_attempt(self, done: Future[Any], event: Any, retries: int) -> None:
        error = None if done.cancelled() else done.exception()
        if error is None or retries == 0:
            if isinstance(error, FunctionError) and not self._stopped:
                self._tell_of_failure(event, error)
            self._count(-1)
            return
        pause = RETRY_SECONDS[-min(retries, len(RETRY_SECONDS))]
        again = threading.Timer(pause, self._attempt, (event, retries - 1))
        again.daemon = True
        again.start()

    def _tell_of_failure(self, event: Any, error: FunctionError) -> None:
        """Send Lambda's record of an event that failed for good, with the function's own rights."""
        if self.config.failure_queue_url is None:
            return
        record = {
            "version": "1.0",
            "timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "functionArn": f"{self.config.arn}:$LATEST",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": self.config.retries + 1,
            },
            "requestPayload": event,
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "responsePayload": error.error,
        }
        queues = boto3.client(
            "sqs",
            endpoint_url=self._environment["AWS_ENDPOINT_URL"],
            region_name=self._environment["AWS_REGION"],
            aws_access_key_id=self._environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self._environment["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=self._environment["AWS_SESSION_TOKEN"],
        )
        try:
            queues.send_message(
                QueueUrl=self.config.failure_queue_url, MessageBody=json.dumps(record)
            )
        except (ClientError, BotoCoreError) as refused:  # Lambda counts DestinationDeliveryFailures
            print(f"{self.config.name}: event not told of: {refused}", file=sys.stderr)  # noqa: T201

    def _run(self, event: Any) -> Any:
        worker = self._idle_worker() or self._new_worker()
        try:
            return worker.run(event)
        finally:
            self._put_back(worker)

    def _idle_worker(self) -> Worker | None:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if not worker.ended:
                    return worker
                self._all.discard(worker)
        return None

    def _put_back(self, worker: Worker) -> None:
        with self._lock:
            if worker.usable:
                self._idle.append(worker)
                return
            self._all.discard(worker)
            stopped = self._stopped
        if not stopped:
            self.warm()

    def _new_worker(self) -> Worker:
        with self._lock:
            if self._stopped:
                raise _failure("Runtime.ExitError", "the stack is stopping")
            worker = Worker(self.config, self._environment, self._log)
            self._all.add(worker)
            return worker

    def _count(self, change: int) -> None:
        with self._lock:
            self._pending += change
            self._accepted += max(change, 0)


def environment_of(config: FunctionConfig, account: Account) -> dict[str, str]:
    """The environment variables that Lambda gives the function, with its role's credentials."""
    role = account.assume(config.role_arn, config.name)
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    temporary = os.environ.get("TMPDIR", "/tmp")  # noqa: S108 - Lambda's own writable folder
    return {
        **config.environment,
        **role.credentials,
        "AWS_REGION": account.region,
        "AWS_DEFAULT_REGION": account.region,
        "AWS_ENDPOINT_URL": account.endpoint_url or "",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{python}",
        "AWS_LAMBDA_FUNCTION_NAME": config.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{config.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "LAMBDA_TASK_ROOT": str(config.code_dirs[0]),
        "_HANDLER": config.handler,
        "_FUNCTION_ARN": config.arn,
        "PYTHONPATH": os.pathsep.join(map(str, config.code_dirs)),
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "en_US.UTF-8",
        "PYTHONUTF8": "1",
        "HOME": temporary,
        "TMPDIR": temporary,
        "TZ": ":UTC",
    }
