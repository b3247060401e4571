"""An AWS account for the stack: credentials, a region, and clients that are made once.

The account is one of moto, which runs in a process of its own (`Moto`), so that its threads, its
patched internals and its global state do not affect the caller.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import Any, BinaryIO

import boto3
from botocore.config import Config

from local.channel import AnsweringEnd

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 30


class Account:
    """Clients for one account and region. Safe to share between threads."""

    def __init__(
        self,
        region: str,
        *,
        endpoint_url: str | None = None,
        credentials: Mapping[str, str] | None = None,
    ) -> None:
        """Use the environment's endpoint and credentials if none are given."""
        self.region = region
        self.endpoint_url = endpoint_url or os.environ.get("AWS_ENDPOINT_URL")
        self.credentials = dict(credentials or {})
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._session = boto3.Session(
            aws_access_key_id=self.credentials.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=self.credentials.get("AWS_SECRET_ACCESS_KEY"),
            aws_session_token=self.credentials.get("AWS_SESSION_TOKEN"),
            region_name=region,
        )

    def assume(self, role_arn: str, session_name: str) -> Account:
        """The account with the credentials of a role; moto's sessions never expire."""
        sts = self.client("sts")
        given = sts.assume_role(RoleArn=role_arn, RoleSessionName=session_name[:64])["Credentials"]
        credentials = {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        }
        return Account(self.region, endpoint_url=self.endpoint_url, credentials=credentials)

    def client(self, service: str) -> Any:
        """The account's client of `service`, which is made once because making one takes long."""
        with self._lock:
            if service not in self._clients:
                make: Any = self._session.client
                self._clients[service] = make(
                    service,
                    endpoint_url=self.endpoint_url,
                    config=Config(max_pool_connections=32, retries={"total_max_attempts": 2}),
                )
            return self._clients[service]


class MotoError(Exception):
    """moto's process did not start; its log says why."""


class Moto:
    """moto's server with Athena on DuckDB, in a process of its own, on any free port.

    `call_function` is called for each invocation of a Lambda function in moto: by lambda:Invoke, or
    by a rule of EventBridge. local/events.py has the form of the messages.
    """

    def __init__(
        self,
        call_function: Callable[[dict[str, Any]], Any],
        log: BinaryIO | int,
        permissions: Path | None,
    ) -> None:
        """Start the process. Decisions of IAM are written to the file `permissions`, if given."""
        self._call_function = call_function
        kept = [str(permissions.resolve())] if permissions else []
        ours, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-m", "local.moto_server", str(theirs.fileno()), *kept],
                cwd=ROOT,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C must reach only the stack, which then ends moto
            )
        self._connection = ours

    def wait(self, region: str) -> Account:
        """Wait until the server runs; return the account of its administrator. Raises MotoError."""
        try:
            if not self._connection.poll(START_SECONDS):
                raise MotoError(f"moto did not start within {START_SECONDS} seconds")
            end = AnsweringEnd(self._connection, self._call_function)
            ready = end.receive()
        except EOFError as error:
            raise MotoError("moto's process ended while it started, see its log") from error
        threading.Thread(target=end.serve, name="moto calls", daemon=True).start()
        return Account(region, endpoint_url=ready["endpoint_url"], credentials=ready["credentials"])

    @property
    def process_id(self) -> int:
        """The process's id."""
        return self._process.pid

    def stop(self) -> None:
        """End the process and wait for its end."""
        self._process.kill()
        self._process.wait()
        self._connection.close()


def _environment() -> dict[str, str]:
    """The caller's environment without its AWS account: moto must never reach a real one."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return kept | {"PYTHONPATH": str(ROOT), "AWS_EC2_METADATA_DISABLED": "true"}
