"""The receipt of an erasure or a purge: it says what was removed, and names no person."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pulse import days, lake


@dataclass(frozen=True)
class RewrittenObject:
    """An object of raw that lost rows, with the SHA-256 of its bytes before and after."""

    key: str
    removed: int
    left: int
    sha256_before: str
    sha256_after: str


@dataclass
class Receipt:
    """What one run has removed so far."""

    tenant: str
    told: Mapping[str, Any]
    """The members that say which rows were sought: a person's hash, or what a purge asked for."""
    erased_us: int
    removed: Counter[str] = field(default_factory=Counter)
    """By stream: rows of raw, copies included, and items of dead letters."""
    days: dict[str, set[date]] = field(default_factory=dict)
    """By stream, the days that lost rows."""
    objects: list[RewrittenObject] = field(default_factory=list)
    versions_removed: int = 0
    """Older versions of objects that held such rows, or were made from them."""
    quarantine_lines: int = 0
    dead_letters_changed: int = 0
    dead_letters_removed: int = 0
    exports_withdrawn: list[str] = field(default_factory=list)
    files_removed: int = 0
    """Files of exports, finished or not."""
    results_removed: int = 0
    """Results of Athena's statements that showed single events."""
    days_rebuilt: set[date] = field(default_factory=set)
    found_again: int | None = None
    """Rows that a last search found; None if there was no such search yet."""
    key: str = field(default_factory=lambda: lake.erasure_key(lake.ulid()))
    """Its key in the lake."""

    def shown(self) -> dict[str, Any]:
        """The members of its JSON."""
        return {
            "tenant": self.tenant,
            **self.told,
            "erased_at": days.iso(self.erased_us),
            "removed": {stream: n for stream, n in sorted(self.removed.items()) if n},
            "days": {
                stream: [day.isoformat() for day in sorted(found)]
                for stream, found in sorted(self.days.items())
            },
            "objects": [vars(rewritten) for rewritten in self.objects],
            "versions_removed": self.versions_removed,
            "quarantine_lines": self.quarantine_lines,
            "dead_letters": {
                "changed": self.dead_letters_changed,
                "removed": self.dead_letters_removed,
            },
            "exports_withdrawn": self.exports_withdrawn,
            "files_removed": self.files_removed,
            "results_removed": self.results_removed,
            "days_rebuilt": [day.isoformat() for day in sorted(self.days_rebuilt)],
            "found_again": self.found_again,
        }
