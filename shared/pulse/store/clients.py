"""boto3 clients, each made once a process (making one costs about 350 ms)."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

_PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 5}, read_timeout=30)
_HURRIED = Config(
    retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=1, read_timeout=1.5
)


@cache
def client(service: str, *, hurried: bool = False) -> Any:
    """The process's client of a service; `hurried` ones give up within about 3 s.

    Hurried is for code that a person or a page waits for, patient for scheduled work.
    """
    return boto3.client(service, config=_HURRIED if hurried else _PATIENT)  # type: ignore[call-overload] # the stubs want a literal service name
