"""Feed keys read one report as CSV by its address alone, as spreadsheets do."""

import csv
import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from pulse import days
from pulse.observe import logger
from pulse.tenants.keys import Key, sha256
from pulse.tenants.rules import Rule
from tests.driver import Driver, Reply, running

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)

SAMPLE = Path(__file__).parents[2] / "events" / "serve_reports" / "feed.json"


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    with days.clock(lambda: NOON), running() as driver:
        driver.tenant("demo", "Europe/Berlin")
        driver.survey("demo", "support", Rule.make("csat", 1, 5))
        answers = [
            {
                "survey_id": "support",
                "score": 1 + number % 5,
                "answered_at": f"2026-11-{10 + number % 4}T09:00:00Z",
                "channel": ("chat", "ticket")[number % 2],
                "agent_id": f"agent {number % 3}",
            }
            for number in range(24)
        ]
        driver.post("demo", answers)
        sold = {"media_type": "chat", "entered_at": "2026-11-12T09:00:00Z"}
        sales = [("EUR", "0.1"), ("EUR", "0.2"), ("USD", "-5")]
        interactions = [
            {**sold, "interaction_id": f"i{n}", "revenue": {"amount": amount, "currency": currency}}
            for n, (currency, amount) in enumerate(sales)
        ]
        assert driver.post_interactions("demo", interactions).status == 202
        driver.build()
        yield driver


@pytest.fixture(scope="module")
def feed(pulse: Driver) -> str:
    """A key that feeds `source`, of answers by chat alone."""
    return pulse.key("demo", "feed", report="source", filters={"channel": ("chat",)})


@pytest.fixture(autouse=True)
def _cold(pulse: Driver) -> Iterator[None]:
    with days.clock(lambda: NOON):
        pulse.forget()
        yield


def pull(pulse: Driver, key: str, query: str = "", report: str = "source", **headers: str) -> Reply:
    """What a spreadsheet gets for an address: it sends no key in a header."""
    address = f"/v1/reports/{report}?key={key}" + (f"&{query}" if query else "")
    return pulse.call("GET", address, headers={"accept": "*/*", **headers})


def lines(answer: Reply) -> list[dict[str, str]]:
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"].startswith("text/csv; charset=utf-8")
    return list(csv.DictReader(io.StringIO(answer.body, newline=""), strict=True))


def code(answer: Reply) -> tuple[int, str]:
    return answer.status, answer.json["code"]


def test_a_feed_of_revenue_has_its_currencies_side_by_side(pulse: Driver) -> None:
    key = pulse.key("demo", "feed", report="revenue")
    (row,) = lines(pull(pulse, key, "group_by=media_type", report="revenue"))
    assert row == {
        "media_type": "chat",
        "interactions_with_revenue": "3",
        "revenue_EUR": "0.3000",
        "revenue_USD": "-5.0000",
        "avg_revenue_EUR": "0.1500",
        "avg_revenue_USD": "-5.0000",
    }
    bound = pulse.key("demo", "feed", report="revenue", filters={"currency": ("EUR",)})
    (row,) = lines(pull(pulse, bound, report="revenue"))
    assert (row["period"], row["currency"], row["revenue"]) == ("2026-11-12", "EUR", "0.3000")
    elsewhere = pulse.key(
        "demo", "feed", report="customer-perspective", filters={"currency": ("EUR",)}
    )
    refused = pull(pulse, elsewhere, report="customer-perspective")
    assert code(refused) == (403, "filter_not_applicable")


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html,*/*;q=0.8", "text/csv"])
def test_a_feed_is_csv_whatever_is_accepted(pulse: Driver, feed: str, accept: str) -> None:
    rows = lines(pull(pulse, feed, accept=accept))
    responses = {row["channel"]: row["responses"] for row in rows}
    assert responses == {"chat": "12", "ticket": "0", "external": "0"}


def test_the_report_s_own_parameters_work_within_the_key_s_filters(
    pulse: Driver, feed: str
) -> None:
    rows = lines(pull(pulse, feed, "group_by=agent&preset=last_30_days&order_by=-agent&format=csv"))
    assert [(row["agent"], row["responses"]) for row in rows] == [
        ("agent 2", "4"),
        ("agent 1", "4"),
        ("agent 0", "4"),
    ]
    for widening in ("channel=chat,ticket", "channel=!external"):
        rows = lines(pull(pulse, feed, f"{widening}&group_by=agent"))
        assert sum(int(row["responses"]) for row in rows) == 12
    assert lines(pull(pulse, feed, "channel=ticket&group_by=agent")) == []
    assert code(pull(pulse, feed, "group_by=planet")) == (400, "unknown_dimension")
    assert code(pull(pulse, feed, "keys=1")) == (400, "unknown_parameter")


def test_a_feed_reads_nothing_else(pulse: Driver, feed: str) -> None:
    assert code(pull(pulse, feed, report="daily")) == (403, "feed_of_another_report")
    assert code(pull(pulse, feed, report="weekly")) == (403, "feed_of_another_report")
    for query in ("format=json", "format=%6Ason", "format=csv&format=json"):
        assert code(pull(pulse, feed, query)) == (403, "feed_is_csv")
    assert code(pull(pulse, feed, "format=xlsx")) == (400, "unknown_format")
    for path in ("/v1/reports", "/v1/dimensions/agent", "/v1/dimensions/none"):
        assert code(pulse.call("GET", f"{path}?key={feed}")) == (403, "wrong_key_kind")
        assert code(pulse.call("GET", path, key=feed)) == (403, "wrong_key_kind")
    body = json.dumps({"survey_id": "support", "score": 3})
    assert code(pulse.call("POST", "/v1/responses", key=feed, body=body)) == (403, "wrong_key_kind")
    assert pulse.call("POST", f"/v1/responses?key={feed}", body=body).status == 401


def test_a_feed_key_without_a_report_reads_none(pulse: Driver) -> None:
    assert code(pull(pulse, pulse.key("demo", "feed"))) == (403, "feed_of_another_report")


def test_a_feed_key_may_come_in_a_header_too(pulse: Driver, feed: str) -> None:
    assert lines(pulse.call("GET", "/v1/reports/source", key=feed)) == lines(pull(pulse, feed))


@pytest.mark.parametrize("kind", ["report", "secret", "publishable", "operator"])
def test_no_other_key_is_taken_from_the_query(pulse: Driver, kind: str) -> None:
    key = pulse.key(None if kind == "operator" else "demo", kind)
    assert code(pull(pulse, key)) == (401, "key_kind_not_in_query")
    if kind in ("report", "secret"):
        with_header = pulse.call("GET", f"/v1/reports/source?key={key}", key=key)
        assert code(with_header) == (400, "unknown_parameter")


def test_pages_are_linked_without_the_key(pulse: Driver, feed: str) -> None:
    query = "group_by=agent&limit=2"
    whole = lines(pull(pulse, feed, "group_by=agent"))
    escaped = quote(feed).replace("f", "%66", 1)
    for shown in (f"key={feed}&{query}", f"{query}&%6Bey={escaped}", f"key={feed}&{query}&key=x"):
        first = pulse.call("GET", f"/v1/reports/source?{shown}")
        link = first.headers["Link"].removeprefix("<").partition(">")[0]
        assert link.startswith(f"/v1/reports/source?{query}&cursor=")
        assert "key" not in link
        second = pulse.call("GET", f"{link}&key={feed}")
        assert lines(first) + lines(second) == whole


def test_an_etag_tells_nothing_of_the_key(pulse: Driver, feed: str) -> None:
    another = pulse.key("demo", "feed", report="source", filters={"channel": ("chat",)})
    etags = {pull(pulse, key).headers["ETag"] for key in (feed, another)}
    assert len(etags) == 1
    again = pull(pulse, feed, **{"if-none-match": etags.pop()})
    assert (again.status, again.body) == (304, "")


def test_a_feed_ends_when_its_key_does(pulse: Driver) -> None:
    ends = days.to_us(NOON) + 30 * days.SECOND
    passing = pulse.key("demo", "feed", report="source", expires_us=ends)
    assert pull(pulse, passing).status == 200
    with days.clock(lambda: NOON + timedelta(seconds=30)):
        assert code(pull(pulse, passing)) == (401, "invalid_key")

    revoked = pulse.key("demo", "feed", report="source")
    assert pull(pulse, revoked).status == 200
    pulse.tenants.revoke_key(sha256(revoked)[:12], days.now_us())
    with days.clock(lambda: NOON + timedelta(seconds=61)):
        assert code(pull(pulse, revoked)) == (401, "invalid_key")


def test_the_key_is_in_no_log_and_no_reply(
    pulse: Driver,
    feed: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    root = logging.getLogger(logger.name)
    root.addHandler(handler)
    replies: list[Reply] = []
    try:
        for query in ("", "group_by=agent&limit=1", "format=json", "preset=x", "cursor=x"):
            replies.append(pull(pulse, feed, query))
        replies.append(pull(pulse, feed, report="daily"))
        replies.append(pull(pulse, "fk_never-given-out"))
        with monkeypatch.context() as patched:
            patched.setattr("pulse.serve.service.fed", _fail)
            replies.append(pull(pulse, feed))
    finally:
        root.removeHandler(handler)
    assert replies[-1].status == 500
    said = heard.getvalue() + "".join(capsys.readouterr())
    assert "request failed" in said
    said += "".join(f"{reply.headers}{reply.body}" for reply in replies)
    assert feed not in said
    assert "never-given-out" not in said


def _fail(*arguments: Any) -> None:
    raise RuntimeError(f"with all that there is: {arguments}")


def test_the_sample_event(pulse: Driver) -> None:
    event = json.loads(SAMPLE.read_text())
    text = event["queryStringParameters"]["key"]
    pulse.tenants.add_key(Key(sha256(text), "feed", "demo", 0, report="daily"))
    path = f"{event['rawPath']}?{event['rawQueryString']}"
    rows = lines(pulse.call("GET", path, headers=event["headers"]))
    assert [row["period"] for row in rows] == [f"2026-11-{day}" for day in range(10, 14)]
