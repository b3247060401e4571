"""The whole embedded stack: a SAM template running on this machine.

    with Stack.start(Path("template.yaml"), port=8080, parameters={}, log_dir=None) as stack:
        urllib.request.urlopen(stack.api_url + "/v1/reports")

moto, in a process of its own, is AWS with CloudFormation; DuckDB in it is Athena. This process is
API Gateway (http_api) with the pages before it (edge), the pollers of queues (queues), the
schedules (schedules), Lambda (functions), whose workers are processes of their own, and the
collector of metrics from logs (metrics). All listen on 127.0.0.1 only, and nothing is left when the
stack stops.

It differs from AWS in these things: at most four events of a function run at once; a failed message
or asynchronous call is tried again after seconds, not minutes; memory limits are not enforced;
CloudWatch has only the functions' own metrics; alarms, lifecycle rules and resource policies do
nothing; CloudFront has no cache; local/iam.py says what IAM judges.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from local.aws import Account, Moto
from local.deployment import Deployment, create_stack
from local.distribution import read_distribution
from local.edge import Edge, Site
from local.functions import Function, FunctionError, environment_of
from local.http_api import AccessLog, Answerer, Gateway, HttpFront
from local.metrics import Collector
from local.queues import Poller, read_mappings
from local.routes import read_http_api
from local.schedules import Clock, read_schedules
from local.template import translate

REGION = "eu-central-1"
STACK_NAME = "pulse"
PERMISSIONS = "permissions.jsonl"


class Stack:
    """A running stack. `Stack.start` makes it; `stop`, or the end of its with block, ends it."""

    deployment: Deployment
    """What was deployed."""

    def __init__(self, port: int, log_dir: Path | None, pages: Site | None) -> None:
        """Bind the port. Use `start` to make a stack."""
        self._log_dir = log_dir
        self._pages = pages
        self._front = HttpFront(port)
        self._gateway_front = HttpFront(0)
        self._functions: dict[str, Function] = {}
        self._pollers: list[Poller] = []
        self._clock: Clock | None = None
        self._collector: Collector | None = None
        self._files = ExitStack()
        if log_dir:
            log_dir.mkdir(parents=True, exist_ok=True)
        permissions = log_dir / PERMISSIONS if log_dir else None
        self._moto = Moto(self._call_function, self._log("moto"), permissions)
        self._account: Account | None = None

    @classmethod
    def start(
        cls,
        template: Path,
        *,
        port: int,
        parameters: Mapping[str, str],
        log_dir: Path | None,
        pages: Site | None = None,
    ) -> Stack:
        """Start a stack; when this returns, the API replies, queues are polled and schedules run.

        The site `pages` is served beside the API, if the template has a distribution.

        Each function writes to LOG_DIR/<logical id>.log, moto to moto.log, the API to access.log;
        IAM's decisions are in permissions.jsonl (local/iam.py). Without `log_dir` there are no logs
        and no metrics of functions. Raises TemplateError, DeploymentError, ScheduleError,
        MotoError, or OSError if the port is taken; then nothing is left running.
        """
        stack = cls(port, log_dir, pages)
        try:
            stack._deploy(template, parameters)
            stack._serve()
        except BaseException:
            stack.stop()
            raise
        return stack

    @property
    def api_url(self) -> str:
        """The address of pages and API, without a slash at its end."""
        return self._front.url

    @property
    def gateway_url(self) -> str:
        """The API's own address, without CloudFront."""
        return self._gateway_front.url

    @property
    def endpoint_url(self) -> str:
        """The address of AWS's own APIs, which are moto's."""
        return self._running_account.endpoint_url or ""

    @property
    def admin_credentials(self) -> dict[str, str]:
        """Environment variables for a tool that may do everything in the stack's account."""
        return self._running_account.credentials | {
            "AWS_REGION": self._running_account.region,
            "AWS_DEFAULT_REGION": self._running_account.region,
            "AWS_ENDPOINT_URL": self.endpoint_url,
        }

    def client(self, service: str) -> Any:
        """The administrator's boto3 client of `service`."""
        return self._running_account.client(service)

    def invoke(self, logical_id: str, event: Any) -> Any:
        """Run an event; return what the function returns. Raises FunctionError, and KeyError."""
        return self._functions[logical_id].invoke(event)

    def idle(self) -> bool:
        """Whether no call of a function runs or waits, and no polled queue has a message."""
        before = self._accepted()
        if self._pending() or any(poller.waiting() for poller in self._pollers):
            return False
        # between the two counts a message may have become a call, or a call a message
        return not self._pending() and self._accepted() == before

    def wait_until_idle(self, timeout: float) -> None:
        """Wait until the stack is idle. Raises TimeoutError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not self.idle():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the stack was still busy after {timeout:.0f} seconds")
            time.sleep(0.05)

    def stop(self) -> None:
        """End all processes and free the port. It may be called again."""
        for poller in self._pollers:
            poller.stop()
        if self._clock:
            self._clock.stop()
        if self._collector:
            self._collector.stop()
        self._front.stop()
        self._gateway_front.stop()
        self._moto.stop()
        for function in self._functions.values():
            function.stop()
        for poller in self._pollers:
            poller.join()
        if self._collector:
            self._collector.join()
        self._files.close()

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _deploy(self, template: Path, parameters: Mapping[str, str]) -> None:
        bucket = f"code-of-{STACK_NAME}"
        # moto's process starts meanwhile
        translated = translate(template, parameters, bucket=bucket, region=REGION)
        self._account = self._moto.wait(REGION)
        self.deployment = create_stack(
            translated, self._account, stack_name=STACK_NAME, bucket=bucket
        )

    def _serve(self) -> None:
        account = self._running_account
        api = read_http_api(self.deployment)
        schedules = read_schedules(self.deployment, account.region)
        mappings = read_mappings(self.deployment, account)
        for logical_id, config in self.deployment.functions.items():
            environment = environment_of(config, account)
            self._functions[logical_id] = Function(config, environment, self._log(logical_id))
        self._pollers = [Poller(m, self._functions[m.function], account) for m in mappings]
        self._clock = Clock(schedules, self._functions)
        if self._log_dir:
            logs = [self._log_dir / f"{logical_id}.log" for logical_id in self._functions]
            self._collector = Collector(logs, account)
        if api:
            for function in {route.function for route in api.routes}:
                self._functions[function].warm()  # somebody waits for its first reply
            gateway = Gateway(api, self._functions)
            access_log = self._access_log(api.access_log_format)
            self._front.serve(self._with_pages(gateway), access_log)
            self._gateway_front.serve(gateway, access_log)

    def _with_pages(self, gateway: Gateway) -> Answerer:
        if self._pages is None:
            return gateway
        distribution = read_distribution(self.deployment)
        return Edge(distribution, self._pages, gateway) if distribution else gateway

    def _log(self, name: str) -> BinaryIO | int:
        if self._log_dir is None:
            return subprocess.DEVNULL
        return self._files.enter_context((self._log_dir / f"{name}.log").open("ab", buffering=0))

    def _access_log(self, line: str | None) -> AccessLog | None:
        if self._log_dir is None or line is None:
            return None
        file = (self._log_dir / "access.log").open("a", encoding="utf-8")
        return AccessLog(line, self._files.enter_context(file))

    def _call_function(self, message: Mapping[str, Any]) -> Any:
        """Run a call that comes from moto (local/events.py)."""
        found = [f for f in self._functions.values() if f.config.name == message["function"]]
        if not found:
            text = f"no function {message['function']} in the template"
            return {"error": {"errorType": "ResourceNotFound", "errorMessage": text}}
        if not message["wait"]:
            found[0].submit_event(message["payload"])
            return None
        answer: Future[dict[str, Any]] = Future()
        call = found[0].submit(message["payload"])
        call.add_done_callback(lambda done: answer.set_result(_outcome(done)))
        return answer

    def _pending(self) -> int:
        return sum(function.pending for function in self._functions.values())

    def _accepted(self) -> int:
        return sum(function.accepted for function in self._functions.values())

    @property
    def _running_account(self) -> Account:
        if self._account is None:
            raise RuntimeError("the stack is not running")
        return self._account


def _outcome(done: Future[Any]) -> dict[str, Any]:
    error = None if done.cancelled() else done.exception()
    if isinstance(error, FunctionError):
        return {"error": error.error}
    if done.cancelled() or error:
        return {"error": {"errorType": "Runtime.ExitError", "errorMessage": str(error)}}
    return {"result": done.result()}


__all__ = ["FunctionError", "Stack"]
