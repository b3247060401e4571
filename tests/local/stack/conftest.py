"""One embedded stack for all tests of this folder, since starting it takes some seconds."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.stack import Stack

APP = Path(__file__).with_name("app") / "template.yaml"


@pytest.fixture(scope="session")
def log_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="session")
def stack(log_dir: Path) -> Iterator[Stack]:
    with Stack.start(APP, port=0, parameters={}, log_dir=log_dir) as running:
        yield running


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Http = Callable[..., Answer]


@pytest.fixture
def http(stack: Stack) -> Http:
    """Sends a request to the API: http(method, path, headers=…, data=…)."""

    def send(
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
    ) -> Answer:
        request = urllib.request.Request(
            stack.api_url + path, method=method, headers=dict(headers or {}), data=data
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                return Answer(reply.status, dict(reply.headers.items()), reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers.items()), error.read())

    return send


@dataclass(frozen=True)
class Bucket:
    """What the functions of the application stored."""

    client: Any
    name: str

    def put(self, key: str, body: str) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=body.encode())

    def read(self, folder: str) -> list[Any]:
        """The content of every object of a folder, oldest first."""
        found = self.client.list_objects_v2(Bucket=self.name, Prefix=f"{folder}/")
        return [
            json.loads(self.client.get_object(Bucket=self.name, Key=o["Key"])["Body"].read())
            for o in found.get("Contents", [])
        ]

    def empty(self) -> None:
        for o in self.client.list_objects_v2(Bucket=self.name).get("Contents", []):
            self.client.delete_object(Bucket=self.name, Key=o["Key"])


@pytest.fixture
def bucket(stack: Stack) -> Bucket:
    """The application's bucket, empty."""
    found = Bucket(stack.client("s3"), stack.deployment.outputs["BucketName"])
    stack.wait_until_idle(20)
    found.empty()
    return found


def eventually(is_so: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether it becomes so within some seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.05)
    return is_so()
