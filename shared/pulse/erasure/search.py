"""Where a person's rows lie: Athena finds the days, so that nothing of raw is listed for it.

The statements compare marks and answer with marks and counts. Athena keeps their text for weeks and
their results for days: neither names anybody.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from math import inf
from typing import Any

from pulse.erasure.letters import Person
from pulse.erasure.marks import prefix
from pulse.sql import statement
from pulse.store.athena import Athena
from pulse.store.ledger import Ledger

STREAMS = ("responses", "interactions")
"""Those whose rows may name a customer. What they name of each other is found in this order."""
_KINDS: Mapping[str, tuple[str, ...]] = {
    "responses": ("customer", "interaction", "response"),
    "interactions": ("customer", "interaction"),
}
_MARKS_A_STATEMENT = 2_000  # of 262,144 bytes that Athena takes


@dataclass(frozen=True)
class Search:
    """Asks raw about a person."""

    ledger: Ledger
    athena: Athena

    def named(self, person: Person) -> set[str]:
        """The marks of what hangs together with the rows that name them."""
        marks: set[str] = set()
        for stream in STREAMS:
            for row in self._ask(f"{stream}_named", stream, person, {"customer": person.mark}):
                marks.update(value for value in row.values() if isinstance(value, str))
        return marks

    def days(self, person: Person) -> dict[str, set[date]]:
        """By stream, the days that have rows that carry one of their marks."""
        return {stream: set(self.rows(person, stream)) for stream in STREAMS}

    def rows(self, person: Person, stream: str) -> Counter[date]:
        """How many rows of each day carry one of their marks; at least so many."""
        marks = sorted(person.marks)
        found: Counter[date] = Counter()
        for start in range(0, len(marks), _MARKS_A_STATEMENT):
            some = marks[start : start + _MARKS_A_STATEMENT]
            counts = {
                date.fromisoformat(row["dt"]): int(row["events"])
                for row in self._ask(f"{stream}_covered", stream, person, {"marks": some})
            }
            found |= Counter(counts)
        return found

    def _ask(
        self, name: str, stream: str, person: Person, params: Mapping[str, Any]
    ) -> Iterator[Mapping[str, Any]]:
        known = self.ledger.entries(stream)
        if not known:
            return
        everywhere = {
            "tenant": person.tenant,
            "received_us": person.erased_us,
            "first_day": min(known).isoformat(),
            "last_day": max(known).isoformat(),
            **{f"{kind}_prefix": prefix(kind, person.tenant) for kind in _KINDS[stream]},
        }
        sql = statement("erasing", name)
        yield from self.athena.rows(sql, {**everywhere, **params}, remaining_s=lambda: inf)
