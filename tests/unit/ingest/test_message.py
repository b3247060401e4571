"""The message between ingest and write_raw."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pulse.errors import NewerFormatError
from pulse.ingest.message import Message, with_items

GOOD = Message("responses", "demo", "secret", 1, "id", ({"score": 5},), None)


@given(st.text(), st.dictionaries(st.text(), st.text()), st.none() | st.text())
def test_a_message_comes_out_as_it_went_in(
    comment: str, tags: dict[str, str], user_agent: str | None
) -> None:
    response = {"score": 4, "comment": comment, "tags": tags, "ip": "203.0.113.7"}
    sent = Message("responses", "demo", "secret", 7, "id", (response,), user_agent)
    body = sent.encode()
    assert body.isascii()
    assert not any(letter < " " for letter in body)
    assert replace(Message.decode(body), format=1) == sent


@given(st.text(alphabet=st.characters(categories=["L", "So", "Cc"], exclude_characters="\x7f")))
def test_no_text_grows_beyond_three_times_its_length_in_a_request(text: str) -> None:
    in_request = len(json.dumps(text, ensure_ascii=False).encode())
    empty = Message("responses", "demo", "secret", 1, "id", ({"comment": ""},), None)
    full = Message("responses", "demo", "secret", 1, "id", ({"comment": text},), None)
    assert len(full.encode()) - len(empty.encode()) <= 3 * in_request


def test_a_letter_that_the_request_did_not_escape_stays_one_byte() -> None:
    full = Message("responses", "demo", "secret", 1, "id", ({"comment": "\x7f" * 1000},), None)
    assert len(full.encode()) < 1200


@pytest.mark.parametrize(
    "body",
    [
        "",
        "text",
        "[]",
        "[" * 100_000,
        json.dumps({"v": 1}),
        GOOD.encode().replace('"v":1', '"v":0'),
        GOOD.encode().replace('"v":1', '"v":"2"'),
        GOOD.encode().replace('"responses"', "5"),
        GOOD.encode().replace('"received_us":1', '"received_us":1.5'),
        GOOD.encode().replace('"received_us":1', '"received_us":true'),
        GOOD.encode().replace('"received_us":1', f'"received_us":{10**30}'),
        GOOD.encode().replace('"received_us":1', '"received_us":-1'),
        GOOD.encode().replace('[{"score":5}]', "{}"),
        GOOD.encode().replace('"format":3', '"user_agent":5'),
    ],
)
def test_anything_else_is_a_value_error(body: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Message.decode(body)


def test_what_only_a_newer_version_understands_is_no_value_error() -> None:
    """Such a message is not set aside for ever, but waits."""
    newer = {"v": 2, "format": 9, "streams": ["responses"]}
    with pytest.raises(NewerFormatError):
        Message.decode(json.dumps(newer))


def test_what_a_newer_version_has_added_is_passed_over() -> None:
    newer = json.loads(GOOD.encode()) | {"format": 9, "mood": {"of": "the caller"}}
    assert Message.decode(json.dumps(newer)) == replace(GOOD, format=9)


def test_other_items_leave_all_else_as_it_was_written() -> None:
    newer = json.loads(GOOD.encode()) | {"v": 2, "format": 9, "mood": "naïve"}
    body = with_items(json.dumps(newer), [{"score": 7}])
    assert body.isascii()
    assert json.loads(body) == newer | {"items": [{"score": 7}]}
