"""What each function is told by template.yaml, read once from the environment.

A function asks for its own frozen class: `WriteRawSettings.from_environment()`. The fields'
names are the variables' names, `lake_bucket` being PULSE_LAKE_BUCKET.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from pulse import days
from pulse.errors import SettingsError


@dataclass(frozen=True)
class Settings:
    """What every function needs."""

    table: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The settings of this function.

        Raises SettingsError naming each variable that is not set.
        """
        names = {field.name: f"PULSE_{field.name.upper()}" for field in fields(cls)}
        missing = [name for name in names.values() if name not in environment]
        if missing:
            raise SettingsError(f"environment variables are not set: {', '.join(missing)}")
        return cls(**{field: environment[name] for field, name in names.items()})


@dataclass(frozen=True)
class RememberingSettings(Settings):
    """Functions that look callers up in the table and remember the answers for a while."""

    remember_seconds: str

    @property
    def remember_us(self) -> int:
        """How long answers are remembered, in microseconds. Raises SettingsError for no number."""
        return _whole(self, "remember_seconds") * days.SECOND


@dataclass(frozen=True)
class RoutedSettings(Settings):
    """Functions that answer the API's routes."""

    origin_secret: str
    """The secret that CloudFront adds to each request."""
    only_through_pages: str
    """true: requests without that secret are refused."""

    @property
    def is_only_through_pages(self) -> bool:
        """The setting as a bool. Raises SettingsError for a word other than true and false."""
        if self.only_through_pages not in ("true", "false"):
            raise SettingsError(
                f"PULSE_ONLY_THROUGH_PAGES is neither true nor false: {self.only_through_pages!r}"
            )
        return self.only_through_pages == "true"


PerMinute = tuple[int, int]
"""How many requests a minute one key may send, and all keys of one tenant; 0: no limit."""


@dataclass(frozen=True)
class RetainingSettings(Settings):
    """Functions that know how long raw is kept."""

    raw_retention_days: str
    """How many days; 0: for ever."""

    @property
    def retention_days(self) -> int:
        """The days as a number. Raises SettingsError for another text."""
        return _whole(self, "raw_retention_days")


@dataclass(frozen=True)
class IngestSettings(RememberingSettings, RoutedSettings, RetainingSettings):
    """ingest: keys and surveys from the table, messages to the queue."""

    queue_url: str
    key_writes_per_minute: str
    tenant_writes_per_minute: str

    @property
    def writes(self) -> PerMinute:
        """As numbers. Raises SettingsError for another text."""
        return _per_minute(self, "writes")


@dataclass(frozen=True)
class WriteRawSettings(RetainingSettings):
    """write_raw: Parquet into the lake; the country database may be an object of the lake."""

    lake_bucket: str
    country_database: str
    """Key in the lake bucket of a MaxMind database; empty: the one built into the layer."""
    event_source: str


@dataclass(frozen=True)
class BuildSettings(Settings):
    """build_daily, build_reports and export_rows."""

    lake_bucket: str
    database: str
    workgroup: str
    event_source: str
    largest_tenant_rows: str

    @property
    def most_rows(self) -> int:
        """How many daily rows a tenant may have in a year of a table, and not be a large one.

        Raises SettingsError for another text than a number.
        """
        return _whole(self, "largest_tenant_rows")


@dataclass(frozen=True)
class ReadingSettings(RememberingSettings, RoutedSettings):
    """Functions that answer readers."""

    key_reads_per_minute: str
    tenant_reads_per_minute: str

    @property
    def reads(self) -> PerMinute:
        """As numbers. Raises SettingsError for another text."""
        return _per_minute(self, "reads")


@dataclass(frozen=True)
class OrderExportsSettings(ReadingSettings):
    """order_exports: links to files of the lake, and the event that wakes the worker."""

    lake_bucket: str
    event_source: str
    key_exports_per_minute: str
    tenant_exports_per_minute: str

    @property
    def exports(self) -> PerMinute:
        """As numbers. Raises SettingsError for another text."""
        return _per_minute(self, "exports")


@dataclass(frozen=True)
class BuildDailySettings(BuildSettings):
    """build_daily: as build_reports, and how many values from public keys are kept apart."""

    public_values: str

    @property
    def most_public_values(self) -> int:
        """The limit as a number. Raises SettingsError for another text."""
        return _whole(self, "public_values")


@dataclass(frozen=True)
class CompactRawSettings(Settings):
    """compact_raw: events of the lake, and the event that wakes it for the rest."""

    lake_bucket: str
    event_source: str


@dataclass(frozen=True)
class HousekeepSettings(RetainingSettings):
    """housekeep: what the lake need not keep, and the event that wakes it for the rest."""

    lake_bucket: str
    database: str
    event_source: str


@dataclass(frozen=True)
class ExportRevenueSettings(Settings):
    """export_revenue: report objects from the lake, months of revenue into the finance bucket."""

    lake_bucket: str
    finance_bucket: str
    finance_close_days: str
    """How many days after its end a month is closed."""
    event_source: str

    @property
    def close_days(self) -> int:
        """The days as a number. Raises SettingsError for another text."""
        return _whole(self, "finance_close_days")


@dataclass(frozen=True)
class ServeReportsSettings(ReadingSettings):
    """serve_reports: report objects from the lake, and Athena for what none of them covers."""

    lake_bucket: str
    database: str
    workgroup: str


def _whole(settings: Settings, name: str) -> int:
    """A setting as a number. Raises SettingsError for another text."""
    text: str = getattr(settings, name)
    if not text.isdecimal():
        raise SettingsError(f"PULSE_{name.upper()} is no whole number: {text!r}")
    return int(text)


def _per_minute(settings: Settings, what: str) -> PerMinute:
    """A key's limit and a tenant's. Raises SettingsError for another text."""
    return (
        _whole(settings, f"key_{what}_per_minute"),
        _whole(settings, f"tenant_{what}_per_minute"),
    )
