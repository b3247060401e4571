"""Exports in the table, and the line in which those of a tenant wait.

pk              sk          record
EXPORTS#tenant  export id   the request, its state, `expires_s`: DynamoDB deletes it some time after
EXPORT_LINES    tenant      orders: the ids of those that have not ended, the oldest first;
                            while somebody works on the first: worker, until_us

An order is stored before it joins the line, and has ended before it leaves the line. So if a worker
dies in between, the next one skips the order. A worker's hold of the line expires by itself.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date
from typing import Any

from pulse import days
from pulse.csv_cells import CsvForm
from pulse.days import DateRange
from pulse.errors import ConflictError
from pulse.export_orders import Export, ExportRequest
from pulse.filters import Condition, Filters
from pulse.store.records import Record, Records

_ENDING = ("state", "finished_us", "rows", "key", "reason")
_LINES = "EXPORT_LINES"


class Exports:
    """Reads and writes exports; `fail_fast` if a caller waits."""

    def __init__(self, table: str, *, fail_fast: bool = False) -> None:
        self._records = Records(table, fail_fast=fail_fast)

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
                "csv": {"excel": request.csv.excel, "semicolon": request.csv.semicolon},
                "own": dict(request.own),
                "created_us": export.created_us,
                "expires_s": export.expires_us // days.SECOND,
                **_ending(export),
            }
        )

    def get(self, tenant: str, export_id: str) -> Export | None:
        """The tenant's export of that id; None if there is none, or it has expired."""
        record = self._records.get(f"EXPORTS#{tenant}", export_id, consistent=True)
        export = _export(tenant, record) if record else None
        return export if export and days.now_us() < export.expires_us else None

    def of_tenant(self, tenant: str) -> list[Export]:
        """The tenant's exports, in the order in which they were asked for."""
        found = self._records.query(f"EXPORTS#{tenant}", consistent=True)
        return [_export(tenant, record) for record in found]

    def begin(self, tenant: str, export_id: str, now_us: int) -> Export | None:
        """Note that a worker begins the export; None if it has ended or has expired."""
        try:
            record = self._records.update(
                f"EXPORTS#{tenant}",
                export_id,
                "SET #state = :running, started_us = :now, tries = if_not_exists(tries, :no) + :1",
                names={"#state": "state"},
                values={
                    ":waiting": "waiting",
                    ":running": "running",
                    ":now": now_us,
                    ":now_s": now_us // days.SECOND,
                    ":no": 0,
                    ":1": 1,
                },
                condition="#state IN (:waiting, :running) AND expires_s > :now_s",
            )
        except ConflictError:
            return None
        return _export(tenant, record)

    def withdraw(self, export: Export, reason: str) -> None:
        """Let a done export count as failed for that reason; leave any other as it is."""
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
        """Delete every export of a tenant, and its line; return how many exports there were."""
        removed = self._records.clear(f"EXPORTS#{tenant}")
        self._records.delete({"pk": _LINES, "sk": tenant})
        return removed

    def end(self, export: Export) -> bool:
        """Store how a running export ended; False, and nothing changes, if it had ended before."""
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

    # -- the line of a tenant

    def line(self, tenant: str) -> tuple[str, ...]:
        """The ids of the orders in line, the oldest first."""
        record = self._records.get(_LINES, tenant, consistent=True)
        return _orders(record) if record else ()

    def join_line(self, export: Export, *, most: int) -> bool:
        """Put an export at the end of the line; False, and nothing changes, if `most` are in it."""
        try:
            self._records.update(
                _LINES,
                export.tenant,
                "SET orders = list_append(if_not_exists(orders, :none), :last)",
                values={":none": [], ":last": [export.id], ":most": most},
                condition="attribute_not_exists(orders) OR size(orders) < :most",
            )
        except ConflictError:
            return False
        return True

    def take_line(self, tenant: str, worker: str, until_us: int) -> tuple[str, ...]:
        """Let only this worker work on the line, until then at most; return the orders in it.

        Empty, and nothing changes, while another worker does or no order is in the line. Both are
        checked in one condition, so that an order that joins afterwards is found by the worker that
        it invokes.
        """
        return _orders(self._take(tenant, worker, until_us, "attribute_exists(orders[0])") or {})

    def stop_line(self, tenant: str, holder: str, until_us: int) -> bool:
        """Let no worker begin, until then at most; False, and nothing changes, while one works."""
        return self._take(tenant, holder, until_us, "") is not None

    def _take(self, tenant: str, holder: str, until_us: int, also: str) -> Record | None:
        # or it is held by the same one: the reply to an earlier try was lost, or its process died
        free = "(attribute_not_exists(until_us) OR until_us <= :now OR worker = :worker)"
        try:
            return self._records.update(
                _LINES,
                tenant,
                "SET worker = :worker, until_us = :until",
                values={":worker": holder, ":until": until_us, ":now": days.now_us()},
                condition=f"{free} AND {also}" if also else free,
            )
        except ConflictError:
            return None

    def leave_line(self, tenant: str, export_id: str, worker: str) -> None:
        """Remove the first order and its worker from the line; do nothing if they have left it."""
        with suppress(ConflictError):
            self._records.update(
                _LINES,
                tenant,
                "REMOVE orders[0], worker, until_us",
                values={":first": export_id, ":worker": worker},
                condition="orders[0] = :first AND worker = :worker",
            )

    def free_line(self, tenant: str, holder: str) -> None:
        """Let workers begin again; do nothing if they may already."""
        with suppress(ConflictError):
            self._records.update(
                _LINES,
                tenant,
                "REMOVE worker, until_us",
                values={":worker": holder},
                condition="worker = :worker",
            )

    def idle_tenants(self, now_us: int) -> tuple[str, ...]:
        """The tenants that have orders in line and no worker."""
        lines = self._records.query(_LINES, consistent=True)
        return tuple(r["sk"] for r in lines if _orders(r) and r.get("until_us", 0) <= now_us)


def _orders(line: Mapping[str, Any]) -> tuple[str, ...]:
    orders: Iterable[str] = line.get("orders", ())
    return tuple(orders)


def _ending(export: Export) -> dict[str, Any]:
    return {name: getattr(export, name) for name in _ENDING}


def _export(tenant: str, record: Record) -> Export:
    start, end = (date.fromisoformat(record[name]) for name in ("start_date", "end_date"))
    filters = _filters(record["filters"])
    form = CsvForm(**record.get("csv", {}))  # older orders have no choice of a form: the plain one
    return Export(
        tenant=tenant,
        id=record["sk"],
        request=ExportRequest(
            record["stream"],
            DateRange(start, end),
            filters,
            record["format"],
            form,
            record.get("own", {}),  # orders of before name no dimension of the tenant's own
        ),
        created_us=record["created_us"],
        started_us=record.get("started_us"),
        tries=record.get("tries", 0),
        **{name: record[name] for name in _ENDING},
    )


def _filters(shown: Mapping[str, Mapping[str, list[str | None]]]) -> Filters:
    return {
        name: Condition(frozenset(values), negated=how == "is_not")
        for name, members in shown.items()
        for how, values in members.items()
    }
