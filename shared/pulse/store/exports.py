"""Exports in the table.

pk              sk          record
EXPORTS#tenant  export id   the request, its state, `expires_s`: DynamoDB deletes it some time after
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Any

from pulse import days
from pulse.days import DateRange
from pulse.errors import ConflictError
from pulse.exports.export import Export, Request
from pulse.serve.conditions import Condition, Filters
from pulse.store.records import Record, Records

_ENDING = ("state", "finished_us", "rows", "key", "reason")


class Exports:
    """Reads and writes exports. `hurried` where a caller waits."""

    def __init__(self, table: str, *, hurried: bool = False) -> None:
        self._records = Records(table, hurried=hurried)

    def create(self, export: Export) -> None:
        """Store a new export."""
        request = export.request
        self._records.create(
            {
                "pk": f"EXPORTS#{export.tenant}",
                "sk": export.id,
                "stream": request.stream,
                "start_date": request.dates.start.isoformat(),
                "end_date": request.dates.end.isoformat(),
                "filters": {name: found.shown() for name, found in request.filters.items()},
                "format": request.format,
                "created_us": export.created_us,
                "expires_s": export.expires_us // days.SECOND,
                **_ending(export),
            }
        )

    def get(self, tenant: str, export_id: str) -> Export | None:
        """The tenant's export of that id; None if there is none, or none any more."""
        record = self._records.get(f"EXPORTS#{tenant}", export_id, consistent=True)
        export = _export(tenant, record) if record else None
        return export if export and days.now_us() < export.expires_us else None

    def of_tenant(self, tenant: str) -> list[Export]:
        """The tenant's exports, in the order in which they were asked for."""
        found = self._records.query(f"EXPORTS#{tenant}", consistent=True)
        return [_export(tenant, record) for record in found]

    def withdraw(self, export: Export, reason: str) -> None:
        """A done export has failed after all, for that reason; any other stays as it is."""
        with suppress(ConflictError):
            self._records.update(
                f"EXPORTS#{export.tenant}",
                export.id,
                "SET #state = :failed, reason = :reason, #key = :none, #rows = :none",
                names={"#state": "state", "#key": "key", "#rows": "rows"},
                values={":done": "done", ":failed": "failed", ":reason": reason, ":none": None},
                condition="#state = :done",
            )

    def remove(self, tenant: str) -> int:
        """Forget every export of a tenant; how many there were."""
        return self._records.clear(f"EXPORTS#{tenant}")

    def end(self, export: Export) -> bool:
        """Store how a running export ended; False, and nothing changed, if it had ended before."""
        try:
            self._records.update(
                f"EXPORTS#{export.tenant}",
                export.id,
                "SET " + ", ".join(f"#{name} = :{name}" for name in _ENDING),
                names={f"#{name}": name for name in _ENDING},
                values={
                    ":running": "running",
                    **{f":{name}": value for name, value in _ending(export).items()},
                },
                condition="#state = :running",
            )
        except ConflictError:
            return False
        return True


def _ending(export: Export) -> dict[str, Any]:
    return {name: getattr(export, name) for name in _ENDING}


def _export(tenant: str, record: Record) -> Export:
    start, end = (date.fromisoformat(record[name]) for name in ("start_date", "end_date"))
    filters = _filters(record["filters"])
    return Export(
        tenant=tenant,
        id=record["sk"],
        request=Request(record["stream"], DateRange(start, end), filters, record["format"]),
        created_us=record["created_us"],
        **{name: record[name] for name in _ENDING},
    )


def _filters(shown: Mapping[str, Mapping[str, list[str | None]]]) -> Filters:
    return {
        name: Condition(frozenset(values), negated=how == "is_not")
        for name, members in shown.items()
        for how, values in members.items()
    }
