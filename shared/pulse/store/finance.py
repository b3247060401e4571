"""What of the reports finance has, and which process exports now, in the table.

    pk       sk      record
    FINANCE  tenant  years: by year, what it was exported from and when a month of it closes next;
                     the lease: holder, until_us

One exporter works on a tenant at a time: it takes the lease first and releases it at the end. The
lease of one that died ends by itself. A deleted tenant's lease never ends, so that its files stay
as they were booked.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from pulse import days
from pulse.errors import ConflictError
from pulse.store.records import Record, Records

_FINANCE = "FINANCE"
_DELETED = "deleted"
_FOR_EVER_US = days.to_us(datetime(9999, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class ExportedYear:
    """A tenant's year as it is exported."""

    content: str
    """`YearState.content` of the rows that it was exported from."""
    closes_on: date | None
    """The next day on which one of its months is to be closed; None if all are closed."""


@dataclass(frozen=True)
class Lease:
    """The right to export a tenant until then, and the years as the last holder left them."""

    tenant: str
    holder: str
    until_us: int
    years: Mapping[int, ExportedYear] = field(default_factory=dict)


class Finance:
    """Reads and writes the records."""

    def __init__(self, table: str) -> None:
        self._records = Records(table)

    def exported(self) -> Mapping[str, Mapping[int, ExportedYear]]:
        """The exported years of every tenant that has any, by tenant."""
        records = self._records.query(_FINANCE, consistent=True)
        return {record["sk"]: _years(record) for record in records}

    def take(self, tenant: str, holder: str, until_us: int) -> Lease | None:
        """Take the lease of a tenant; None while another process has it."""
        try:
            record = self._records.update(
                _FINANCE,
                tenant,
                "SET holder = :holder, until_us = :until",
                values={":holder": holder, ":until": until_us, ":now": days.now_us()},
                # or it is held by the same one: the reply to an earlier try was lost
                condition="attribute_not_exists(until_us) OR until_us <= :now OR holder = :holder",
            )
        except ConflictError:
            return None
        return Lease(tenant, holder, until_us, _years(record))

    def close(self, tenant: str) -> bool:
        """Take the lease of a deleted tenant for ever; False while another process has it.

        To close it again changes nothing.
        """
        return self.take(tenant, _DELETED, _FOR_EVER_US) is not None

    def is_closed(self, tenant: str) -> bool:
        """Whether there was a tenant of that id, whose files stay as they are."""
        record = self._records.get(_FINANCE, tenant, consistent=True)
        return record is not None and record.get("holder") == _DELETED

    def remove(self, tenant: str) -> None:
        """Delete the record of a tenant whose files have been deleted."""
        self._records.delete({"pk": _FINANCE, "sk": tenant})

    def give_back(self, lease: Lease, years: Mapping[int, ExportedYear]) -> None:
        """Note what is exported and end the lease; do nothing if it has ended already."""
        with suppress(ConflictError):
            self._records.update(
                _FINANCE,
                lease.tenant,
                "SET #years = :years REMOVE holder, until_us",
                names={"#years": "years"},
                values={":years": _record(years), ":holder": lease.holder},
                condition="holder = :holder",
            )


def _record(years: Mapping[int, ExportedYear]) -> Record:
    return {
        str(year): {
            "built_from": exported.content,  # the name in older versions
            "closes_on": exported.closes_on.isoformat() if exported.closes_on else None,
        }
        for year, exported in years.items()
    }


def _years(record: Record) -> dict[int, ExportedYear]:
    return {
        int(year): ExportedYear(
            exported["built_from"],
            date.fromisoformat(exported["closes_on"]) if exported["closes_on"] else None,
        )
        for year, exported in record.get("years", {}).items()
    }
