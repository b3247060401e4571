"""One environment of Lambda: a built function under AWS's own runtime client, on python3.13.

`start` uses AWS's emulator (aws-lambda-rie) where there is one, and else the runtime API of
runtime_api.py. Either way the process sees the function's folder, its layers, what Lambda's runtime
brings and the environment that is given, and nothing of this repository or its .venv.
"""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from os import killpg
from pathlib import Path
from typing import Any, Protocol

from local.deployment import FunctionConfig
from local.functions import FunctionError
from tests.runtime.runtime_api import RuntimeApi

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
START_SECONDS = 60
LEAST_SECONDS = 60
"""A function has at least so long here: that a machine is busy is no fault of the function."""


class Environment(Protocol):
    """A function's process, warm after its first event."""

    def invoke(self, event: Any) -> Any:
        """What the function returns. Raises FunctionError."""

    @property
    def init_ms(self) -> float:
        """How long the process took before it asked for its first event, once it has."""

    @property
    def peak_bytes(self) -> int:
        """The most memory that the process has had resident so far."""


@dataclass(frozen=True)
class Tools:
    """What the processes are made of."""

    python: Path
    """Of an environment with what Lambda's runtime has: awslambdaric, boto3 and the like."""
    emulator: Path | None
    """aws-lambda-rie, where it could be built."""


@contextmanager
def start(
    config: FunctionConfig, environment: Mapping[str, str], tools: Tools, folder: Path
) -> Iterator[Environment]:
    """The function's environment; no process of it is left afterwards. `folder` gets its log."""
    make = _Emulated if tools.emulator else _Served
    running = make(config, environment, tools, folder)
    try:
        yield running
    finally:
        running.stop()


class _Process:
    """What both have in common: the runtime's process and its files."""

    def __init__(
        self, config: FunctionConfig, environment: Mapping[str, str], tools: Tools, folder: Path
    ) -> None:
        self.config = config
        self.timeout_s = max(config.timeout, LEAST_SECONDS)
        self.environment = environment
        self.tools = tools
        self.folder = folder
        self._start()

    def _start(self) -> None:
        raise NotImplementedError

    @property
    def peak_bytes(self) -> int:
        status = Path("/proc", self._pid_file.read_text("utf-8"), "status").read_text("utf-8")
        (kib,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.M)
        return int(kib) * 1024

    def stop(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                killpg(self.process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(5)

    @property
    def _pid_file(self) -> Path:
        return self.folder / f"{self.config.name}.pid"

    @property
    def _log(self) -> Path:
        return self.folder / f"{self.config.name}.log"

    def _run(self, *before: str, **environment: str) -> None:
        runtime = (str(self.tools.python), "-P", str(BOOTSTRAP), str(self._pid_file))
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*before, *runtime, self.config.handler],
                cwd=self.config.code_dirs[0],
                env={**self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


class _Emulated(_Process):
    """Under aws-lambda-rie, which starts the runtime at the first event."""

    def _start(self) -> None:
        self._port = _free_port()
        self._run(
            str(self.tools.emulator),
            "--runtime-interface-emulator-address",
            f"127.0.0.1:{self._port}",
            "--runtime-api-address",
            f"127.0.0.1:{_free_port()}",
            AWS_LAMBDA_FUNCTION_TIMEOUT=str(self.timeout_s),
        )
        _wait_for(self._port)

    def invoke(self, event: Any) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}/2015-03-31/functions/function/invocations",
            json.dumps(event).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s + START_SECONDS) as reply:
                answer = json.loads(reply.read())
        except urllib.error.HTTPError as error:
            raise FunctionError(json.loads(error.read())) from error
        if isinstance(answer, dict) and "errorType" in answer:
            raise FunctionError(answer)
        return answer

    @property
    def init_ms(self) -> float:
        return float(re.findall(r"INIT REPORT\(durationMs: ([\d.]+)\)", self._log.read_text())[0])


class _Served(_Process):
    """Under the runtime API of the tests."""

    def _start(self) -> None:
        self._api = RuntimeApi(self.config.arn, self.timeout_s)
        began = time.monotonic()
        self._run(AWS_LAMBDA_RUNTIME_API=self._api.address)
        self._api.asked.wait(START_SECONDS)
        self.init_ms = (time.monotonic() - began) * 1000

    def invoke(self, event: Any) -> Any:
        reply = self._api.invoke(event)
        if "error" in reply:
            raise FunctionError(reply["error"])
        return reply["result"]

    def stop(self) -> None:
        super().stop()
        self._api.stop()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
