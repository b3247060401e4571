"""What serve_reports refuses, what it replies when AWS fails, and what it never logs."""

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from pulse.observe import logger
from pulse.reports.registry import REPORTS
from pulse.store.clients import client
from tests.integration.serve_reports.calling import REPORT, get, gets


@pytest.mark.parametrize(
    ("report", "query", "status", "code"),
    [
        ("weekly", "", 404, "unknown_report"),
        ("DAILY", "", 404, "unknown_report"),
        ("daily", "group_by=planet", 400, "unknown_dimension"),
        ("daily", "media_type=voice", 400, "unknown_parameter"),
        ("daily", "preset=last_5_days", 400, "unknown_preset"),
        ("daily", "chanel=chat", 400, "unknown_parameter"),
        ("daily", "compare=last_period", 400, "unknown_comparison"),
        ("daily", "compare=previous_period&preset=all_time", 400, "compare_with_all_time"),
        ("daily", "fill=yes", 400, "unknown_value"),
        ("daily", "tenant=demo", 400, "unknown_parameter"),
        ("daily", "group_by=tenant", 400, "unknown_dimension"),
        ("daily", "start_date=2026-11-02&end_date=2026-11-01", 400, "start_after_end"),
        ("daily", "start_date=1626-11-21&end_date=2026-11-21", 400, "range_too_long"),
        ("daily", "start_date=2026-11-31&end_date=2026-12-01", 400, "invalid_date"),
        ("daily", "start_date=2026-11-01", 400, "missing_date"),
        ("daily", "preset=today&end_date=2026-11-21", 400, "preset_with_dates"),
        ("daily", "limit=10001", 400, "invalid_limit"),
        ("daily", "format=xlsx", 400, "unknown_format"),
        ("daily", "cursor=abc", 400, "invalid_cursor"),
        ("daily", "agent=%ff", 400, "invalid_query"),
        ("daily", "metric=%00", 400, "unknown_value"),
    ],
)
def test_bad_requests(report: str, query: str, status: int, code: str) -> None:
    with gets() as asked:
        reply = get(report, query)
    assert (reply.status, reply.code) == (status, code)
    if query and not query.startswith("cursor"):
        assert asked == []
        assert reply.json["errors" if code != "invalid_query" else "detail"]


def test_an_unknown_report_is_told_which_there_are() -> None:
    detail = get("weekly").json["detail"]
    assert all(name in detail for name in REPORTS)


def test_the_key_is_judged_before_the_question() -> None:
    assert get("weekly", "x=1", key=None).status == 401
    assert get("weekly", "x=1", key="pk_publishable").status == 403


# -- when AWS fails, and what is logged


def test_a_lake_that_does_not_answer_is_a_503() -> None:
    def refuse(**_: Any) -> AWSResponse:
        return AWSResponse("https://s3", 503, HTTPHeaders(), _Empty())

    events = client("s3", fail_fast=True).meta.events
    events.register_first("before-send.s3.GetObject", refuse)
    try:
        reply = get("daily")
    finally:
        events.unregister("before-send.s3.GetObject", refuse)
    assert (reply.status, reply.code) == (503, "unavailable")
    assert int(reply.headers["Retry-After"]) > 0
    assert get("daily").status == 200


class _Empty(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield b""


def test_neither_key_nor_filter_is_logged(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    root = logging.getLogger(logger.name)
    root.addHandler(handler)
    try:
        get("daily", "agent=ada%20lovelace", x_forwarded_for="203.0.113.7")
        get("daily", "agent=ada%20lovelace", key="rk_never-given-out")
        get("daily", "ada%20lovelace=1")
    finally:
        root.removeHandler(handler)
    said = heard.getvalue() + caplog.text + "".join(capsys.readouterr())
    assert "Requests" in said  # the metric: something was heard
    for secret in (REPORT, "rk_never", "lovelace", "203.0.113.7"):
        assert secret not in said
