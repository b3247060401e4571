"""Readers during hundreds of publishes: each reply is of one state, never mixed and never older.

The real readers on moto's bucket and table. A publish is what a build ends with: the objects of a
part under names of their own, then the one conditional write of the tenant's record. What no record
names any more is removed far sooner than housekeep does it, so that readers find objects gone.
"""

import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from moto import mock_aws

from pulse import days, lake
from pulse.http import Call
from pulse.reports import tenant_year
from pulse.reports.rollups import ROLLUPS, named, roll_up
from pulse.serve.service import Reports
from pulse.serve.years import Years
from pulse.settings import ServeReportsSettings
from pulse.store.clients import client
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.keys import Key, sha256
from pulse.tenants.tenant import BOTS, Part, Tenant, YearState
from tests.account import OPEN_TO_ALL, make_bucket, make_table

pytestmark = pytest.mark.only_whole

PUBLISHES = 1_000
REPLIES_EACH = 4
"""So many replies of all readers are waited for between two publishes."""
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAYS = [date(2026, 11, day) for day in range(16, 21)]
KEY = "rk_reader"
READERS = ((0, 1, 10**8), (20, 2, 10**8), (60, 2, 10**8), (60, 1, 0))
"""How many seconds a reader remembers keys and tenants, how often it replies between publishes,
and how many bytes it keeps in memory."""
KEPT_S = 60
"""So long a reader may show what it has read, if it does not know of a newer build."""
GONE_AFTER = 20
"""So many publishes later what was replaced is removed, which some readers still know of."""
CUBE_ROLLUP = ROLLUPS[lake.SCORES.name][0]
BY_CHANNEL = named(lake.SCORES, "day-metric-scale-survey-channel")


def state_of(number: int) -> list[int]:
    """How many answers each of the days has when so many have come, one day after the other."""
    return [number // len(DAYS) + (place < number % len(DAYS)) for place in range(len(DAYS))]


def rows_of(number: int, held: list[date]) -> pa.Table:
    """The rows of these days in that state."""
    nothing: dict[str, Any] = dict.fromkeys(lake.SCORES.dimensions)
    nothing |= dict.fromkeys(lake.SCORES.measures, 0)
    nothing |= {"survey": "email", "metric": "nps", "scale": "0-10", "channel": "chat"}
    counts = dict(zip(DAYS, state_of(number), strict=True))
    rows = [nothing | {"day": day, "c9": counts[day]} for day in held]
    return pa.Table.from_pylist(rows, tenant_year.schema(lake.SCORES, CUBE_ROLLUP))


@dataclass
class Publisher:
    """State n has n answers; a new one every second of the clock."""

    begun: int = len(DAYS)
    ended: int = len(DAYS)
    seconds: int = 0
    _unnamed: deque[list[str]] = field(default_factory=deque)

    def publish(self) -> None:
        """The next state: a part of the day that has changed, or now and then of all days."""
        tenants = Tenants("pulse")
        tenant = tenants.get("acme")
        assert tenant is not None
        before = tenant.table("scores").years.get(2026)
        self.begun += 1
        whole = before is None or self.begun % 3 == 0
        held = DAYS if whole else [DAYS[(self.begun - 1) % len(DAYS)]]
        kept = () if whole or before is None else before.parts
        state = YearState(
            parts=(self._part(held), *kept),
            content=f"state {self.begun}",
            as_of_us=days.now_us(),
            first_day=DAYS[0],
            revision=before.revision + 1 if before else 1,
        )
        tenants.set_year("acme", "scores", 2026, state, before=before)
        self.ended += 1
        self.seconds += 1
        self._remove([part for part in before.parts if part not in kept] if before else [])

    def _part(self, held: list[date]) -> Part:
        rows = rows_of(self.begun, held)
        made = {CUBE_ROLLUP: rows, BY_CHANNEL: roll_up(lake.SCORES, BY_CHANNEL, rows)}
        run = lake.ulid()
        sizes = {}
        for rollup, some in made.items():
            body = tenant_year.encode(lake.SCORES, rollup, some)
            Objects("lake").put(lake.part_key(lake.SCORES, "acme", 2026, run, rollup.name), body)
            sizes[rollup.name] = len(body)
        return Part(run, frozenset(held), {**sizes, BOTS: 0})

    def _remove(self, parts: list[Part]) -> None:
        self._unnamed.append(
            [
                lake.part_key(lake.SCORES, "acme", 2026, part.run, name)
                for part in parts
                for name in part.sizes
            ]
        )
        if len(self._unnamed) > GONE_AFTER and (keys := self._unnamed.popleft()):
            Objects("lake").delete(keys)


class Lake(Objects):
    """The bucket; it counts what is asked for in vain."""

    missed = 0

    def get_unless_gone(self, key: str) -> bytes | None:
        found = super().get_unless_gone(key)
        self.missed += found is None
        return found


@dataclass
class Reader:
    """One process of serve_reports, and what it has shown."""

    publisher: Publisher
    remember_s: int
    pace: int
    """Replies to a publish, at most: the publisher needs the interpreter too."""
    budget_bytes: int
    """How much it keeps in memory: 0 for one that fetches every object anew."""
    lake: Lake = field(default_factory=lambda: Lake("lake", fail_fast=True))
    replies: int = 0
    wrong: list[Any] = field(default_factory=list)
    _seen: int = 0

    def read_until(self, done: Callable[[], bool]) -> None:
        told = {"PULSE_TABLE": "pulse", "PULSE_LAKE_BUCKET": "lake", **OPEN_TO_ALL}
        told["PULSE_REMEMBER_SECONDS"] = str(self.remember_s)
        settings = ServeReportsSettings.from_environment(told)
        reports = Reports.from_settings(settings)
        years = Years(self.lake, budget_bytes=self.budget_bytes)
        reports = replace(reports, years=years)
        while not done():
            if self.replies >= self.pace * self.publisher.begun:
                time.sleep(0.0005)
                continue
            self._read(reports)
            self.replies += 1

    def _read(self, reports: Reports) -> None:
        ended = self.publisher.ended
        due = ended if not self.remember_s else ended - KEPT_S
        name = REPORTS_READ[self.replies % len(REPORTS_READ)]
        call = replace(CALL, path_parameters={"report": name}, path=f"/v1/reports/{name}")
        reply = reports.report(call)
        counts = [row["responses"] for row in json.loads(reply.body)["rows"]]
        shown = sum(counts)
        if counts == state_of(shown) and max(due, self._seen) <= shown <= self.publisher.begun:
            self._seen = shown
            return
        self.wrong.append((due, self._seen, counts))


REPORTS_READ = ("daily", "geo")
"""They are read from different objects of a part, as one of them has no countries."""
CALL = Call(
    route="GET /v1/reports/{report}",
    path="/v1/reports/daily",
    raw_query="start_date=2026-11-16&end_date=2026-11-20&group_by=period&granularity=day",
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


def test_no_reply_is_wrong_while_hundreds_of_states_are_published(publisher: Publisher) -> None:
    readers = [Reader(publisher, *each) for each in READERS]
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
    assert [reader.wrong for reader in readers] == [[]] * len(READERS)
    assert readers[0].lake.missed <= readers[0].replies // 100  # it reads the record each time
    assert readers[-1].lake.missed >= PUBLISHES // KEPT_S  # its record is older
