"""No function ever logs a body, an address or a key."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pulse import days
from pulse.observe import logger
from pulse.tenants.rules import Rule
from tests import silence
from tests.driver import Driver, running
from tests.silence import Listener, leaks

TODAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ADDRESS = "198.51.100.77"
WORDS = "my-own-words-about-it"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, in the form in which CloudWatch would keep it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logger.registered_formatter)
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def pulse() -> Iterator[Driver]:
    with days.clock(lambda: TODAY), running() as driver:
        driver.tenant("acme", "Europe/Berlin")
        driver.survey("acme", "email", Rule.make("nps", 0, 10))
        yield driver


def test_the_whole_way_of_an_answer_leaves_no_trace_of_what_it_says(
    pulse: Driver, log: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    at = (TODAY - timedelta(days=1)).isoformat()
    good = {
        "survey_id": "email",
        "score": 9,
        "answered_at": at,
        "comment": WORDS,
        "customer_id": f"customer-{WORDS}",
        "ip": ADDRESS,
    }
    bad = {"survey_id": WORDS, "score": WORDS, "comment": WORDS}
    publishable, secret = pulse.key("acme", "publishable"), pulse.key("acme", "secret")
    assert pulse.post("acme", [good, bad]).status == 202
    own = {"survey_id": "email", "score": 3, "comment": WORDS}
    for body in (json.dumps(own), WORDS, json.dumps(bad), json.dumps({"tags": WORDS})):
        for path in ("/v1/responses", f"/v1/responses?key={publishable}"):
            pulse.call("POST", path, key=publishable, body=body, source_ip=ADDRESS)
    records = pulse.messages()
    unreadable = records[0] | {"body": WORDS + ADDRESS, "messageId": "unreadable"}
    pulse.write([*records, unreadable])
    pulse.build_daily()
    pulse.build_reports()
    pulse.housekeep()
    for query in (f"agent={WORDS}", f"nonsense={WORDS}", f"cursor={WORDS}", "preset=last_7_days"):
        pulse.call("GET", f"/v1/reports/daily?{query}", key=pulse.key("acme", "report"))
    pulse.call("GET", "/v1/reports/daily", key="rk_" + WORDS)
    logger.warning("the capture works")
    captured = capfd.readouterr()
    written = log.getvalue() + captured.out + captured.err
    assert "the capture works" in written
    assert "daily built" in written
    for told in (WORDS, ADDRESS, publishable, secret, pulse.key("acme", "report")):
        assert told not in written


def test_a_failure_on_the_way_leaves_no_trace_either(
    pulse: Driver, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **given: object) -> None:
        raise RuntimeError(f"failed over {args} {given}")

    monkeypatch.setattr("pulse.store.queue.Queue.send", fail)
    answer = {"survey_id": "email", "score": 3, "comment": WORDS}
    reply = pulse.call(
        "POST",
        "/v1/responses",
        key=pulse.key("acme", "publishable"),
        body=json.dumps(answer),
        source_ip=ADDRESS,
    )
    assert reply.status == 500
    assert "RuntimeError" in log.getvalue()
    for told in (WORDS, ADDRESS, pulse.key("acme", "publishable")):
        assert told not in log.getvalue()
        assert told not in reply.body


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (f"rk_{'x' * 32}", [f"rk_{'x' * 32}"]),
        ("from 198.51.100.77", ["198.51.100.77"]),
        ("from 2001:db8:1::7", ["2001:db8:1::7"]),
        ("my own words about it", ["my own words about it"]),
        ("my öwn words about it", ["my öwn words about it"]),
        ("at 2026-11-22 03:58:02,068 in build:94, version 5.2.5", []),
    ],
)
def test_what_no_log_may_hold_is_found(heard: Listener, told: str, found: list[str]) -> None:
    logger.warning("all is well", extra={"said": told})
    sent = {"my own words about it", "my öwn words about it"}
    assert leaks("\n".join(heard.lines), sent) == found
    heard.lines.clear()


def test_the_comments_that_a_test_sends_are_searched_for(heard: Listener, pulse: Driver) -> None:
    said = "what nobody else has ever said"
    pulse.post("acme", [{"survey_id": "email", "score": 9, "comment": said}])
    assert said in silence.comments
    logger.warning(f"an answer: {said}")
    assert leaks(heard.lines[-1]) == [said]
    heard.lines.clear()
