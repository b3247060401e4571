"""Readers during a thousand publishes: each reply is one state, no mixture and no older one.

The real readers and the real builder on moto's bucket and table; only Athena and Glue, whose part
ends before anything is published, are played by the test.
"""

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import inf
from typing import Any, cast

import pyarrow as pa
import pytest
from moto import mock_aws
from pyarrow import parquet

from pulse import days, lake
from pulse.http import Call
from pulse.reports import tenant_year
from pulse.reports.build import BuildReports
from pulse.serve.service import Reports
from pulse.settings import ServeReportsSettings
from pulse.store.athena import Athena
from pulse.store.catalog import Catalog, Partition
from pulse.store.clients import client
from pulse.store.events import Events
from pulse.store.ledger import Entry, Ledger
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.keys import Key, sha256
from pulse.tenants.tenant import Tenant
from tests.account import OPEN_TO_ALL, make_bucket, make_table

PUBLISHES = 1_000
REPLIES_EACH = 10
"""So many replies of all readers are waited for between two publishes."""
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAYS = [date(2026, 11, day) for day in range(16, 21)]
KEY = "rk_reader"
READERS = {0: 1, 20: 5, 60: 5}
"""How many seconds a reader remembers keys and tenants; how often it replies between publishes."""
KEPT_S = 60
"""So long a reader may show what it has read, if it does not know of a newer build."""


@dataclass
class Publisher:
    """State n has n answers on each of the days; a new one every second of the clock."""

    begun: int = 0
    ended: int = 0
    seconds: int = 0

    # -- Glue and Athena, as build_reports knows them

    def partitions(self, table: str) -> Mapping[date, Partition]:
        if table != lake.SCORES.daily_table or not self.begun:
            return {}
        return {day: Partition(day, f"run{self.begun}", self.begun, self.begun) for day in DAYS}

    def unload(self, sql: str, params: Any, **_: Any) -> None:
        """The rows are found where the builder looks for them (Staged)."""

    def rows(self, *_: Any, **__: Any) -> list[dict[str, Any]]:
        return [{"tenant": "acme", "events": self.begun * len(DAYS)}]

    def announce(self, what: str) -> None:
        """Nobody is woken."""

    def entries(self, stream: str) -> dict[date, Entry]:
        """No day fails."""
        return {}

    # -- the test's own

    def publish(self) -> None:
        self.begun += 1
        BuildReports(
            Staged(self),
            Tenants("pulse"),
            cast(Ledger, self),
            cast(Catalog, self),
            cast(Athena, self),
            cast(Events, self),
        ).run(remaining_s=lambda: inf)
        self.ended += 1
        self.seconds += 1


class Staged(Objects):
    """The lake; but what Athena has staged, which no reader sees, is not put and read back."""

    def __init__(self, publisher: Publisher) -> None:
        super().__init__("lake")
        self._publisher = publisher

    def keys(self, prefix: str) -> Iterator[str]:
        yield f"{prefix}rows"

    def get(self, key: str) -> bytes:
        row = {
            **dict.fromkeys(lake.SCORES.dimensions),
            **dict.fromkeys(lake.SCORES.measures, 0),
            **{"survey": "email", "metric": "nps", "scale": "0-10", "channel": "chat"},
            "c9": self._publisher.begun,
        }
        rows = [row | {"day": day} for day in DAYS]
        sink = io.BytesIO()
        parquet.write_table(pa.Table.from_pylist(rows, tenant_year.schema(lake.SCORES)), sink)
        return sink.getvalue()

    def delete_all(self, prefix: str) -> int:
        return 0


@dataclass
class Reader:
    """One process of serve_reports, and what it has shown."""

    publisher: Publisher
    remember_s: int
    pace: int
    """Replies to a publish, at most: the publisher needs the interpreter too."""
    replies: int = 0
    wrong: list[Any] = field(default_factory=list)
    _seen: int = 0

    def read_until(self, done: Callable[[], bool]) -> None:
        told = {"PULSE_TABLE": "pulse", "PULSE_LAKE_BUCKET": "lake", **OPEN_TO_ALL}
        told["PULSE_REMEMBER_SECONDS"] = str(self.remember_s)
        settings = ServeReportsSettings.from_environment(told)
        reports = Reports.from_settings(settings)
        while not done():
            if self.replies >= self.pace * self.publisher.begun:
                time.sleep(0.0005)
                continue
            self._read(reports)
            self.replies += 1

    def _read(self, reports: Reports) -> None:
        ended, seconds = self.publisher.ended, self.publisher.seconds
        due = ended if not self.remember_s else seconds - KEPT_S
        reply = reports.report(CALL)
        rows = json.loads(reply.body)["rows"]
        counts = {row["responses"] for row in rows}
        if len(rows) == len(DAYS) and len(counts) == 1:
            (shown,) = counts
            if max(due, self._seen) <= shown <= self.publisher.begun:
                self._seen = shown
                return
        self.wrong.append((due, self._seen, rows))


CALL = Call(
    route="GET /v1/reports/{report}",
    path="/v1/reports/daily",
    raw_query="start_date=2026-11-16&end_date=2026-11-20",
    headers={"authorization": f"Bearer {KEY}"},
    body=b"",
    source_ip="203.0.113.7",
    request_id="id",
    path_parameters={"report": "daily"},
)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    """A tenant of which one state is published."""
    with mock_aws():
        make_table()
        # with versions, as the template's: without them moto closes an object that is being read
        client("s3").put_bucket_versioning(
            Bucket=make_bucket(), VersioningConfiguration={"Status": "Enabled"}
        )
        Tenants("pulse").create(Tenant("acme", "Acme"))
        Tenants("pulse").add_key(Key(sha256(KEY), "report", "acme", 0))
        publisher = Publisher()
        with days.clock(lambda: NOON + timedelta(seconds=publisher.seconds)):
            publisher.publish()
            yield publisher


def test_no_reply_is_wrong_while_a_thousand_states_are_published(publisher: Publisher) -> None:
    readers = [Reader(publisher, *each) for each in READERS.items()]
    over = False
    with ThreadPoolExecutor(len(readers)) as pool:
        reading = [pool.submit(reader.read_until, lambda: over) for reader in readers]
        try:
            for number in range(1, PUBLISHES + 1):
                publisher.publish()
                while sum(reader.replies for reader in readers) < REPLIES_EACH * number:
                    assert not any(one.done() for one in reading)
                    time.sleep(0.0005)
        finally:
            over = True
        for one in reading:
            one.result()
    assert sum(reader.replies for reader in readers) >= PUBLISHES * REPLIES_EACH
    assert min(reader.replies for reader in readers) >= PUBLISHES
    assert [reader.wrong for reader in readers] == [[], [], []]
