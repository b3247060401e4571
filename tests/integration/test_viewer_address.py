"""Which address is sent on with an answer, behind CloudFront and without it."""

from collections.abc import Iterator
from typing import Any

import pytest

from pulse.http import ORIGIN
from pulse.ingest.viewer import VIEWER
from pulse.tenants.rules import Rule
from tests.driver import Driver, running

EDGE = "130.176.0.1"
CUSTOMER = "198.51.100.23"


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    with running() as driver:
        driver.tenant("shop")
        driver.survey("shop", "support", Rule.make("csat", 1, 5))
        yield driver


def address_sent_on(driver: Driver, headers: dict[str, str]) -> Any:
    """The address in the message that an answer with these headers becomes."""
    key = driver.key("shop", "publishable")
    body = '{"survey_id": "support", "score": 5}'
    answer = driver.call(
        "POST", "/v1/responses", key=key, body=body, headers=headers, source_ip=EDGE
    )
    assert answer.status == 202, answer.body
    (record,) = driver.messages()
    (attribute,) = record["messageAttributes"].values()
    return attribute["stringValue"]


def test_behind_cloudfront_it_is_the_viewers(driver: Driver) -> None:
    secret = driver.deployment.functions["Ingest"].environment["PULSE_ORIGIN_SECRET"]
    assert len(secret) > 48
    assert address_sent_on(driver, {ORIGIN: secret, VIEWER: CUSTOMER}) == CUSTOMER


@pytest.mark.parametrize("shown", [{}, {ORIGIN: ""}, {ORIGIN: "1-"}, {ORIGIN: "1-guessed"}])
def test_a_forged_one_is_ignored(driver: Driver, shown: dict[str, str]) -> None:
    assert address_sent_on(driver, {VIEWER: CUSTOMER, **shown}) == EDGE
