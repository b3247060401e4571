"""Messages as the queue holds them, and the rows of days that are built from them."""

import uuid
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
from pyarrow.parquet import ParquetFile

from pulse import days, lake
from pulse.ingest.message import Message
from pulse.store.catalog import Catalog
from tests.driver import Driver

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NOW_US = days.to_us(NOW)
DAY_US = 86_400 * days.SECOND
Row = dict[str, Any]


def midnight_us(day: date) -> int:
    """When the day begins in UTC."""
    return days.to_us(datetime(day.year, day.month, day.day, tzinfo=UTC))


def noon_us(day: date) -> int:
    """Noon of the day in UTC."""
    return midnight_us(day) + DAY_US // 2


def message(
    *items: Row,
    stream: str = "",
    tenant: str = "acme",
    received_us: int = NOW_US,
    key_kind: str = "secret",
    **more: Any,
) -> Row:
    """A record of the queue with the items of one request, which are of one stream.

    Without a stream it is the one whose ids the items have: of responses or of interactions.
    """
    stream = stream or ("responses" if "response_id" in items[0] else "interactions")
    body = Message(stream, tenant, key_kind, received_us, "request", items, **more).encode()
    return {
        "messageId": str(uuid.uuid4()),
        "body": body,
        "attributes": {},
        "messageAttributes": {},
    }


def read_rows(pulse: Driver, prefix: str) -> list[Row]:
    """The rows of all Parquet objects below a prefix of the lake."""
    found = []
    for key in pulse.objects(prefix):
        found += ParquetFile(pa.BufferReader(pulse.read(key))).read().to_pylist()
    return found


def daily_rows(pulse: Driver, table: lake.DailyTable, day: date) -> list[Row]:
    """The published rows of a day."""
    run = Catalog(pulse.settings.database).partitions(table.daily_table)[day].run
    return read_rows(pulse, f"{lake.run_prefix(table, run)}dt={day}/")
