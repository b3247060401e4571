"""A tenant's report objects, finance's files of it, and a clock: for tests of export_revenue."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import inf
from typing import Any

import pyarrow as pa

from pulse import days, lake
from pulse.finance.export import ExportRevenue, RevenueResult
from pulse.finance.manifest import Manifest
from pulse.reports import tenant_year
from pulse.reports.rollups import ROLLUPS
from pulse.settings import ExportRevenueSettings
from pulse.store.clients import client
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.tenant import CUBE, Part, Tenant, YearState

HEADER = (
    "day,media_type,customer_segment,service_type,currency,interactions_with_revenue,"
    "revenue,avg_revenue"
)
CUBE_ROLLUP = ROLLUPS[lake.INTERACTIONS.name][0]
Row = dict[str, Any]


def interaction(day: str, amount: str | None = None, currency: str = "EUR", **more: Any) -> Row:
    """A daily row of one interaction, with that revenue recorded (None: none)."""
    measures = dict.fromkeys(lake.INTERACTIONS.measures, 0)
    return {
        **dict.fromkeys(lake.INTERACTIONS.dimensions),
        **measures,
        "day": date.fromisoformat(day),
        "media_type": "voice",
        "entered": 1,
        "satisfaction": Decimal(0),
        "revenue": Decimal(amount or 0),
        "with_revenue": int(bool(amount and Decimal(amount))),
        "currency": None if amount is None else currency,
        **more,
    }


@dataclass
class Books:
    """A tenant's report objects, finance's files of it, and a clock."""

    settings: ExportRevenueSettings
    now: datetime = datetime(2026, 11, 6, 12, tzinfo=UTC)
    rows: dict[str, list[Row]] = field(default_factory=dict)

    # -- the reports' side

    def tenant(self, tenant: str = "acme", timezone: str = "UTC") -> None:
        Tenants(self.settings.table).create(Tenant(tenant, tenant.title(), timezone))

    def record(self, *rows: Row, tenant: str = "acme") -> None:
        """Build the tenant's reports again, with these interactions as well."""
        self.rows.setdefault(tenant, []).extend(rows)
        self.report(self.rows[tenant], tenant)

    def report(self, rows: list[Row], tenant: str = "acme") -> None:
        """Build the tenant's reports again, of these interactions."""
        for year in {row["day"].year for row in rows}:
            of_year = [row for row in rows if row["day"].year == year]
            schema = tenant_year.schema(lake.INTERACTIONS, CUBE_ROLLUP)
            table = pa.Table.from_pylist(of_year, schema)
            body = tenant_year.encode(lake.INTERACTIONS, CUBE_ROLLUP, table)
            self.put(tenant, year, {row["day"] for row in of_year}, body)

    def put(self, tenant: str, year: int, its_days: set[date], body: bytes) -> None:
        """Let the year be one part of these days, whose cube is this object."""
        part = Part(lake.ulid(), frozenset(its_days), {CUBE: len(body)})
        key = lake.part_key(lake.INTERACTIONS, tenant, year, part.run, CUBE)
        Objects(self.settings.lake_bucket).put(key, body)
        self.built(tenant, year, hashlib.sha256(body).hexdigest(), part)

    def built(self, tenant: str, year: int, content: str, part: Part | None = None) -> None:
        """Let the tenant's record name these rows, and the part, or one that does not exist."""
        first = date(year, 1, 1)
        part = part or Part(lake.ulid(), frozenset({first}), {CUBE: 1})
        tenants = Tenants(self.settings.table)
        found = tenants.get(tenant)
        assert found
        before = found.table("interactions").years.get(year)
        revision = before.revision + 1 if before else 1
        state = YearState((part,), content, days.now_us(), first, revision)
        tenants.set_year(tenant, "interactions", year, state, before=before)

    # -- the exporter

    @property
    def stage(self) -> ExportRevenue:
        return ExportRevenue.from_settings(self.settings)

    def export(self, remaining_s: Callable[[], float] = lambda: inf) -> RevenueResult:
        return self.stage.run(remaining_s=remaining_s)

    def export_month(self, month: str, tenant: str = "acme") -> Manifest | None:
        found = Tenants(self.settings.table).get(tenant)
        assert found
        return self.stage.export_month(found, month, remaining_s=lambda: inf)

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    # -- finance's side

    def names(self, month: str = "2026-10", tenant: str = "acme") -> list[str]:
        prefix = lake.revenue_prefix(tenant, month)
        keys = Objects(self.settings.finance_bucket).keys(prefix)
        return [key.removeprefix(prefix) for key in keys]

    def read(self, name: str, month: str = "2026-10", tenant: str = "acme") -> bytes:
        key = lake.revenue_prefix(tenant, month) + name
        return Objects(self.settings.finance_bucket).get(key)

    def lines(self, name: str = "revenue.csv", month: str = "2026-10") -> list[str]:
        """The cells of each line as a reader finds them, with commas between."""
        text = io.StringIO(self.read(name, month).decode(), newline="")
        header, *lines = [",".join(cells) for cells in csv.reader(text, strict=True)]
        assert HEADER.startswith(header)
        return lines

    def manifest(self, month: str = "2026-10", tenant: str = "acme") -> Any:
        """The manifest, after checking that every file is as it says."""
        manifest = json.loads(self.read("manifest.json", month, tenant))
        files = [*manifest["files"], *manifest["adjustments"]]
        assert {"manifest.json", *(f["name"] for f in files)} == set(self.names(month, tenant))
        for listed in files:
            body = self.read(listed["name"], month, tenant)
            assert (len(body), hashlib.sha256(body).hexdigest()) == (
                listed["bytes"],
                listed["sha256"],
            )
        return manifest

    def sums(self, month: str = "2026-10") -> dict[str, tuple[int, Decimal]]:
        """The sums of all files of a month together, by currency."""
        found: dict[str, tuple[int, Decimal]] = {}
        manifest = self.manifest(month)
        for name in ["revenue.csv", *(a["name"] for a in manifest["adjustments"])]:
            for row in csv.DictReader(io.StringIO(self.read(name, month).decode(), newline="")):
                n, money = found.get(row["currency"], (0, Decimal(0)))
                n += int(row["interactions_with_revenue"])
                found[row["currency"]] = (n, money + Decimal(row["revenue"]))
        return found

    def spoil(self, name: str, month: str = "2026-10") -> None:
        """Let somebody overwrite a file with something else."""
        key = lake.revenue_prefix("acme", month) + name
        Objects(self.settings.finance_bucket).put(key, b"spoilt")

    def versions(self, month: str = "2026-10") -> dict[str, int]:
        """How often each file was written."""
        prefix = lake.revenue_prefix("acme", month)
        reply = client("s3").list_object_versions(
            Bucket=self.settings.finance_bucket, Prefix=prefix
        )
        found: dict[str, int] = {}
        for version in reply.get("Versions", ()):
            name = version["Key"].removeprefix(prefix)
            found[name] = found.get(name, 0) + 1
        return found
