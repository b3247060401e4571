"""The settings of each function, which template.yaml puts into its environment.

A function reads its own frozen class once: `WriteRawSettings.from_environment()`. The fields' names
are those of the variables: `lake_bucket` is PULSE_LAKE_BUCKET.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from pulse import days
from pulse.errors import SettingsError


@dataclass(frozen=True)
class Settings:
    """The settings of every function."""

    table: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the settings from the environment.

        Raises SettingsError with the name of each variable that is not set.
        """
        names = {field.name: f"PULSE_{field.name.upper()}" for field in fields(cls)}
        missing = [name for name in names.values() if name not in environment]
        if missing:
            raise SettingsError(f"environment variables are not set: {', '.join(missing)}")
        return cls(**{field: environment[name] for field, name in names.items()})


@dataclass(frozen=True)
class RememberingSettings(Settings):
    """Settings of functions that look callers up in the table and remember them for a while."""

    remember_seconds: str

    @property
    def remember_us(self) -> int:
        """How long they are remembered, in microseconds. Raises SettingsError for no number."""
        return _whole(self, "remember_seconds") * days.SECOND


@dataclass(frozen=True)
class RoutedSettings(Settings):
    """Settings of functions that serve routes of the API."""

    origin_secret: str
    """The secret that CloudFront adds to each request."""
    only_through_pages: str
    """"true" if requests without that secret are refused, else "false"."""

    @property
    def is_only_through_pages(self) -> bool:
        """The setting as a bool. Raises SettingsError for a word other than true and false."""
        if self.only_through_pages not in ("true", "false"):
            raise SettingsError(
                f"PULSE_ONLY_THROUGH_PAGES is neither true nor false: {self.only_through_pages!r}"
            )
        return self.only_through_pages == "true"


PerMinute = tuple[int, int]
"""The most requests a minute of one key, and of all keys of one tenant; 0 is no limit."""


@dataclass(frozen=True)
class RetainingSettings(Settings):
    """Settings of functions that depend on how long raw is kept."""

    raw_retention_days: str
    """How many days; 0 is for ever."""

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
    """The key of a MaxMind database in the lake bucket; empty for that of the layer."""
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
        """The most daily rows that a tenant has in a year of a table without counting as large.

        Raises SettingsError if it is no number.
        """
        return _whole(self, "largest_tenant_rows")


@dataclass(frozen=True)
class ReadingSettings(RememberingSettings, RoutedSettings):
    """Settings of functions that readers call."""

    key_reads_per_minute: str
    tenant_reads_per_minute: str

    @property
    def reads(self) -> PerMinute:
        """As numbers. Raises SettingsError for another text."""
        return _per_minute(self, "reads")


@dataclass(frozen=True)
class OrderExportsSettings(ReadingSettings):
    """order_exports: links to files of the lake, and the event that invokes the worker."""

    lake_bucket: str
    event_source: str
    key_exports_per_minute: str
    tenant_exports_per_minute: str

    @property
    def exports(self) -> PerMinute:
        """As numbers. Raises SettingsError for another text."""
        return _per_minute(self, "exports")


@dataclass(frozen=True)
class BuildDailySettings(BuildSettings, RetainingSettings):
    """build_daily: as build_reports, and what it tells apart and links."""

    public_values: str
    """How many values from publishable keys are not folded, as text."""
    link_days: str
    """How many days before an answer its interaction may have entered, as text."""

    @property
    def most_public_values(self) -> int:
        """The limit as a number. Raises SettingsError for another text."""
        return _whole(self, "public_values")

    @property
    def most_link_days(self) -> int:
        """The days over which answers are linked. Raises SettingsError for another text.

        At most half of the days that raw is kept for, so that a late answer still finds its
        interaction.
        """
        given, kept = _whole(self, "link_days"), self.retention_days
        return min(given, kept // 2) if kept else given


@dataclass(frozen=True)
class CompactRawSettings(Settings):
    """compact_raw: objects of raw, and the event that invokes it to go on."""

    lake_bucket: str
    event_source: str


@dataclass(frozen=True)
class HousekeepSettings(RetainingSettings):
    """housekeep: all objects of the lake, and the event that invokes it to go on."""

    lake_bucket: str
    database: str
    event_source: str


@dataclass(frozen=True)
class ExportRevenueSettings(Settings):
    """export_revenue: report objects of the lake, and the finance bucket."""

    lake_bucket: str
    finance_bucket: str
    finance_close_days: str
    """How many days after its end a month is closed, as text."""
    event_source: str

    @property
    def close_days(self) -> int:
        """The days as a number. Raises SettingsError for another text."""
        return _whole(self, "finance_close_days")


@dataclass(frozen=True)
class ServeReportsSettings(ReadingSettings):
    """serve_reports: report objects of the lake, and Athena for queries that need others."""

    lake_bucket: str
    database: str
    workgroup: str
    most_comments: str

    @property
    def comments_held(self) -> int:
        """How many comments a process may hold."""
        return _whole(self, "most_comments")


def _whole(settings: Settings, name: str) -> int:
    """A setting as a whole number. Raises SettingsError if it is none."""
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
