"""What write_raw sets aside, what is delivered again, and what is never logged of it."""

import io
import json
import logging
from datetime import date
from typing import Any

import pytest

from functions.write_raw import app
from pulse import days
from pulse.errors import SettingsError
from pulse.observe import logger
from pulse.store.names import Names
from pulse.store.objects import Objects
from tests.raw_messages import T0, aside, item, record, refusing, rows, versions, write

pytestmark = pytest.mark.usefixtures("noon")


# -- what is set aside


def test_a_row_that_is_wrong_is_set_aside_and_its_neighbours_are_stored(
    lake_objects: Objects,
) -> None:
    bad = item(2, score="five", ip="203.0.113.7")
    assert write(record("a", item(1), bad, "text", item(3))) == []

    assert [row["response_id"] for row in rows(lake_objects)] == ["r-1", "r-3"]
    first, second = aside(lake_objects)
    kept = {name: value for name, value in bad.items() if name != "ip"}
    assert first == {
        "format": 3,
        "reason": "score must be a int",
        "stream": "responses",
        "received": "2026-11-21T12:00:00.000001Z",  # as the item that it is
        "row": {
            "tenant": "demo",
            "key_kind": "secret",
            "key_id": None,
            "user_agent": None,
            "country": first["row"]["country"],
            "item": kept,
        },
    }
    assert (second["reason"], second["row"]["item"]) == ("an item must be an object", "text")


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        ({"tenant": "nobody"}, "there is no tenant 'nobody'"),
        ({"tenant": ""}, "there is no tenant ''"),
        ({"tenant": "../demo"}, "there is no tenant '../demo'"),
        ({"stream": "clicks"}, "there is no stream 'clicks'"),
        ({"v": 0}, "no message: Invalid value 0 - at `$.v`"),
        ({"items": None}, "no message: Expected `array`, got `null` - at `$.items`"),
    ],
)
def test_a_message_that_is_none_of_ours_is_set_aside(
    lake_objects: Objects, envelope: dict[str, Any], reason: str
) -> None:
    assert write(record("a", item(), **envelope)) == []
    (line,) = aside(lake_objects)
    assert line["reason"] == reason
    assert line["message"] == json.loads(record("a", item(), **envelope)["body"])
    assert rows(lake_objects) == []


# -- what comes again


def test_a_message_for_a_newer_version_comes_again_until_it_is_a_dead_letter(
    lake_objects: Objects,
) -> None:
    newer = record("newer", body='{"v": 2, "format": 9, "streams": ["what it says of itself"]}')
    assert write(record("a", item(1)), newer) == ["newer"]
    assert [row["response_id"] for row in rows(lake_objects)] == ["r-1"]
    assert aside(lake_objects) == []


def test_what_a_newer_version_adds_to_a_message_is_passed_over(lake_objects: Objects) -> None:
    more = record("a", item(1, mood="calm"), format=9, mood={"of": "the caller"})
    assert write(more) == []
    assert [row["response_id"] for row in rows(lake_objects)] == ["r-1"]


def test_a_day_that_cannot_be_stored_fails_only_the_messages_that_have_rows_in_it(
    lake_objects: Objects,
) -> None:
    yesterday = T0 - days.DAY
    records = [
        record("today", item(1)),
        record("both", item(2), item(3, answered_us=yesterday)),
        record("yesterday", item(4, answered_us=yesterday)),
    ]
    with refusing("s3.PutObject", lambda request: "2026-11-20" in request.url):
        assert write(*records) == ["both", "yesterday"]
    assert versions() == {date(2026, 11, 21): 1}
    assert sorted(row["response_id"] for row in rows(lake_objects)) == ["r-1", "r-2"]

    assert write(*records[1:]) == []
    assert versions() == {date(2026, 11, 20): 1, date(2026, 11, 21): 2}


def test_an_object_that_the_ledger_does_not_count_fails_its_messages(
    lake_objects: Objects,
) -> None:
    write(record("first", item(1)))
    with refusing("dynamodb.UpdateItem"):
        assert write(record("a", item(2))) == ["a"]
    assert versions() == {date(2026, 11, 21): 1}


def test_a_message_is_not_done_before_its_bad_row_is_set_aside(lake_objects: Objects) -> None:
    with refusing("s3.PutObject", lambda request: "quarantine" in request.url):
        assert write(record("a", item(1), "bad"), record("b", item(2))) == ["a"]
    assert len(rows(lake_objects)) == 2


def test_a_table_that_does_not_answer_fails_the_message_and_sets_nothing_aside(
    lake_objects: Objects,
) -> None:
    with refusing("dynamodb.GetItem"):
        assert write(record("a", item())) == ["a"]
    assert aside(lake_objects) == []
    assert write(record("a", item())) == []


def test_a_name_that_cannot_be_noted_fails_no_message(lake_objects: Objects) -> None:
    named = item(agent="a1", agent_name="Ada")
    with refusing("dynamodb.UpdateItem", fail_fast=True):
        assert write(record("a", named)) == []
    assert len(rows(lake_objects)) == 1
    assert Names("pulse").agents("demo") == {}
    assert write(record("b", named)) == []
    assert Names("pulse").agents("demo") == {"a1": "Ada"}


# -- the country database


def test_a_country_database_that_is_none_is_an_error_that_names_it(lake_objects: Objects) -> None:
    lake_objects.put("config/test.mmdb", b"not a database")
    with pytest.raises(SettingsError, match=r"s3://lake/config/test\.mmdb"):
        write(record("a", item()))


# -- silence


def test_no_log_line_holds_a_body_an_address_or_a_user_agent(
    lake_objects: Objects, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = io.StringIO()
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    stream = handler.setStream(lines)
    secret = item(1, comment="a secret", customer="c-4711", ip="203.0.113.7", user_agent="Lynx/2")
    with refusing("s3.PutObject"):
        write(
            record("a", secret, ip="198.51.100.20"),
            record("b", secret | {"score": "a secret"}),
            record("c", body="a secret"),
        )
    with refusing("dynamodb.GetItem"):
        app.stage.cache_clear()
        write(record("d", secret))
    if stream is not None:
        handler.setStream(stream)

    logged = lines.getvalue() + "".join(capsys.readouterr())
    assert "object not stored" in logged
    assert "message not read" in logged
    for told in ("a secret", "c-4711", "203.0.113.7", "198.51.100.20", "Lynx"):
        assert told not in logged
