"""Finds with Athena the days that have rows to be removed, so that raw need not be listed.

The statements compare hashes and return hashes and counts. Athena keeps their text for weeks and
their results for days, so neither may name anybody.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from math import inf
from typing import Any

from pulse.erasure.person import Person
from pulse.erasure.purge import Purge
from pulse.erasure.sought import Sought
from pulse.errors import AthenaError
from pulse.sql import statement
from pulse.store.athena import Athena
from pulse.store.ledger import Ledger
from pulse.texts import tidy
from pulse.tombstones import prefix

_KINDS: Mapping[str, tuple[str, ...]] = {
    "responses": ("customer", "interaction", "response"),
    "interactions": ("customer", "interaction"),
}
_UNREAD = (
    "Where the rows lie that are to go is told by Athena, which has to read every day for it: "
    "`pulse check` names a day that it cannot read. Mend that, then run this again."
)
MARKS_A_STATEMENT = 1_000
"""A statement names each hash up to three times, in 68 bytes, and may have 262,144 bytes."""


@dataclass(frozen=True)
class RowSearch:
    """Searches raw for the rows of a person, or for those that a purge removes."""

    ledger: Ledger
    athena: Athena

    def learn(self, person: Person) -> None:
        """Note in `person` the hashes of rows that name them, and of rows that name others."""
        theirs = {"customers": sorted(person.named)}
        for row in self._ask("responses_named", "responses", person, theirs):
            person.claims.update(value for value in row.values() if isinstance(value, str))
        for some in parts({*person.named, *person.claims}):
            asked = theirs | {"hashes": some}
            for row in self._ask("interactions_named", "interactions", person, asked):
                if row["theirs"]:
                    person.claims.add(row["interaction"])
                if row["others"]:
                    person.others.add(row["interaction"])

    def near(self, person: Person) -> dict[str, int]:
        """How many rows name an id that differs from theirs only in case or accents, by that id.

        These rows stay.
        """
        found: Counter[str] = Counter()
        for stream in person.streams:
            for some in parts(person.nearly):
                for row in self._ask(f"{stream}_called", stream, person, {"hashes": some}):
                    found[tidy(person.nearly[row["customer"]])] += int(row["events"])
        return dict(sorted(found.items()))

    def days(self, sought: Sought) -> dict[str, Counter[date]]:
        """By stream, the days that have rows to be removed, with the counts of `rows`."""
        return {stream: self.rows(sought, stream) for stream in sought.streams}

    def rows(self, sought: Sought, stream: str) -> Counter[date]:
        """How many rows of each day are to be removed. For a person there may be more."""
        if isinstance(sought, Purge):
            return self._counts(f"{stream}_brought", stream, sought, _purged(sought))
        found: Counter[date] = Counter()
        hashes = sought.erasure.hashes
        if isinstance(sought, Person):
            hashes |= sought.named
        for some in parts(hashes):
            found |= self._counts(f"{stream}_covered", stream, sought, {"hashes": some})
        return found

    def _counts(
        self, name: str, stream: str, sought: Sought, params: Mapping[str, Any]
    ) -> Counter[date]:
        rows = self._ask(name, stream, sought, params)
        return Counter({date.fromisoformat(row["dt"]): int(row["events"]) for row in rows})

    def _ask(
        self, name: str, stream: str, sought: Sought, params: Mapping[str, Any]
    ) -> Iterator[Mapping[str, Any]]:
        known = self.ledger.entries(stream)
        if not known:
            return
        everywhere = {
            "tenant": sought.tenant,
            "received_us": sought.erased_us,
            "first_day": min(known).isoformat(),
            "last_day": max(known).isoformat(),
            **{f"{kind}_prefix": prefix(kind, sought.tenant) for kind in _KINDS.get(stream, ())},
        }
        sql = statement("erasing", name)
        try:
            yield from self.athena.rows(sql, {**everywhere, **params}, remaining_s=lambda: inf)
        except AthenaError as error:
            if error.retryable:
                raise
            raise AthenaError(f"{str(error).rstrip('.')}. {_UNREAD}") from error


def _purged(purge: Purge) -> Mapping[str, Any]:
    """The parameters of a purge's statements; an empty key_id means any key."""
    brought = purge.brought
    return {
        "key_id": brought.key_id or "",
        "from_us": brought.from_us,
        "to_us": brought.to_us,
    }


def parts(hashes: Iterable[str]) -> Iterator[list[str]]:
    """The hashes in order, in lists of at most MARKS_A_STATEMENT."""
    ordered = sorted(hashes)
    for start in range(0, len(ordered), MARKS_A_STATEMENT):
        yield ordered[start : start + MARKS_A_STATEMENT]
