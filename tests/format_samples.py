"""One small example of everything that one version of Pulse writes and another one reads.

`python -m tests.format_samples` writes what this version makes below tests/formats/, in the folder
of each format's present number. What lies in the folder of a number that has been released stays
as it is: it is how that version wrote. So a file that says the same as what is made stays, too,
though this version may encode it otherwise.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from moto import mock_aws
from pyarrow.parquet import ParquetFile

from pulse import days, formats, lake
from pulse.comments.month import SCHEMA as COMMENTS_SCHEMA
from pulse.comments.month import Month
from pulse.days import DateRange
from pulse.ingest.message import Message
from pulse.raw import parquet, quarantine
from pulse.raw.rows import Origin, row_of
from pulse.reports import rollups, tenant_year
from pulse.reports.rollups import ROLLUPS, Rollup
from pulse.store.changes import Settled
from pulse.store.clients import client
from pulse.store.erasures import Erasures
from pulse.store.ledger import Ledger
from pulse.store.records import Record, _record
from pulse.store.tenants import Tenants
from pulse.streams import STREAMS
from pulse.tenants.keys import Key
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Display, Survey, Texts
from pulse.tenants.tenant import CUBE, Behind, Part, Tenant, YearState
from pulse.tombstones import Erasure, customer_hash
from pulse.unbuilt import Unbuilt
from tests.account import make_table

FOLDER = Path(__file__).parent / "formats"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOON_US = days.to_us(NOON)
DAY = date(2026, 11, 21)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

KEY_ID = "3f9a1c0b77de"
RESPONSE: Mapping[str, Any] = dict(
    survey="checkout",
    metric="csat",
    scale="1-5:good5",
    response_id="r-1",
    answered_us=NOON_US - 5,
    score=4,
    channel="chat",
    agent="A-7",
    agent_name="Zoë",
    customer="C-1042",
    interaction="I-1",
    comment="naïve 😀",
    tags={"shop": "Graz", "floor": "2"},
    tag1="Graz",
    tag2="2",
    tag3="pro",
    tag4="north",
    linkable=True,
    country="AT",
    ip="203.0.113.7",
    user_agent=FIREFOX,
)
INTERACTION: Mapping[str, Any] = dict(
    interaction_id="I-1",
    media_type="voice",
    entered_us=NOON_US - 3_600_000_000,
    updated_us=NOON_US - 60_000_000,
    customer_segment="gold",
    service_type="billing",
    agent="A-7",
    agent_name="Zoë",
    customer="C-1042",
    offered_us=NOON_US - 3_590_000_000,
    accepted_us=NOON_US - 3_580_000_000,
    first_response_us=NOON_US - 3_580_000_000,
    finished_us=NOON_US - 3_000_000_000,
    abandoned=False,
    replies=2,
    satisfaction="4.5",
    revenue="-120.0001",
    currency="EUR",
    accept_threshold_us=20_000_000,
    first_response_threshold_us=20_000_000,
    finish_threshold_us=300_000_000,
    entered_by_day=False,
    accepted_by_day=False,
    first_response_by_day=False,
    finished_by_day=True,
    synchronous=True,
)
YEAR = YearState(
    parts=(
        Part("01KBJP3E00SAMPLENEWER0000", frozenset({DAY}), {CUBE: 900}, carried=40),
        Part(
            "01KBJP3E00SAMPLE0LDER0000",
            frozenset({date(2026, 1, 1), DAY}),
            {"month-metric-scale": 500},
            laid={"01KBJP3E00SAMPLELAID00000": frozenset({date(2026, 1, 1), DAY})},
        ),
    ),
    content="built from this",
    as_of_us=NOON_US,
    first_day=date(2026, 1, 1),
    revision=7,
    owed=frozenset({date(2026, 12, 31)}),
)
SESSION: Mapping[str, Any] = dict(
    session_id="S-1",
    agent="A-7",
    media_type="voice",
    day="2026-11-21",
    active_us=3_600_000_000,
    engaged_us=1_800_000_000,
)
EVENTS: Mapping[str, Mapping[str, Any]] = {
    "responses": RESPONSE,
    "interactions": INTERACTION,
    "sessions": SESSION,
}


class OneCountry:
    """A database that knows a single country."""

    def of(self, address: str | None) -> str | None:
        return "DE" if address else None


COUNTRIES: Any = OneCountry()


def sent(stream: str) -> Message:
    """A message of a stream with everything that it can hold."""
    return Message(
        stream=stream,
        tenant="acme",
        key_kind="publishable" if stream == "responses" else "secret",
        received_us=NOON_US,
        request_id="JKJaXmPLvHcESHA=",
        items=(EVENTS[stream],),
        user_agent=FIREFOX if stream == "responses" else None,
        country="DE" if stream == "responses" else None,
        key_id=KEY_ID,
    )


def messages() -> dict[str, bytes]:
    """The body of a message of each stream."""
    return {f"{stream}.json": sent(stream).encode().encode() for stream in EVENTS}


def raw_objects() -> dict[str, bytes]:
    """An object of each stream's events."""
    made = {}
    for stream in EVENTS:
        message = sent(stream)
        with days.clock(lambda: NOON):
            _, row = row_of(message.items[0], 0, Origin(message, "203.0.113.7", "UTC"), COUNTRIES)
        made[f"{stream}.parquet"] = parquet.encode([row], STREAMS[stream].columns)
    return made


def report_rows(dataset: lake.Dataset) -> list[dict[str, Any]]:
    """Two rows of a report table: each measure is a number of its own."""
    counts = dict(zip(dataset.measures, range(1, 100), strict=False))
    texts: dict[str, str | None] = {name: f"{name} 1" for name in dataset.dimensions}
    texts |= {"metric": "csat", "scale": "1-5"} if dataset is lake.SCORES else {}
    nothing = dict.fromkeys(dataset.dimensions[2:])
    return [{**texts, "day": DAY, **counts}, {**texts, **nothing, "day": DAY, **counts}]


def roll_up(dataset: lake.Dataset) -> Rollup:
    """One by month over the first two dimensions, whatever roll-ups are declared."""
    return Rollup("roll-up", dataset.dimensions[:2], "month")


def report_objects() -> dict[str, bytes]:
    """The cube of each table, and a roll-up of it."""
    made = {}
    for dataset in lake.DATASETS:
        cube = ROLLUPS[dataset.name][0]
        rows = pa.Table.from_pylist(report_rows(dataset), tenant_year.schema(dataset, cube))
        made[f"{dataset.name}.parquet"] = tenant_year.encode(dataset, cube, rows)
        fewer = roll_up(dataset)
        summed = rollups.roll_up(dataset, fewer, rows)
        made[f"{dataset.name}-{fewer.name}.parquet"] = tenant_year.encode(dataset, fewer, summed)
    return made


def comments() -> dict[str, bytes]:
    """A tenant's comments of a month: one with everything, and one with as little as there is."""
    texts = {name: str(RESPONSE.get(name, f"{name} 1")) for name in lake.COMMENT_TEXTS}
    known = {"day": DAY, "answered_us": NOON_US - 5, "score": 4}
    through = {name: (held or [f"{name} 1"])[0] for name, held in lake.COMMENT_EXPERIENCE.items()}
    full = {**known, **texts, **through, "tags": sorted(RESPONSE["tags"].items())}
    least = ("response_id", "key_kind", "survey", "metric", "scale", "channel", "comment")
    bare = {**known, **{name: texts[name] for name in least}, "answered_us": NOON_US}
    rows = pa.Table.from_pylist([full, bare], COMMENTS_SCHEMA)
    return {"month.parquet": Month(rows, {DAY: NOON_US}).encode()}


def set_aside() -> dict[str, bytes]:
    """What could not be read: a row, and a whole message."""
    body = json.dumps(json.loads(sent("responses").encode()) | {"tenant": "gone"})
    lines = [
        quarantine.row_line(
            "score must be a int",
            "responses",
            NOON_US,
            {
                "tenant": "acme",
                "key_kind": "publishable",
                "user_agent": FIREFOX,
                "country": "DE",
                "key_id": KEY_ID,
                "item": {**RESPONSE, "score": "four"},
            },
        ),
        quarantine.message_line(
            "there is no tenant 'gone'", NOON_US, body, "203.0.113.7", COUNTRIES.of
        ),
    ]
    return {"lines.json": "".join(f"{line}\n" for line in lines).encode()}


def records() -> dict[str, bytes]:
    """The records of the table."""
    with mock_aws(), days.clock(lambda: NOON):
        table = make_table()
        tenants, ledger = Tenants(table), Ledger(table)
        tenant = Tenant(
            "acme",
            "Acme",
            "Europe/Berlin",
            thresholds={"voice.accept": ((DAY, 20),)},
            dimensions={
                "shop": ((DAY, True), (DAY + days.ONE_DAY, False)),
                "floor": ((DAY, True),),
            },
        )
        tenants.create(tenant)
        tenants.set_year("acme", "scores", 2026, YEAR, before=None)
        rules = ((0, Rule.make("nps", 0, 10)), (NOON_US, Rule.make("csat", 1, 5, good=5)))
        display = Display("event", 5, "paid", 50, 7)
        texts = {"de": Texts("Wie war es?", "Danke", ("schlecht", "gut"))}
        survey = Survey("acme", "checkout", rules, "stars", texts, "de", display)
        tenants.put_survey(survey)
        tenants.set_signed(survey, {"agents": "signed"}, new_secret="of links")
        key = Key("ab" * 32, "report", "acme", NOON_US, ("checkout",), ("https://a.example",))
        tenants.add_key(key)
        ledger.add("responses", DAY)
        run = "01KBJP3E00SAMPLERUN000000"
        stand = ledger.changes.stands()["responses"]
        ledger.changes.begin("responses", run)
        ledger.claim("responses", DAY, version=1, run="01RUN", answers=1)
        ledger.note_compacted("responses", DAY, 1)
        unbuilt = Unbuilt("2", "FAILED: why", NOON_US - 9, NOON_US, 2, alone=True, failing=True)
        ledger.note_unbuilt("responses", DAY, unbuilt, before=None)
        settled = Settled(stand.changes, NOON_US - 5, NOON_US)
        ledger.changes.end(
            "responses",
            run,
            stand,
            published=True,
            failing=1,
            unbuilt=1,
            partial=True,
            settled=settled,
        )
        ledger.changes.begin("responses", "01KBJP3E00SAMPLEDEAD000000")
        days_of_it = (DateRange(DAY, DAY),)
        behind = Behind(failing=days_of_it, waiting=days_of_it, years={2025: unbuilt})
        tenants.set_behind("acme", {"scores": behind})
        hash = customer_hash("acme", "C-1042")
        gone = Erasure("acme", hash, frozenset({hash}), NOON_US, (("responses", DAY),))
        Erasures(table).add(gone)
        found = client("dynamodb").scan(TableName=table)["Items"]
    made: list[Record] = sorted(map(_record, found), key=lambda one: (one["pk"], one["sk"]))
    return {"records.json": (json.dumps(made, indent=1, sort_keys=True) + "\n").encode()}


MADE: Mapping[str, Any] = {
    "message": messages,
    "raw": raw_objects,
    "report": report_objects,
    "comments": comments,
    "quarantine": set_aside,
    "table": records,
}
"""What makes the examples of each format, by file."""


def left_out() -> list[str]:
    """Fields of messages and events that the examples do not give: each has to stand in one."""
    events = [
        f"{stream}.{name}"
        for stream, event in EVENTS.items()
        for name in STREAMS[stream].in_message - event.keys()
    ]
    message = sent("responses")
    return events + [name for name in message.__struct_fields__ if getattr(message, name) is None]


def content(body: bytes) -> Any:
    """What an example says, whatever release of pyarrow wrote it."""
    if not body.startswith(b"PAR1"):
        return body
    parsed = ParquetFile(pa.BufferReader(body))
    table = parsed.read()
    schema = [(field.name, str(field.type), field.nullable) for field in table.schema]
    column = parsed.metadata.row_group(0).column(0)
    return schema, parsed.schema_arrow.metadata, column.compression, table.to_pylist()


def write(numbers: Mapping[str, int]) -> None:
    """Write the examples of every format that lack, or say otherwise, under its number."""
    for name, make in MADE.items():
        folder = FOLDER / name / str(numbers[name])
        folder.mkdir(parents=True, exist_ok=True)
        for file_name, body in make().items():
            file = folder / file_name
            if not file.exists() or content(file.read_bytes()) != content(body):
                file.write_bytes(body)


if __name__ == "__main__":
    os.environ.update(AWS_DEFAULT_REGION="eu-central-1", AWS_ACCESS_KEY_ID="a")
    os.environ.update(AWS_SECRET_ACCESS_KEY="made-up")  # pragma: allowlist secret
    write({name: getattr(formats, name.upper()).number for name in MADE})
