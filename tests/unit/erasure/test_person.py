"""Finding a person's id as a whole value in texts that cannot be parsed."""

import json
from typing import Any

import pytest

from pulse import days
from pulse.erasure.person import Person, is_line_of, mended
from pulse.ingest.message import Message
from pulse.tombstones import interaction_hash

PERSON = Person("acme", "C-1", "UTC", days.DAY)


@pytest.mark.parametrize(
    ("body", "removed"),
    [
        ("not JSON, C-1 said", True),
        ("not JSON: C-1, who said", True),
        ('{"customer": "C-1", ', True),
        ("not JSON, C-12 said", False),
        ("not JSON, XC-1 said", False),
        ("not JSON, C-1.5 said", False),
        ("not JSON, C-1@example.com said", False),
        ('{"deep": [{"customer": "C-1"}]}', True),
        ('{"C-1": true}', True),
        ('{"deep": [{"customer": "C-12"}]}', False),
        ("[" * 100_000 + '"C-1"', True),
    ],
)
def test_a_message_that_cannot_be_read_is_theirs_if_it_names_them(body: str, removed: bool) -> None:
    assert (mended(body, PERSON).body is None) is removed


def test_an_id_is_found_as_json_would_have_escaped_it() -> None:
    person = Person("acme", 'Zoë "Z"', "UTC", days.DAY)
    assert mended(json.dumps({"who": person.customer})[:-1], person).body is None


@pytest.mark.parametrize(
    ("told", "theirs"),
    [
        ({"row": {"tenant": "acme", "item": {"customer": "C-1"}}}, True),
        ({"row": {"tenant": "acme", "item": {"agent": "C-1"}}}, True),
        ({"row": {"tenant": "acme", "item": "C-1"}}, True),
        ({"row": {"tenant": "acme", "item": {"customer": "C-2"}}}, False),
        ({"row": {"tenant": "umbrella", "item": {"customer": "C-1"}}}, False),
        ({"message": {"tenant": "umbrella", "items": [{"customer": "C-1"}]}}, False),
        ({"message": {"tenant": ["?"], "items": [{"customer": "C-1"}]}}, True),
        ({"message": "C-1 said"}, True),
        ({"message": ["C-2"]}, False),
        ({"message": "C-1 said", "received": "1970-01-02T00:00:01Z"}, False),
    ],
)
def test_a_line_that_was_set_aside_is_theirs_if_it_may_be(
    told: dict[str, object], theirs: bool
) -> None:
    line = {"reason": "", "stream": "responses", "received": "1970-01-01T00:00:00Z"} | told
    assert is_line_of(json.dumps(line), PERSON) is theirs


def letter(stream: str, item: dict[str, Any], key_kind: str = "secret") -> str:
    times = {"answered_us": 1, "entered_us": 1}
    return Message(stream, "acme", key_kind, 1, "r", ({**times, **item},)).encode()


MINE = letter("interactions", {"interaction_id": "T-1", "customer": "C-1"})
ANOTHERS = letter("interactions", {"interaction_id": "T-1", "customer": "C-2"})
ANSWER = {"survey": "email", "response_id": "r-1", "interaction": "T-1"}


@pytest.mark.parametrize(
    ("letters", "is_theirs"),
    [
        ([MINE], True),
        ([letter("responses", ANSWER | {"customer": "C-1"})], True),
        ([letter("responses", ANSWER | {"customer": "C-1"}, "publishable")], False),
        ([letter("responses", ANSWER | {"customer": "C-1"}, "publishable"), MINE], True),
        ([MINE, ANOTHERS], False),
        ([ANOTHERS, MINE], False),
        ([ANOTHERS], False),
        ([MINE, letter("responses", ANSWER | {"customer": "C-2"})], True),
    ],
)
def test_whose_an_interaction_is_is_known_when_all_letters_are_read(
    letters: list[str], is_theirs: bool
) -> None:
    person = Person("acme", "C-1", "UTC", days.DAY)
    for body in letters:
        mended(body, person)
    assert interaction_hash("acme", "T-1") not in person.hashes
    person.settle()
    assert (interaction_hash("acme", "T-1") in person.hashes) is is_theirs
    nobodys = letter("interactions", {"interaction_id": "T-1"})
    assert (mended(nobodys, person).body is None) is is_theirs


def test_what_a_newer_version_added_to_a_letter_stays_in_it() -> None:
    both = json.loads(MINE) | {"mood": "calm"}
    both["items"] = [*both["items"], {"interaction_id": "T-2", "entered_us": 1, "tone": "low"}]
    new = mended(json.dumps(both), Person("acme", "C-1", "UTC", days.DAY)).body
    assert json.loads(new or "") == both | {"items": both["items"][1:]}


@pytest.mark.parametrize(
    ("items", "left"),
    [
        ([{"who": "C-1"}, {"who": "C-2"}], [{"who": "C-2"}]),
        ([{"who": ["C-1"]}], None),
        ([{"who": "C-2"}], [{"who": "C-2"}]),
    ],
)
def test_a_letter_for_a_newer_version_loses_only_what_names_the_person(
    items: list[Any], left: list[Any] | None
) -> None:
    newer = {"v": 2, "format": 9, "tenant": "acme", "stream": "moods", "items": items}
    new = mended(json.dumps(newer), Person("acme", "C-1", "UTC", days.DAY))
    assert new.removed == len(items) - len(left or [])
    assert (json.loads(new.body) if new.body else None) == (
        newer | {"items": left} if left else None
    )
