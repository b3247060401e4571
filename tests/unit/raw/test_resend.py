"""A row that was set aside becomes the message again in which it came."""

import json
from typing import Any

import pytest

from pulse import days, lake
from pulse.ingest.message import Message
from pulse.raw.resend import LineFilter, QuarantineLine, UnsendableError
from pulse.raw.rows import Origin, Row, row_of
from tests import format_samples as samples

pytestmark = pytest.mark.usefixtures("noon")


def lines(number: str) -> list[QuarantineLine]:
    body = (samples.FOLDER / "quarantine" / number / "lines.json").read_text()
    return [QuarantineLine.read("quarantine/key", text) for text in body.splitlines()]


def row(body: str, client_ip: str | None = None) -> Row:
    message = Message.decode(body)
    return row_of(message.items[0], 0, Origin(message, client_ip, "UTC"), samples.COUNTRIES)[1]


def stored(**item: Any) -> Row:
    """The row that the examples would have become."""
    message = samples.sent("responses")
    origin = Origin(message, "203.0.113.7", "UTC")
    return row_of({**message.items[0], **item}, 0, origin, samples.COUNTRIES)[1]


@pytest.mark.parametrize(
    ("number", "lost"),
    [
        ("1", {"country", "key_id", "linkable", *lake.TAG_SLOTS}),
        ("2", {"linkable", *lake.TAG_SLOTS}),
        ("3", set()),
    ],
)
def test_a_row_becomes_what_it_would_have_been(number: str, lost: set[str]) -> None:
    """Format 2 added country and key, format 3 tags that are dimensions and what may be linked."""
    first, whole = lines(number)
    with pytest.raises(ValueError, match="score must be a int"):
        row(first.body())
    made = row(first.with_values({"score": 4}).body())
    differing = {name for name, value in stored().items() if made[name] != value}
    assert differing - {"content_hash"} == lost
    made = row(json.dumps(json.loads(whole.body()) | {"tenant": "acme"}))
    assert {name for name, value in stored().items() if made[name] != value} - {
        "content_hash"
    } == lost


def test_an_item_of_a_batch_was_received_when_it_was() -> None:
    first, _ = lines("2")
    later = {**first.told, "received": days.iso(samples.NOON_US + 7)}
    assert Message.decode(QuarantineLine("", later).body()).received_us == samples.NOON_US + 7


@pytest.mark.parametrize("country", [None, "FR"])
def test_a_servers_item_keeps_the_country_that_its_address_told(country: str | None) -> None:
    item = {name: value for name, value in samples.RESPONSE.items() if name != "country"}
    given = {"tenant": "acme", "key_kind": "secret", "user_agent": None, "country": "DE"}
    item |= {"country": country} if country else {}
    line = QuarantineLine("", {**lines("2")[0].told, "row": {**given, "item": item}})
    assert row(line.body())["country"] == (country or "DE")


@pytest.mark.parametrize(
    "about",
    [
        {"message": "no JSON"},
        {"message": {"v": 1}},
        {"message": {"v": 9, "stream": "responses"}},
        {"message": ["a"]},
        {"row": {"tenant": "acme", "key_kind": "secret", "item": "text"}},
        {"row": {"tenant": None, "key_kind": "secret", "item": {}}},
        {"row": {"tenant": "acme", "item": {}}},
    ],
)
def test_what_is_no_message_has_to_be_mended_first(about: Any) -> None:
    line = QuarantineLine(
        "", {"reason": "r", "stream": "responses", "received": days.iso(1), **about}
    )
    with pytest.raises(UnsendableError, match=r"\w"):
        line.body()
    assert isinstance(line.event_ids, list)
    assert line.stream in ("responses", "unknown")


def test_a_mark_changes_no_lines_name() -> None:
    first, _ = lines("2")
    assert first.marked.id == first.id
    assert (first.marked.is_marked, first.is_marked) == (True, False)
    assert QuarantineLine.read("", first.marked.text).id == first.id
    assert first.with_values({"score": 4}).id != first.id


@pytest.mark.parametrize(
    ("wanted", "held"),
    [
        (LineFilter(), ["row", "message"]),
        (LineFilter(tenant="acme"), ["row"]),
        (LineFilter(tenant="gone"), ["message"]),
        (LineFilter(stream="responses"), ["row", "message"]),
        (LineFilter(stream="sessions"), []),
        (LineFilter(reason="no tenant"), ["message"]),
    ],
)
def test_which_lines_are_meant(wanted: LineFilter, held: list[str]) -> None:
    found = [line for line in lines("2") if wanted.holds(line)]
    assert [kind for line in found for kind in ("row", "message") if kind in line.told] == held
