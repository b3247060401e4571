"""Removing the rows that tombstones cover, also where no row is left."""

from datetime import date
from typing import Any

from pulse import lake
from pulse.raw import parquet
from pulse.raw.covered import holds, rewritten, uncovered
from pulse.tombstones import Brought, Erasure, Tombstones, customer_hash

DAY = date(2026, 11, 20)
COLUMNS = lake.SCORES.raw_columns
C_1 = customer_hash("acme", "C-1")
PERSON = Erasure("acme", C_1, frozenset([C_1]), 1_000)
KEY = Erasure("acme", "a purge", frozenset(), 1_000, brought=Brought("k1", 0, 1_000, lake.STREAMS))


def row(name: str, customer: str, key_id: str = "k2") -> dict[str, Any]:
    told: dict[str, Any] = {
        "tenant": "acme",
        "survey": "email",
        "key_kind": "secret",
        "key_id": key_id,
    }
    told |= {"response_id": name, "customer": customer, "received_us": 500}
    return dict.fromkeys(COLUMNS) | told


def stored(*rows: dict[str, Any]) -> bytes:
    return parquet.encode(rows, COLUMNS)


def names(body: bytes) -> list[Any]:
    return parquet.decode(body, COLUMNS)["response_id"].to_pylist()


def test_what_a_person_and_a_key_brought_goes_and_the_rest_stays() -> None:
    body = stored(row("r1", "C-1"), row("r2", "C-2"), row("r3", "C-3", "k1"))
    new = rewritten(body, "responses", DAY, Tombstones.of([PERSON, KEY]))
    assert new is not None
    assert (names(new.body), new.removed, new.left) == (["r2"], 2, 1)


def test_an_object_that_a_purge_has_emptied_can_be_searched_for_a_person() -> None:
    emptied = rewritten(stored(row("r1", "C-1", "k1")), "responses", DAY, Tombstones.of([KEY]))
    assert emptied is not None
    assert names(emptied.body) == []
    assert rewritten(emptied.body, "responses", DAY, Tombstones.of([PERSON])) is None
    assert not holds(emptied.body, "responses", DAY, Tombstones.of([PERSON]))


def test_a_purge_of_all_rows_leaves_none_to_be_searched_for_a_person() -> None:
    rows = parquet.decode(stored(row("r1", "C-1", "k1")), COLUMNS)
    assert len(uncovered(rows, "responses", DAY, Tombstones.of([PERSON, KEY]))) == 0
