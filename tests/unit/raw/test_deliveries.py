"""SQS may deliver messages several times, in any order and batching: the stored rows are the same.

write_raw itself, over a lake and a ledger in memory. What lies there in the end must count as the
set of identities that were sent, by docs/http.md's rules, worked out here in plain Python.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse import days
from pulse.ingest.message import Message
from pulse.raw import parquet
from pulse.raw.countries import Countries
from pulse.raw.names import AgentNames
from pulse.raw.write import WriteRaw
from pulse.raw.zones import Zones
from pulse.store.erasures import Erasures
from pulse.store.events import Events
from pulse.store.ledger import Entry, Ledger
from pulse.store.names import Names, Naming
from pulse.store.objects import Objects
from pulse.tombstones import Tombstones

pytestmark = pytest.mark.usefixtures("noon")

ZONES = {"acme": "Europe/Berlin", "globex": "America/New_York"}
MIDNIGHT_IN_BERLIN = 1_795_215_600_000_000  # 2026-11-21T00:00:00+01:00
NOON = 1_795_262_400_000_000
Row = dict[str, Any]
Identity = tuple[Any, ...]


# -- a lake in memory


@dataclass
class Lake:
    """Objects, the ledger, and the orders in which both came to be."""

    refused: set[int] = field(default_factory=set)
    """Which of the calls fail, by their number."""
    calls: int = 0
    objects: dict[tuple[str, str], list[list[Row]]] = field(default_factory=dict)
    """By stream and day."""
    counted: dict[tuple[str, str], int] = field(default_factory=dict)
    """How many of a day's objects lay there when the ledger last counted it."""
    told: dict[tuple[str, str], int] = field(default_factory=dict)
    """What was counted when builders were last told of the day's stream."""

    def put(self, key: str, body: bytes) -> None:
        self._call()
        if key.startswith("raw/"):
            _, stream, day, _ = key.split("/")
            rows = json.loads(body)
            self.objects.setdefault((stream, day.removeprefix("dt=")), []).append(rows)

    def add(self, stream: str, day: date, *, tell: bool) -> Entry:
        assert not tell  # once for all days
        self._call()
        place = stream, day.isoformat()
        self.counted[place] = len(self.objects[place])
        return Entry(day, version=self.counted[place])

    @property
    def changes(self) -> "Lake":
        return self

    def tell(self, stream: str) -> None:
        self._call()
        self.told |= {place: n for place, n in self.counted.items() if place[0] == stream}

    def note(self, naming: Naming) -> None:
        self._call()

    def tombstones(self) -> Tombstones:
        return Tombstones()

    begun: frozenset[str] = frozenset()

    def of(self, tenant: str) -> str | None:
        return ZONES.get(tenant)

    def _call(self) -> None:
        self.calls += 1
        if self.calls in self.refused:
            raise TimeoutError("refused by the test")

    def rows(self) -> Iterator[tuple[str, str, Row]]:
        """Stream, day and row of everything that a builder finds who goes by what it is told."""
        for (stream, day), objects in self.objects.items():
            for rows in objects[: self.told.get((stream, day), 0)]:
                for row in rows:
                    yield stream, day, row


def write_raw(lake: Lake) -> WriteRaw:
    return WriteRaw(
        cast(Objects, lake),
        cast(Ledger, lake),
        cast(Zones, lake),
        Countries.built_in(),
        AgentNames(cast(Names, lake)),
        cast(Erasures, lake),
        cast(Events, lake),
    )


# -- what is sent

moments = st.sampled_from([MIDNIGHT_IN_BERLIN - 1, MIDNIGHT_IN_BERLIN, NOON - days.DAY, NOON])
FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "responses": {
        "survey": st.sampled_from("ab"),
        "metric": st.just("nps"),
        "scale": st.just("0-10"),
        "response_id": st.sampled_from(["r1", "r2"]),
        "answered_us": moments,
        "score": st.integers(0, 10),
        "channel": st.just("chat"),
        "agent": st.just("a1"),
        "agent_name": st.sampled_from(["Ada", "Bo"]),
    },
    "interactions": {
        "interaction_id": st.sampled_from(["i1", "i2"]),
        "media_type": st.sampled_from(["voice", "chat"]),
        "entered_us": moments,
        "updated_us": st.integers(NOON, NOON + 3),
        "replies": st.none() | st.integers(0, 3),
        "agent": st.none() | st.sampled_from(["a1", "a2"]),
    },
    "sessions": {
        "session_id": st.sampled_from(["s1", "s2"]),
        "agent": st.just("a1"),
        "media_type": st.just("voice"),
        "day": st.sampled_from(["2026-11-20", "2026-11-21"]),
        "active_us": st.integers(5, 9),
        "engaged_us": st.integers(0, 5),
    },
}
ITEMS = {stream: st.fixed_dictionaries(fields) for stream, fields in FIELDS.items()}
SENT = {stream: fields.keys() - {"day"} for stream, fields in FIELDS.items()}
"""What an item says beside its day."""


@st.composite
def messages(draw: st.DrawFn) -> list[Message]:
    """Some messages, each received at a time of its own."""
    sent = []
    for number in range(draw(st.integers(1, 6))):
        stream = draw(st.sampled_from(list(ITEMS)))
        items = draw(st.lists(ITEMS[stream], min_size=1, max_size=4))
        sent.append(
            Message(
                stream=stream,
                tenant=draw(st.sampled_from(list(ZONES))),
                key_kind=draw(st.sampled_from(["publishable", "secret"])),
                received_us=NOON + 100 * number,
                request_id=str(number),
                items=tuple(items),
            )
        )
    return sent


@st.composite
def deliveries(draw: st.DrawFn, count: int) -> list[list[int]]:
    """Batches of numbers of messages: each one to five times, shuffled, cut anywhere."""
    times = draw(st.lists(st.integers(1, 5), min_size=count, max_size=count))
    order = draw(st.permutations([n for n, often in enumerate(times) for _ in range(often)]))
    cuts = sorted(draw(st.sets(st.integers(1, len(order)), max_size=8)) | {0, len(order)})
    return [order[start:end] for start, end in pairwise(cuts)]


def record(message: Message) -> Row:
    return {"messageId": message.request_id, "body": message.encode()}


def deliver(stage: WriteRaw, sent: Sequence[Message], batches: Sequence[Sequence[int]]) -> None:
    """Give the stage the batches, and whatever it has not acknowledged again and again."""
    waiting = [list(dict.fromkeys(batch)) for batch in batches]
    while waiting:
        batch = waiting.pop(0)
        failed = stage.write([record(sent[number]) for number in batch])
        if failed:
            waiting.append([int(name) for name in failed])


# -- what it comes to


def day_of(us: int, tenant: str) -> str:
    return str(days.from_us(us).astimezone(ZoneInfo(ZONES[tenant])).date())


def identity(stream: str, tenant: str, key_kind: str, day: str, item: Row) -> Identity:
    if stream == "responses":
        return stream, tenant, item["survey"], key_kind, item["response_id"], day
    name = "interaction_id" if stream == "interactions" else "session_id"
    return stream, tenant, item[name], day


def expected(sent: Sequence[Message]) -> dict[Identity, Row]:
    """Of each identity that was sent what counts of it."""
    found: dict[Identity, list[tuple[Any, Row]]] = defaultdict(list)
    for message in sent:
        for index, item in enumerate(message.items):
            moment = item.get("answered_us", item.get("entered_us"))
            day = item["day"] if moment is None else day_of(moment, message.tenant)
            name = identity(message.stream, message.tenant, message.key_kind, day, dict(item))
            version = (item.get("updated_us", 0), message.received_us + index)
            found[name].append((version, {n: item[n] for n in SENT[message.stream]}))
    return {name: merged(versions) for name, versions in found.items()}


def stored(lake: Lake) -> dict[Identity, Row]:
    """Of each identity that lies in the lake what counts of it."""
    found: dict[Identity, list[tuple[Any, Row]]] = defaultdict(list)
    for stream, day, row in lake.rows():
        name = identity(stream, row["tenant"], row.get("key_kind", ""), day, row)
        version = (row.get("updated_us", 0), row["received_us"])
        found[name].append((version, {n: row[n] for n in SENT[stream]}))
    return {name: merged(versions) for name, versions in found.items()}


def merged(versions: Sequence[tuple[Any, Row]]) -> Row:
    """The last one, and what only earlier ones say."""
    whole: Row = {}
    for _, row in sorted(versions, key=lambda version: version[0]):
        whole |= {name: value for name, value in row.items() if value is not None}
    return whole


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_counts_are_the_set_of_identities(data: st.DataObject) -> None:
    sent = data.draw(messages())
    batches = data.draw(deliveries(len(sent)))
    lake = Lake(refused=data.draw(st.sets(st.integers(1, 30), max_size=6)))
    with pytest.MonkeyPatch.context() as patched:
        # what Parquet makes of rows is for test_parquet.py
        patched.setattr(parquet, "encode", lambda rows, columns: json.dumps(rows).encode())
        deliver(write_raw(lake), sent, batches)
    assert stored(lake) == expected(sent)
