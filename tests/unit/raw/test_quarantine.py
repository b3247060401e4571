"""What is set aside keeps everything but addresses."""

import json

import pytest

from pulse.raw.quarantine import message_line, row_line

ADDRESSES = ["203.0.113.7", "2001:db8::1", "::1", "::ffff:203.0.113.7", "2001:DB8:0:0:0:0:0:1"]


def test_a_row_is_kept_with_its_reason_and_without_its_address() -> None:
    item = {"score": "x", "ip": "203.0.113.7", "comment": "two\nlines \x00 😀 \ud800"}
    line = row_line("score must be a int", "responses", 1_795_262_400_000_000, {"item": item})
    assert "\n" not in line
    assert json.loads(line) == {
        "reason": "score must be a int",
        "stream": "responses",
        "received": "2026-11-21T12:00:00Z",
        "row": {"item": {"score": "x", "comment": "two\nlines \x00 😀 \ud800"}},
    }


def test_a_message_is_kept_without_the_addresses_in_its_items() -> None:
    body = json.dumps({"v": 2, "client_ip": "::1", "items": [{"ip": "203.0.113.7", "a": [1]}]})
    kept = json.loads(message_line("not a message", "unknown", 0, body))["message"]
    assert kept == {"v": 2, "items": [{"a": [1]}]}


@pytest.mark.parametrize("address", ADDRESSES)
def test_text_that_is_no_json_is_kept_without_anything_like_an_address(address: str) -> None:
    line = message_line("not JSON", "unknown", 0, f'{{"ip": "{address}", "score": 5')
    assert json.loads(line)["message"] == '{"ip": "[address removed]", "score": 5'


def test_a_body_nested_without_end_is_kept_as_text() -> None:
    assert "[[[[" in message_line("not JSON", "unknown", 0, "[" * 100_000)
