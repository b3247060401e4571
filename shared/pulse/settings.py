"""What each function is told by template.yaml, read once from the environment.

A function asks for its own frozen class: `WriteRawSettings.from_environment()`. The fields'
names are the variables' names, `lake_bucket` being PULSE_LAKE_BUCKET.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

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
class IngestSettings(Settings):
    """ingest: keys and surveys from the table, messages to the queue."""

    queue_url: str


@dataclass(frozen=True)
class WriteRawSettings(Settings):
    """write_raw: Parquet into the lake; the country database may be an object of the lake."""

    lake_bucket: str
    country_database: str
    """Key in the lake bucket of a MaxMind database; empty: the one built into the layer."""


@dataclass(frozen=True)
class BuildSettings(Settings):
    """build_daily, build_reports, export_rows and housekeep."""

    lake_bucket: str
    database: str
    workgroup: str
    event_source: str


@dataclass(frozen=True)
class ServeReportsSettings(Settings):
    """serve_reports: report objects from the lake."""

    lake_bucket: str
