"""How the table of experience stands for those that read it: changes, publications, days."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, cast

from pulse import lake
from pulse.daily.standing import entries_of, stand_of
from pulse.store.changes import Stand
from pulse.store.ledger import Entry, Ledger

TODAY = date(2026, 11, 21)
STREAMS = {
    "responses": Stand(changes=5, seen=5, published=7, counted_us=50),
    "interactions": Stand(changes=3, seen=3, published=2, counted_us=30),
    "sessions": Stand(changes=1),
}


def of_experience(stands: Mapping[str, Stand]) -> Stand:
    return stand_of(lake.EXPERIENCE, {**STREAMS, **stands})


def test_a_table_of_one_stream_stands_as_its_stream_does() -> None:
    assert stand_of(lake.SCORES, STREAMS) == STREAMS["responses"]
    assert stand_of(lake.INTERACTIONS, STREAMS) == STREAMS["interactions"]


def test_what_builders_have_seen_of_both_streams_is_counted_until_now() -> None:
    looked = Stand(seen=8, published=4, counted_us=90, failing=1)
    found = of_experience({"experience-35": looked})
    assert (found.changes, found.failing) == (8, 1)
    assert found.counted_until(100) == 100
    behind = of_experience({"experience-35": replace(looked, seen=7)})
    assert behind.counted_until(100) == 90


def test_without_any_build_nothing_is_known_of_it() -> None:
    found = of_experience({})
    assert found.counted_until(100) is None
    assert found.published == 0


def test_each_publication_is_another_state_and_so_is_another_number_of_days() -> None:
    states = [
        of_experience({f"experience-{number}": Stand(published=published)}).published
        for number in (35, 3)
        for published in (4, 5)
    ]
    assert len({*states, 0}) == 5


def test_as_long_as_two_numbers_are_there_nobody_knows_until_when_everything_is_counted() -> None:
    old = Stand(seen=8, seen_us=10, published=4, counted_us=90)
    new = Stand(seen=8, seen_us=20, published=1, counted_us=95)
    found = of_experience({"experience-35": old, "experience-3": new})
    assert found.counted_until(100) is None
    assert found.published == of_experience({"experience-3": new}).published


@dataclass
class Entries:
    """A ledger in memory: the entries by the name of a stream or table."""

    known: Mapping[str, Mapping[date, Entry]]
    names: Mapping[str, Stand] = field(default_factory=dict)

    @property
    def changes(self) -> Any:
        return self

    def stands(self) -> Mapping[str, Stand]:
        return {**STREAMS, **self.names}

    def entries(self, name: str) -> Mapping[date, Entry]:
        return self.known.get(name, {})


def test_a_day_of_it_has_the_versions_of_all_that_it_is_made_of() -> None:
    known = {
        "responses": {TODAY: Entry(TODAY, 5)},
        "interactions": {TODAY: Entry(TODAY, 2)},
        "experience-35": {TODAY: Entry(TODAY, 0, claimed_version=6, claimed_run="R")},
    }
    ledger = Entries(known, {"experience-35": Stand()})
    found = entries_of(cast(Ledger, ledger), lake.EXPERIENCE, ())
    assert found == {TODAY: Entry(TODAY, 7, claimed_version=6, claimed_run="R")}
    assert entries_of(cast(Ledger, ledger), lake.SCORES, ()) == known["responses"]
    assert entries_of(cast(Ledger, Entries(known)), lake.EXPERIENCE, ()) == {}
