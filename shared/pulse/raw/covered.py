"""Removes from Parquet objects the rows that tombstones cover.

write_raw checks each row before it stores it; this module is for rows that are stored already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from pulse import lake
from pulse.raw import parquet
from pulse.tombstones import Tombstones

_READ: dict[str, Sequence[str]] = {
    "responses": (
        "tenant",
        "received_us",
        "customer",
        "interaction",
        "survey",
        "key_kind",
        "response_id",
    ),
    "interactions": ("tenant", "received_us", "customer", "interaction_id"),
}
"""The columns from which identity hashes are made, by stream. Sessions name no customer."""
_COLUMNS = {dataset.stream: dataset.raw_columns for dataset in lake.DATASETS}


def uncovered(rows: pa.Table, stream: str, day: date, tombstones: Tombstones) -> pa.Table:
    """The rows that no tombstone covers, in their order. All rows must be of that day."""
    rows = _unpurged(rows, stream, tombstones)
    if stream not in _READ or not tombstones.tenants:
        return rows
    if not len(
        rows
    ):  # Arrow's indices_nonzero kills the process if there is no chunk (apache/arrow#51018)
        return rows
    tenants = pa.array(sorted(tombstones.tenants), pa.string())
    candidates = pc.indices_nonzero(pc.is_in(rows["tenant"], value_set=tenants))
    found = rows.select(list(_READ[stream])).take(candidates).to_pylist()
    covered = {
        index
        for index, row in zip(candidates.to_pylist(), found, strict=True)
        if tombstones.cover(stream, row, day)
    }
    if not covered:
        return rows
    return rows.filter(pa.array([index not in covered for index in range(len(rows))], pa.bool_()))


def _unpurged(rows: pa.Table, stream: str, tombstones: Tombstones) -> pa.Table:
    """The rows without the purged ones. A purge may cover many rows, so Arrow does the work."""
    for tenant, brought in tombstones.purges():
        if stream not in brought.streams:
            continue
        gone = pc.and_(
            pc.equal(rows["tenant"], pa.scalar(tenant)),
            pc.and_(
                pc.greater_equal(rows["received_us"], pa.scalar(brought.from_us)),
                pc.less(rows["received_us"], pa.scalar(brought.to_us)),
            ),
        )
        if brought.key_id is not None:
            its = pa.array([brought.key_id], pa.string())
            gone = pc.and_(gone, pc.is_in(rows["key_id"], value_set=its))
        rows = rows.filter(pc.invert(gone))
    return rows


@dataclass(frozen=True)
class Rewritten:
    """An object of a day without the rows that tombstones cover."""

    body: bytes
    removed: int
    left: int


def rewritten(body: bytes, stream: str, day: date, tombstones: Tombstones) -> Rewritten | None:
    """The object without the rows that tombstones cover; None if they cover none of its rows.

    If all rows are covered, the result is an object with its columns and no row. An object of no
    bytes, as S3's console makes for a folder, has no rows. Raises ArrowException for an object that
    is no Parquet.
    """
    if not body:
        return None
    rows = parquet.decode(body, _COLUMNS[stream])
    left = uncovered(rows, stream, day, tombstones)
    if len(left) == len(rows):
        return None
    return Rewritten(parquet.encode_table(left), len(rows) - len(left), len(left))


def holds(body: bytes, stream: str, day: date, tombstones: Tombstones) -> bool:
    """Whether an object holds a row that tombstones cover; True if it cannot be read."""
    try:
        return rewritten(body, stream, day, tombstones) is not None
    except (ValueError, OSError, pa.ArrowException):
        return True
