"""Which address counts as the visitor's: only CloudFront's header is believed."""

import pytest

from pulse.http import Call, Door
from pulse.ingest.viewer import viewer_address

EDGE = "130.176.0.1"
VIEWER = "2001:db8::7"


def call(**headers: str) -> Call:
    return Call(
        route="POST /v1/responses",
        path="/v1/responses",
        raw_query="",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=b"",
        source_ip=EDGE,
        request_id="1",
    )


def test_beside_the_secret_the_viewer_is_believed() -> None:
    asked = call(x_pulse_origin="1-secret", x_pulse_viewer=VIEWER)
    assert viewer_address(asked, Door("1-secret")) == VIEWER


@pytest.mark.parametrize("shown", ["", "1-secre", "1-secret1", "1-SECRET", "sécret", "\ud800"])
def test_beside_anything_else_it_is_not(shown: str) -> None:
    assert (
        viewer_address(call(x_pulse_origin=shown, x_pulse_viewer=VIEWER), Door("1-secret")) == EDGE
    )


def test_a_header_alone_is_not_believed() -> None:
    assert viewer_address(call(x_pulse_viewer=VIEWER), Door("1-secret")) == EDGE


def test_without_a_secret_nobody_is_believed() -> None:
    assert viewer_address(call(x_pulse_origin="", x_pulse_viewer=VIEWER), Door("")) == EDGE


@pytest.mark.parametrize("headers", [{}, {"x_pulse_viewer": ""}])
def test_where_cloudfront_says_nothing_its_own_address_is_left(headers: dict[str, str]) -> None:
    assert viewer_address(call(x_pulse_origin="1-secret", **headers), Door("1-secret")) == EDGE
