"""Requests to moto in this process have no signature, but tell who calls; all others have one."""

from typing import Any

import boto3
import pytest


class NotSent(Exception):
    """The request is complete and stays here."""


@pytest.mark.parametrize("service", ["dynamodb", "s3"])
@pytest.mark.parametrize("server", [None, "http://127.0.0.1:1"])
def test_only_requests_to_a_server_are_signed(service: str, server: str | None) -> None:
    session = boto3.Session("THE-KEY", "made-up", "the-token", "eu-central-1")
    make: Any = session.client
    client = make(service, endpoint_url=server)
    made = []

    def keep(request: Any, **_: Any) -> None:
        made.append(request)
        raise NotSent

    client.meta.events.register_first("before-send", keep)
    with pytest.raises(NotSent):
        client.list_tables() if service == "dynamodb" else client.list_buckets()
    (request,) = made
    header = request.headers["Authorization"].decode()
    assert header.startswith("AWS4-HMAC-SHA256 Credential=THE-KEY/")
    assert request.headers["X-Amz-Security-Token"] == b"the-token"
    assert ("Signature=none" in header) == (server is None)
