"""Rows that are set aside keep everything but addresses."""

import json
from typing import Any

import pytest

from pulse.raw.quarantine import message_line, row_line


def country_of(address: Any) -> str | None:
    return {"203.0.113.7": "DE", "::1": "AT"}.get(address)


def aside(body: str, client_ip: str | None = None) -> Any:
    line = message_line("not a message", 0, body, client_ip, country_of)
    return json.loads(line)["message"]


ADDRESSES = ["203.0.113.7", "2001:db8::1", "::1", "::ffff:203.0.113.7", "2001:DB8:0:0:0:0:0:1"]


def test_a_row_is_kept_with_its_reason_and_without_its_address() -> None:
    item = {"score": "x", "ip": "203.0.113.7", "comment": "two\nlines \x00 😀 \ud800"}
    line = row_line("score must be a int", "responses", 1_795_262_400_000_000, {"item": item})
    assert "\n" not in line
    assert json.loads(line) == {
        "format": 3,
        "reason": "score must be a int",
        "stream": "responses",
        "received": "2026-11-21T12:00:00Z",
        "row": {"item": {"score": "x", "comment": "two\nlines \x00 😀 \ud800"}},
    }


def test_a_message_is_kept_without_the_addresses_in_its_items() -> None:
    body = json.dumps({"v": 2, "client_ip": "::1", "items": [{"ip": "203.0.113.7", "a": [1]}]})
    assert aside(body) == {"v": 2, "items": [{"country": "DE", "a": [1]}]}


@pytest.mark.parametrize("address", ADDRESSES)
def test_text_that_is_no_json_is_kept_without_anything_like_an_address(address: str) -> None:
    assert aside(f'{{"ip": "{address}", "score": 5') == '{"ip": "[address removed]", "score": 5'


def test_a_body_nested_without_end_is_kept_as_text() -> None:
    assert "[[[[" in aside("[" * 100_000)


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ({"key_kind": "publishable"}, {"key_kind": "publishable", "country": "AT"}),
        (
            {"key_kind": "publishable", "country": "FR"},
            {"key_kind": "publishable", "country": "FR"},
        ),
        ({"key_kind": "secret"}, {"key_kind": "secret"}),
        (
            {"key_kind": "secret", "items": [{"ip": "203.0.113.7"}, {"ip": 5}, "text"]},
            {"key_kind": "secret", "items": [{"country": "DE"}, {}, "text"]},
        ),
        (
            {"items": [{"ip": "203.0.113.7", "country": "FR"}, {"ip": "198.51.100.1"}]},
            {"items": [{"country": "FR"}, {}]},
        ),
        ([], []),
        (5, 5),
    ],
)
def test_the_country_stays_in_the_place_of_the_address(message: Any, kept: Any) -> None:
    assert aside(json.dumps(message), "::1") == kept
