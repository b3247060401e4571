"""Conditional requests, compression, and consecutive pages."""

import base64
import gzip
import json
from datetime import date

import pytest

from pulse.http import Door, reply_to
from pulse.serve.service import Reports
from pulse.settings import ServeReportsSettings
from tests.integration.serve_reports.calling import ANSWERS, NOON_US, get, later, publish, sample
from tests.unit.serve.events import Answer


def test_a_reply_may_be_kept_by_its_caller_alone() -> None:
    headers = get("daily").headers
    assert headers["Cache-Control"] == "private, max-age=60"
    assert headers["Vary"] == "Authorization, X-Api-Key, Accept, Accept-Encoding"


def test_what_the_caller_has_is_not_sent_again() -> None:
    etag = get("daily").headers["ETag"]
    assert etag.startswith('W/"')  # one for the reply in both codings
    for named in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
        reply = get("daily", if_none_match=named)
        assert (reply.status, reply.body, reply.headers["ETag"]) == (304, "", etag)
        assert "Vary" in reply.headers
    assert get("daily", if_none_match='"other"').status == 200
    assert get("daily", "channel=chat", if_none_match=etag).status == 200
    assert get("daily", if_none_match=etag, accept="text/csv").status == 200


COMPRESSED = "group_by=agent,country&preset=all_time&granularity=day&fill=true"


def test_a_long_reply_is_compressed_for_who_takes_it_so() -> None:
    plain = get("daily", COMPRESSED)
    sent = get("daily", COMPRESSED, accept_encoding="br, gzip")
    assert len(plain.body) > 10 * len(sent.body)
    assert sent.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(base64.b64decode(sent.body)).decode() == plain.body
    assert sent.headers["ETag"] == plain.headers["ETag"]
    assert sent.headers["Vary"] == plain.headers["Vary"]
    assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize("accept_encoding", ["", "gzip"])
def test_whichever_form_the_caller_has_is_not_sent_again(accept_encoding: str) -> None:
    etag = get("daily", COMPRESSED, accept_encoding="gzip").headers["ETag"]
    reply = get("daily", COMPRESSED, accept_encoding=accept_encoding, if_none_match=etag)
    assert (reply.status, reply.body, reply.headers["ETag"]) == (304, "", etag)
    assert "Content-Encoding" not in reply.headers


def test_pages_follow_one_another_until_a_build_comes_between() -> None:
    query = "group_by=agent&preset=all_time&limit=2"
    first = get("daily", query).json
    second = get("daily", f"{query}&cursor={first['next_cursor']}").json
    assert len(first["rows"]) == len(second["rows"]) == 2
    assert first["rows"][1] != second["rows"][0]
    publish([*ANSWERS, Answer(date(2026, 11, 20), 1)], NOON_US)
    with later(61):
        reply = get("daily", f"{query}&cursor={first['next_cursor']}")
        assert (reply.status, reply.code) == (409, "cursor_outdated")
        assert "start over" in reply.json["detail"]


def test_a_cursor_from_a_process_that_knows_a_newer_build_is_followed() -> None:
    query = "group_by=agent&preset=all_time&limit=2"
    get("daily", query)  # this process remembers the old objects for a minute
    publish([*ANSWERS, Answer(date(2026, 11, 20), 1)], NOON_US)
    another = Reports.from_settings(ServeReportsSettings.from_environment())
    event = sample("daily") | {"rawQueryString": query}
    cursor = json.loads(reply_to(another.routes, event, Door(""))["body"])["next_cursor"]
    assert get("daily", f"{query}&cursor={cursor}").status == 200
