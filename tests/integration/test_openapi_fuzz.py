"""Random requests to the running handlers: replies are as the OpenAPI document says, never a 5xx.

Schemathesis makes requests from the document, sensible and not; they go to the handlers through
a small WSGI adapter that plays API Gateway.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pulse import days
from pulse.tenants.rules import Rule
from tests.driver import Driver, running
from tests.sampling import either

TODAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

StartResponse = Callable[[str, list[tuple[str, str]]], object]


def wsgi(driver: Driver) -> Callable[[Mapping[str, Any], StartResponse], Iterable[bytes]]:
    """The handlers as a WSGI application."""

    def application(environ: Mapping[str, Any], start: StartResponse) -> Iterable[bytes]:
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_") or name == "CONTENT_TYPE"
        }
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        size = int(environ.get("CONTENT_LENGTH") or 0)
        answer = driver.call(
            environ["REQUEST_METHOD"],
            f"{path}?{environ.get('QUERY_STRING', '')}",
            body=environ["wsgi.input"].read(size),
            headers=headers,
        )
        start(f"{answer.status} -", list(answer.headers.items()))
        return [answer.body.encode()]

    return application


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    with days.clock(lambda: TODAY), running() as driver:
        driver.tenant("acme", "Europe/Berlin")
        for survey, metric, high in (("support", "csat", 5), ("loyal", "nps", 10)):
            driver.survey("acme", survey, Rule.make(metric, 0 if high == 10 else 1, high))
        at = [(TODAY - timedelta(days=ago)).isoformat() for ago in range(40)]
        answers = [
            {
                "survey_id": ("support", "loyal")[k % 2],
                "score": 1 + k % 5,
                "answered_at": moment,
                "agent_id": f"agent-{k % 3}",
                "channel": ("chat", "ticket")[k % 2],
            }
            for k, moment in enumerate(at)
        ]
        driver.post("acme", answers)
        driver.build()
        yield driver


@pytest.fixture(scope="module")
def document(pulse: Driver) -> Any:
    """The document as the API serves it."""
    return schemathesis.openapi.from_wsgi("/v1/openapi.json", wsgi(pulse))


@pytest.mark.sampled
@pytest.mark.hypothesis  # inside of it
def test_every_answer_is_one_that_the_document_promises(pulse: Driver, document: Any) -> None:
    operations = [found.ok() for found in document.get_all_operations()]
    assert len(operations) >= 5
    for operation in operations:
        kind = "publishable" if "/surveys/" in operation.path else "secret"
        ask(operation, {"authorization": f"Bearer {pulse.key('acme', kind)}"})


def ask(operation: Any, headers: Mapping[str, str]) -> None:
    @settings(max_examples=either(8, 25), deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def ask_once(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    ask_once()
