"""Compaction of a lake in memory: objects, checks, memory and time."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import inf
from typing import Any

import pyarrow as pa
import pytest
from pyarrow.parquet import ParquetFile, write_table

from pulse import days, lake
from pulse.errors import BuildCheckError
from pulse.raw import compact, parquet
from pulse.raw.compact import CompactRaw, portions
from pulse.retention import first_kept_day
from pulse.store.compactions import Compactions
from pulse.store.erasures import Erasures
from pulse.store.events import Events
from pulse.store.ledger import Entry, Ledger
from pulse.store.objects import Objects, Version
from pulse.tombstones import Erasure, Tombstones, customer_hash

PAST = date(2026, 11, 11)
COLUMNS = lake.SCORES.raw_columns

pytestmark = pytest.mark.usefixtures("noon")


class MemoryObjects(Objects):
    """A bucket."""

    def __init__(self) -> None:
        super().__init__("lake")
        self.bodies: dict[str, bytes] = {}

    def get(self, key: str) -> bytes:
        return self.bodies[key]

    def put(self, key: str, body: bytes) -> None:
        self.bodies[key] = body

    def keys(self, prefix: str) -> Iterator[str]:
        return iter(sorted(key for key in self.bodies if key.startswith(prefix)))

    def sizes(self, prefix: str) -> dict[str, int]:
        return {key: len(self.bodies[key]) for key in self.keys(prefix)}

    def versions(self, prefix: str) -> Iterator[Version]:
        moment = datetime(2026, 11, 21, tzinfo=UTC)
        return (Version(key, "1", moment, is_latest=True) for key in self.keys(prefix))

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.bodies.pop(key, None)

    def wipe_keys(self, keys: Iterable[str]) -> int:
        self.delete(list(keys))
        return 0


class MemoryLedger(Ledger):
    """The days of the responses. Nobody else is at work on them."""

    def __init__(self) -> None:
        self.days: dict[date, Entry] = {}

    def entries(
        self, stream: str, first: date = date.min, last: date = date.max
    ) -> Mapping[date, Entry]:
        return self.days if stream == "responses" else {}

    def take(self, stream: str, day: date, holder: str, until_us: int) -> bool:
        return True

    def give_back(self, stream: str, day: date, holder: str) -> None:
        pass

    def note_compacted(self, stream: str, day: date, version: int) -> None:
        self.days[day] = replace(self.days[day], compacted_version=version)


class MemoryErasures(Erasures):
    """Whoever is to be forgotten."""

    def __init__(self) -> None:
        self.found = Tombstones()

    def tombstones(self) -> Tombstones:
        return self.found


class MemoryEvents(Events):
    """What was announced."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def announce(self, what: str, about: Mapping[str, str] | None = None) -> None:
        self.told.append(what)


@dataclass(frozen=True)
class Lake:
    """Everything that the stage stands on."""

    objects: MemoryObjects = field(default_factory=MemoryObjects)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    erasures: MemoryErasures = field(default_factory=MemoryErasures)
    events: MemoryEvents = field(default_factory=MemoryEvents)

    @property
    def stage(self) -> CompactRaw:
        compactions = Compactions(self.objects)
        return CompactRaw(self.objects, self.ledger, compactions, self.erasures, self.events)

    def add(self, body: bytes, day: date = PAST) -> str:
        """The key of a new object, counted as write_raw counts it."""
        key = lake.raw_key("responses", day, lake.ulid())
        self.objects.put(key, body)
        entry = self.ledger.days.get(day, Entry(day, 0))
        self.ledger.days[day] = replace(entry, version=entry.version + 1)
        return key

    def fill(self, objects: int, day: date = PAST, *, rows: int = 1) -> None:
        """So many objects of so many rows."""
        for number in range(objects):
            some = [answer(number * rows + n) for n in range(rows)]
            self.add(parquet.encode(some, COLUMNS), day)

    def stored(self, day: date = PAST) -> list[str]:
        return list(self.objects.keys(lake.raw_prefix("responses", day)))

    def rows(self, day: date = PAST) -> Counter[str]:
        """The rows, copies counted, by all that they hold."""
        tables = (parquet.decode(self.objects.get(key), COLUMNS) for key in self.stored(day))
        return Counter(repr(row) for table in tables for row in table.to_pylist())

    def compact(self, remaining_s: Callable[[], float] = lambda: inf) -> int:
        """How many days were compacted."""
        return len(self.stage.run(remaining_s=remaining_s).compacted)

    def a_day_later(self) -> None:
        """What housekeep does then."""
        for compaction in list(Compactions(self.objects).all()):
            if compaction.finished_us is not None:
                Compactions(self.objects).remove_sources(compaction)


@pytest.fixture
def raw() -> Lake:
    return Lake()


def answer(number: int) -> dict[str, Any]:
    """One of ten tenants answers."""
    return dict.fromkeys(COLUMNS) | {
        "tenant": f"t{number * 7 % 10}",
        "survey": "email",
        "key_kind": "secret",
        "response_id": f"r{number}",
        "received_us": number,
        "content_hash": f"{number}",
        "score": number % 11,
        "customer": f"c{number}",
        "tags": [None, {}, {"plan": "gold", "größe": "Ü"}][number % 3],
    }


def test_thousands_of_minute_files_become_one_object_sorted_by_tenant(raw: Lake) -> None:
    bodies = [parquet.encode([answer(number)], COLUMNS) for number in range(20)]
    for minute in range(2_000):
        raw.add(bodies[minute % 20])
    before = sum(raw.objects.sizes("raw/").values())
    assert raw.compact() == 1
    raw.a_day_later()
    (key,) = raw.stored()
    body = raw.objects.get(key)
    rows = parquet.decode(body, COLUMNS).to_pylist()
    assert [row["tenant"] for row in rows] == sorted(row["tenant"] for row in rows)
    assert set(raw.rows().values()) == {100}
    assert len(raw.rows()) == 20
    assert len(body) * 100 < before
    assert raw.compact() == 0


def test_equal_rows_give_equal_bytes_in_whatever_order_they_came() -> None:
    made = []
    for order in (range(8), reversed(range(8))):
        raw = Lake()
        for number in order:
            raw.add(parquet.encode([answer(number)], COLUMNS))
        raw.compact()
        raw.a_day_later()
        made += [raw.objects.get(key) for key in raw.stored()]
    assert len(made) == 2
    assert made[0] == made[1]


def test_a_day_is_due_once_it_is_past_and_has_new_objects(raw: Lake) -> None:
    open_day = days.today("UTC") - timedelta(days=7)
    raw.fill(8, open_day)
    raw.fill(7)
    raw.fill(8, PAST - timedelta(days=1))
    raw.ledger.days[PAST - timedelta(days=1)] = Entry(PAST - timedelta(days=1), 8, expired=True)
    assert raw.compact() == 0
    raw.fill(1)
    assert raw.stage.run(remaining_s=lambda: inf).compacted == (("responses", PAST),)
    with days.clock(lambda: datetime(2026, 11, 22, 0, 0, tzinfo=UTC)):
        assert raw.stage.run(remaining_s=lambda: inf).compacted == (("responses", open_day),)


def test_a_large_object_stays_as_it_is(raw: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    raw.fill(8, rows=50)
    raw.compact()
    raw.a_day_later()
    (large,) = raw.stored()
    raw.fill(8)
    monkeypatch.setattr(compact, "LARGE", len(raw.objects.get(large)))
    held = raw.rows()
    assert raw.compact() == 1
    raw.a_day_later()
    assert large in raw.stored()
    assert len(raw.stored()) == 2
    assert raw.rows() == held


def test_people_who_were_erased_are_left_out(raw: Lake) -> None:
    raw.fill(8)
    erasure = Erasure("t7", customer_hash("t7", "c1"), frozenset(), erased_us=5)
    raw.erasures.found.add(replace(erasure, hashes=frozenset((erasure.customer,))))
    held = raw.rows()
    raw.compact()
    raw.a_day_later()
    assert len(raw.stored()) == 1
    (gone,) = held - raw.rows()
    assert "'response_id': 'r1'" in gone


# -- checks


def lose_a_row(table: pa.Table) -> pa.Table:
    return table.slice(1)


def double_a_row(table: pa.Table) -> pa.Table:
    return table.take([0, 0, *range(2, len(table))])


def change_a_value(table: pa.Table) -> pa.Table:
    scores: list[Any] = table["score"].to_pylist()
    scores[3] += 1
    index = table.column_names.index("score")
    return table.set_column(index, "score", pa.array(scores, pa.int32()))


@pytest.mark.parametrize("spoil", [lose_a_row, double_a_row, change_a_value])
def test_what_does_not_come_back_as_it_came_is_never_swapped_in(
    raw: Lake, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[pa.Table], pa.Table]
) -> None:
    raw.fill(8)
    sources, held = set(raw.stored()), raw.rows()
    real = parquet.encode_table
    with monkeypatch.context() as patched:
        patched.setattr(parquet, "encode_table", lambda table: real(spoil(table)))
        with pytest.raises(BuildCheckError, match="does not hold the rows of its sources"):
            raw.compact()
    raw.a_day_later()
    assert sources < set(raw.stored())
    assert raw.compact() == 0  # what was spoilt is on its way out
    raw.a_day_later()
    assert set(raw.stored()) == sources
    assert raw.compact() == 1
    raw.a_day_later()
    assert raw.rows() == held


def with_mood(table: pa.Table, mood: Any) -> bytes:
    """The rows as a newer version would store them that knows one column more."""
    newer = table.append_column("mood", pa.array([mood] * len(table)))
    sink = pa.BufferOutputStream()
    write_table(newer.replace_schema_metadata({"pulse.format": "9"}), sink)
    return sink.getvalue().to_pybytes()


def test_what_a_newer_version_has_added_is_kept(raw: Lake) -> None:
    raw.fill(8)
    newer = next(iter(raw.stored()))
    table = parquet.decode(raw.objects.bodies[newer], COLUMNS)
    raw.objects.bodies[newer] = with_mood(table, "calm")
    assert raw.compact() == 1
    raw.a_day_later()
    (key,) = raw.stored()
    file = ParquetFile(pa.BufferReader(raw.objects.bodies[key]))
    assert file.schema_arrow.metadata[b"pulse.format"] == b"9"
    rows = file.read()
    assert rows.column_names == [*COLUMNS, "mood"]
    calm = {row["response_id"] for row in rows.to_pylist() if row["mood"] == "calm"}
    assert calm == set(table["response_id"].to_pylist())


def test_what_does_not_fit_together_is_left_as_it_is(raw: Lake) -> None:
    raw.fill(8)
    sources = raw.stored()
    first, second, *_ = sources
    for key, mood in ((first, "calm"), (second, 5)):
        table = parquet.decode(raw.objects.bodies[key], COLUMNS)
        raw.objects.bodies[key] = with_mood(table, mood)
    with pytest.raises(BuildCheckError, match="do not fit together: ArrowTypeError"):
        raw.compact()
    raw.a_day_later()
    assert raw.stored() == sources


def test_a_day_that_cannot_be_read_keeps_no_other_from_being_compacted(raw: Lake) -> None:
    earlier = PAST - timedelta(days=1)
    raw.fill(8, earlier)
    broken = raw.add(b"not Parquet: secret words", earlier)
    raw.fill(8)
    sources = raw.stored(earlier)
    with pytest.raises(BuildCheckError, match=f"{broken} cannot be read: ArrowInvalid") as raised:
        raw.compact()
    assert "words" not in repr(raised.value) + repr(raised.value.__cause__)
    assert raised.value.__suppress_context__
    raw.a_day_later()
    assert raw.stored(earlier) == sources
    assert len(raw.stored()) == 1


def test_columns_that_came_later_are_null_in_what_is_older() -> None:
    body = parquet.encode([{"a": "x", "d": "1.5"}], {"a": "string", "d": "decimal(9,4)"})
    columns = {"a": "string", "m": "map<string,string>", "d": "decimal(9,4)", "y": "boolean"}
    (row,) = parquet.decode(body, columns).to_pylist()
    assert row == {"a": "x", "m": None, "d": Decimal("1.5000"), "y": None}


# -- work is cut to fit


def test_objects_are_cut_where_memory_would_grow(
    raw: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw.fill(9, rows=4)
    held, sizes = raw.rows(), []
    real = parquet.encode_table

    def note(table: pa.Table) -> bytes:
        sizes.append(len(table))
        return real(table)

    monkeypatch.setattr(parquet, "encode_table", note)
    monkeypatch.setattr(compact, "MOST_ROWS", 10)
    raw.compact()
    raw.a_day_later()
    assert sizes == [12, 12, 12]
    assert len(raw.stored()) == 3
    assert raw.rows() == held
    sizes.clear()
    for key in raw.stored():
        raw.add(raw.objects.bodies.pop(key))
    raw.ledger.days[PAST] = Entry(PAST, 8)
    monkeypatch.setattr(compact, "MOST_ROWS", 100)
    monkeypatch.setattr(compact, "MOST_BYTES", 1)  # each is full at once, and stays as it is
    assert raw.compact() == 0
    assert (sizes, len(raw.stored()), raw.ledger.days[PAST].compacted_version) == ([], 3, 8)


def test_bodies_are_fetched_in_portions() -> None:
    sizes = {"a": 5, "b": 5, "c": 1, "d": 30, "e": 4}
    assert list(portions(sizes, 10)) == [["a", "b"], ["c"], ["d"], ["e"]]
    assert list(portions({}, 10)) == []


def test_what_time_does_not_allow_is_done_by_the_next_runs(
    raw: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = PAST + timedelta(days=1)
    raw.fill(8)
    raw.fill(8, later)
    held = raw.rows()
    monkeypatch.setattr(compact, "MOST_ROWS", 4)
    # asked before a day and before each object: enough for one object of the first day
    left = iter([600.0, 600.0])
    result = raw.stage.run(remaining_s=lambda: next(left, 0.0))
    assert (result.compacted, result.finished) == ((("responses", PAST),), False)
    assert raw.events.told == ["raw unfinished"]
    assert raw.ledger.days[PAST].compacted_version == 0
    assert raw.stage.run(remaining_s=lambda: inf).compacted == (("responses", later),)
    raw.a_day_later()
    assert len(raw.stored()) == 5
    assert raw.rows() == held
    monkeypatch.setattr(compact, "MOST_ROWS", 100)
    assert raw.stage.run(remaining_s=lambda: inf).compacted == (("responses", PAST),)
    raw.a_day_later()
    assert len(raw.stored()) == 1
    assert raw.rows() == held
    assert raw.events.told == ["raw unfinished"]


def test_nothing_is_begun_that_could_outlive_the_lease(raw: Lake) -> None:
    raw.fill(8)
    begun = days.now()
    clock = iter([begun] * 4)  # the day, the lease's holder and its end, and then time jumps
    with days.clock(lambda: next(clock, begun + timedelta(minutes=12))):
        assert raw.compact() == 0
    assert len(raw.stored()) == 8
    assert raw.compact() == 1


def test_what_only_ever_fails_does_not_go_on_waking_itself(raw: Lake) -> None:
    raw.fill(8)
    raw.add(b"no Parquet")
    raw.fill(8, PAST + timedelta(days=1))
    left = iter([600.0, 600.0])
    with suppress(BuildCheckError):
        raw.compact(lambda: next(left, 0.0))
    assert raw.events.told == []


# -- retention


def test_raw_is_kept_for_ever_or_for_so_many_days_before_today() -> None:
    assert first_kept_day(0) == date.min
    assert first_kept_day(35) == date(2026, 10, 17)
