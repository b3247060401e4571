"""Statements share what botocore has read: reading it again takes a second of a core."""

import awswrangler as wr
import boto3
import pytest

from pulse.store.athena import Athena


def test_awswrangler_does_not_make_a_session_for_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert wr._utils.ensure_session() is not wr._utils.ensure_session()
    Athena("database", "workgroup")
    assert wr._utils.ensure_session() is wr._utils.ensure_session()
