"""Rows of Parquet objects without those that tombstones cover.

write_raw asks about each row that it makes; this is for rows that lie in objects already.
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
"""What hashes are made of. Sessions name no customer."""
_COLUMNS = {dataset.stream: dataset.raw_columns for dataset in lake.DATASETS}


def uncovered(rows: pa.Table, stream: str, day: date, tombstones: Tombstones) -> pa.Table:
    """The rows, all of that day, that no tombstone covers, in their order."""
    rows = _unpurged(rows, stream, tombstones)
    if stream not in _READ or not tombstones.tenants:
        return rows
    if not len(
        rows
    ):  # of no chunks, Arrow's indices_nonzero kills the process (apache/arrow#51018)
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
    """The rows without those that were purged. These may be all, so Arrow filters by columns."""
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
    """What an object of a day becomes."""

    body: bytes
    removed: int
    left: int


def rewritten(body: bytes, stream: str, day: date, tombstones: Tombstones) -> Rewritten | None:
    """The object without what tombstones cover; None where they cover nothing of it.

    An object of which no row is left stays one, with its columns and no row. One of no bytes, such
    as S3's console makes for a folder, has none. Raises ArrowException for what is no Parquet.
    """
    if not body:
        return None
    rows = parquet.decode(body, _COLUMNS[stream])
    left = uncovered(rows, stream, day, tombstones)
    if len(left) == len(rows):
        return None
    return Rewritten(parquet.encode_table(left), len(rows) - len(left), len(left))


def holds(body: bytes, stream: str, day: date, tombstones: Tombstones) -> bool:
    """Does an older version hold a row that tombstones cover? True if it cannot be read."""
    try:
        return rewritten(body, stream, day, tombstones) is not None
    except (ValueError, OSError, pa.ArrowException):
        return True
