"""export_rows: Athena reads the rows of an order, and they are written as one file.

Athena unloads rows in no order, and the rows of a year do not fit into memory. So Athena unloads
them by day; each day is sorted here and added to the file, which is uploaded at the end.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
from pyarrow import parquet

from pulse import days, lake
from pulse.daily.statement_days import batches, day_parameters
from pulse.days import Remaining
from pulse.errors import AthenaError
from pulse.export_orders import (
    FILTERS,
    FORMATS,
    LEASE_US,
    MOST_TRIES,
    SLOTS,
    Export,
    ExportRequest,
)
from pulse.exports.files import FILES, columns_of, in_order, with_own
from pulse.exports.waking import wake
from pulse.filters import Condition
from pulse.observe import count, logger
from pulse.settings import BuildSettings
from pulse.sql import statement
from pulse.store.athena import Athena
from pulse.store.events import Events
from pulse.store.exports import Exports
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects

_UNREADABLE = "The rows could not be read in time. Try again, or ask for fewer days."
_GIVEN_UP = f"It was begun {MOST_TRIES} times and never came to an end. Ask for fewer days."
_OUR_FAULT = "Something went wrong on our side. Try again."
_ANY = Condition(frozenset(), negated=True)


@dataclass(frozen=True)
class ExportRows:
    """The stage; `run` makes the file of one order."""

    objects: Objects
    exports: Exports
    ledger: Ledger
    athena: Athena
    events: Events

    @classmethod
    def from_settings(cls, settings: BuildSettings) -> Self:
        """The stage over the stack that the settings name."""
        return cls(
            objects=Objects(settings.lake_bucket),
            exports=Exports(settings.table),
            ledger=Ledger(settings.table),
            athena=Athena(settings.database, settings.workgroup),
            events=Events(settings.event_source),
        )

    def run(self, tenant: str, *, worker: str, remaining_s: Remaining) -> Export | None:
        """Make the file of the tenant's first order in line, then invoke a worker for the next.

        Returns None, and does nothing, if there is no order or another worker is at work for the
        tenant. A retry under the same name `worker` goes on at once if the first try died.

        Afterwards the export is done and its file is stored under its key. If something goes wrong,
        the export has failed, with a reason that shows nothing internal, and the error is raised.
        """
        export = self._begin_next(tenant, worker)
        if export is None:
            return None
        try:
            return self._ended(export, remaining_s)
        finally:
            self._hand_on(export, worker)

    def _begin_next(self, tenant: str, worker: str) -> Export | None:
        """Begin the first order in line that has not ended; None if there is nothing to do."""
        while line := self.exports.take_line(tenant, worker, days.now_us() + LEASE_US):
            export = self.exports.begin(tenant, line[0], days.now_us())
            if export:
                return export
            self.exports.leave_line(tenant, line[0], worker)
        return None

    def _hand_on(self, export: Export, worker: str) -> None:
        self.exports.leave_line(export.tenant, export.id, worker)
        if self.exports.line(export.tenant):
            wake(self.events, export.tenant)

    def _ended(self, export: Export, remaining_s: Remaining) -> Export:
        """Make the export; return it as done, or as failed for good."""
        if export.tries > MOST_TRIES:
            failed = replace(export, state="failed", reason=_GIVEN_UP)
            self._end(failed)
            return failed
        try:
            ended = self._made(export, remaining_s)
        except Exception as error:
            reason = _UNREADABLE if isinstance(error, AthenaError) else _OUR_FAULT
            self._end(replace(export, state="failed", reason=reason))
            raise
        self._end(ended)
        return ended

    def _end(self, export: Export) -> None:
        self.exports.end(replace(export, finished_us=days.now_us()))
        logger.info("export ended", extra={"export": export.id, "state": export.state})
        count("ExportsDone" if export.state == "done" else "ExportsFailed")

    def _made(self, export: Export, remaining_s: Remaining) -> Export:
        """Make the file, under a key that no other run uses; return the export as done."""
        request, run = export.request, lake.ulid()
        key = lake.export_key(export.tenant, export.id, run, request.file_name)
        rows = 0
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, request.file_name)
            with FILES[request.format](path, columns_of(request), request.csv) as write_day:
                for day, found in self._rows_by_day(export, run, remaining_s):
                    write_day(day, with_own(found, request))
                    rows += len(found)
            self.objects.put_file(key, path, media_type=FORMATS[request.format])
        return replace(export, state="done", key=key, rows=rows)

    def _rows_by_day(
        self, export: Export, run: str, remaining_s: Remaining
    ) -> Iterator[tuple[date, pa.Table]]:
        """The days that have rows, in order, each with its rows in order."""
        stream, dates = export.request.stream, export.request.dates
        filters = filter_parameters(export.request)
        for batch in batches(sorted(self.ledger.entries(stream, dates.start, dates.end))):
            staging = lake.export_staging_prefix(run, batch[0])
            self.athena.unload(
                statement("exports", stream),
                {"tenant": export.tenant, **day_parameters(batch), **filters},
                target=f"s3://{self.objects.bucket}/{staging}",
                partition="dt",
                remaining_s=remaining_s,
            )
            for day, keys in groupby(self.objects.keys(staging), _day_of_piece):
                yield day, in_order(stream, self._read(keys))
            self.objects.delete_all(staging)

    def _read(self, keys: Iterable[str]) -> pa.Table:
        bodies = (pa.BufferReader(self.objects.get(key)) for key in keys)
        return pa.concat_tables([parquet.ParquetFile(body).read() for body in bodies])


def _day_of_piece(key: str) -> date:
    """The day whose rows an object below `…/dt=YYYY-MM-DD/` holds."""
    return date.fromisoformat(key.rsplit("/", 2)[1].removeprefix("dt="))


def filter_parameters(request: ExportRequest) -> Mapping[str, Any]:
    """The parameters of the statements in sql/exports: each dimension's values, and if negated.

    A value begins with "=", and null is "-", so that no value can be mistaken for null. Each list
    also has the empty text, which equals neither, so that no list is empty.
    """
    parameters: dict[str, Any] = {}
    filters = request.filters_by_column
    for name in (*FILTERS[request.stream], *SLOTS[request.stream]):
        condition = filters.get(name, _ANY)
        marked = sorted("-" if v is None else f"={v}" for v in condition.values)
        parameters[name] = ["", *marked]
        parameters[f"{name}_negated"] = condition.negated
    return parameters
