"""A thousand agents with the most difficult names come back as they were sent.

Through ingest, the lake, Athena, JSON, CSV, filters, cursors and exports. In CSV alone, a name
that a spreadsheet would run as a formula has an apostrophe before it.
"""

import csv
import io
import json
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote

import pyarrow as pa
import pytest
import requests
from pyarrow import parquet

from pulse import days
from pulse.csv_cells import unguard
from pulse.tenants.rules import Rule
from tests.driver import Driver, Reply, running

pytestmark = pytest.mark.only_whole

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PIECES = (
    ",",
    ",,",
    '"',
    '""',
    "'",
    "''",
    ";",
    "\n",
    "\r\n",
    "\r",
    "\t",
    " ",
    "\u00a0",
    "\u2028",
    "\x07",
    "\x1b[31m",
    "\ufeff",
    "=cmd|' /C calc'!A0",
    "=1+1",
    "+44 20",
    "-5",
    "@SUM(A1:A9)",
    '=HYPERLINK("http://example.com","click")',
    "!",
    "%",
    "%2C",
    "%00",
    "+",
    "&",
    "#",
    "?a=b",
    "/../",
    "\\",
    "\\n",
    "\\u0041",
    "null",
    "(none)",
    "NaN",
    "1e5",
    "00123",
    "<script>alert(1)</script>",
    "'; DROP TABLE daily_scores; --",
    "/* */ --",
    ":day",
    "${x}{y}",
    "مرحبا بالعالم",
    "שלום",
    "\u202eelpmaxe\u202c",
    "李小龍",
    "Zoë Müller",
    "Zoe\u0308",  # the same to the eye as Zoë, and another text
    "İstanbul",
    "ß",
    "🦊",
    "👩‍👩‍👧‍👦",
    "🇩🇪",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
)
FORMULA = tuple("=+-@＝＋－＠")
RANGE = "preset=last_7_days&metric=csat"


def names(count: int) -> list[str]:
    """Every piece alone, then mixtures of them, all different and of 128 characters at most.

    They are in the one form that names have: NFC, and without blanks around them.
    """
    chance = random.Random(11)
    found = dict.fromkeys(unicodedata.normalize("NFC", piece).strip() for piece in PIECES)
    while len(found) < count + 2:
        mixed = "".join(chance.choices(PIECES, k=chance.randint(2, 5)))[:128]
        found[unicodedata.normalize("NFC", mixed).strip()] = None
    return [name for name in found if name not in ("", "(none)")][:count]  # mean: not given


NAMES = names(1_000)


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    """A tenant with one answer of each agent."""
    with days.clock(lambda: NOW), running() as driver:
        driver.tenant("acme")
        driver.survey("acme", "mail", Rule.make("csat", 1, 5))
        sent = [
            {
                "survey_id": "mail",
                "response_id": f"r{number}",
                "answered_at": "2026-11-20T10:00:00Z",
                "score": 1 + number % 5,
                "agent_id": name,
                "agent_name": name,
            }
            for number, name in enumerate(NAMES)
        ]
        for start in range(0, len(sent), 250):
            reply = driver.post("acme", sent[start : start + 250])
            assert reply.json["rejected"] == []
        driver.build()
        yield driver


def get(pulse: Driver, query: str) -> Reply:
    path = f"/v1/reports/agents?{RANGE}&{query}"
    answer = pulse.call("GET", path, key=pulse.key("acme", "secret"))
    assert answer.status == 200, answer.body
    return answer


def posted(pulse: Driver, **more: Any) -> list[dict[str, Any]]:
    """The rows of a question that is too long for an address."""
    body = json.dumps({**dict(parse_qsl(RANGE)), **more})
    key = pulse.key("acme", "secret")
    answer = pulse.call("POST", "/v1/reports/agents", key=key, body=body)
    assert answer.status == 200, answer.body
    rows: list[dict[str, Any]] = answer.json["rows"]
    return rows


def cells(body: str) -> list[str]:
    """The agents of a CSV, as a strict reader reads it."""
    return [row["agent"] for row in csv.DictReader(io.StringIO(body, newline=""), strict=True)]


def scores(rows: list[dict[str, Any]]) -> dict[str, float]:
    found = {row["agent"]: row["average"] for row in rows}
    assert len(found) == len(rows)
    return found


SCORES = {name: float(1 + number % 5) for number, name in enumerate(NAMES)}


def test_json_tells_every_name_as_it_was_sent(pulse: Driver) -> None:
    assert scores(get(pulse, "limit=1000").json["rows"]) == SCORES


def test_csv_tells_every_name_and_none_is_a_formula(pulse: Driver) -> None:
    body = get(pulse, "format=csv").body
    found = cells(body)
    assert sorted(map(unguard, found)) == sorted(NAMES)
    assert not [cell for cell in found if cell.strip().startswith(FORMULA)]


def test_a_filter_finds_each_name_and_no_other(pulse: Driver) -> None:
    for name in NAMES:
        rows = get(pulse, f"agent={quote(name, safe='')}").json["rows"]
        assert scores(rows) == {name: SCORES[name]}


def test_a_filter_takes_many_names_at_once_and_their_negation_leaves_the_others(
    pulse: Driver,
) -> None:
    some = NAMES[::3]
    assert set(scores(posted(pulse, agent=some))) == set(some)
    listed = ",".join(quote(name, safe="") for name in some)
    assert set(scores(posted(pulse, agent=f"!{listed}"))) == set(NAMES) - set(some)


@pytest.mark.parametrize("order", ["agent", "-agent", "score,-agent"])
def test_a_cursor_goes_through_all_names_once_in_order(pulse: Driver, order: str) -> None:
    whole = [row["agent"] for row in get(pulse, f"limit=1000&order_by={order}").json["rows"]]
    query: str | None = f"limit=137&order_by={order}"
    found: list[str] = []
    while query:
        page = get(pulse, query).json
        found += [row["agent"] for row in page["rows"]]
        query = f"limit=137&order_by={order}&cursor={c}" if (c := page["next_cursor"]) else None
    assert found == whole
    assert sorted(found) == sorted(NAMES)


def test_the_pages_of_a_csv_hold_all_names_once(pulse: Driver) -> None:
    path: str | None = f"/v1/reports/agents?{RANGE}&format=csv&limit=137"
    found: list[str] = []
    while path:
        page = pulse.call("GET", path, key=pulse.key("acme", "secret"))
        found += cells(page.body)
        link = re.fullmatch(r'<([^<>"\s]+)>; rel="next"', page.headers.get("Link", ""))
        path = link[1] if link else None
    assert sorted(map(unguard, found)) == sorted(NAMES)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_export_holds_every_name_as_it_was_sent(pulse: Driver, kind: str) -> None:
    asked = {"stream": "responses", "start_date": "2026-11-20", "end_date": "2026-11-20"}
    link = pulse.export("acme", **asked, format=kind)["link"]
    body = requests.get(link, timeout=10).content
    if kind == "csv":
        assert sorted(map(unguard, cells(body.decode()))) == sorted(NAMES)
    else:
        rows = parquet.ParquetFile(pa.BufferReader(body)).read()
        for column in ("agent", "agent_name"):
            assert Counter(rows[column].to_pylist()) == Counter(NAMES)
