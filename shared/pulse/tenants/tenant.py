"""A tenant: its settings, and the state of its report tables."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from urllib.parse import urlsplit

from pulse import days, lake
from pulse.days import DateRange
from pulse.streams.fields import WORD_LIMIT
from pulse.streams.interactions import SYNCHRONOUS
from pulse.tenants.own_dimensions import OwnDimensions, check_own_dimensions
from pulse.tenants.thresholds import (
    Thresholds,
    Timeline,
    check_targets,
    check_timelines,
    thresholds_on,
)
from pulse.texts import is_word
from pulse.unbuilt import Unbuilt

CUBE = "cube"
"""The roll-up with every dimension: its rows are those of the daily table."""
BOTS = "bots"
"""The roll-up with the daily rows of bots: all others but the cube have none of them."""
UNTOLD = -1
"""In the place of an object's bytes where a large tenant has more rows of bots than a reader
holds."""
_TENANT_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SCALE = re.compile(r"(\d{1,4})-(\d{1,4})", re.ASCII)
ADJUSTABLE = frozenset({*lake.SCORE_DIMENSIONS} - {*lake.SCORES.parted_by, "agent"})
"""The dimensions for whose mix every tenant may have scores adjusted, beside its own ones."""
DISPLAY_NAME_LIMIT = 128
_ADDRESS_LIMIT = 2_000


def is_tenant_id(text: str) -> bool:
    """May a tenant be called so?"""
    return bool(_TENANT_ID.fullmatch(text))


def check_tenant_id(tenant: str) -> str:
    """Return the id. Raises ValueError if it may not be a part of an object's key."""
    if not is_tenant_id(tenant):
        raise ValueError(
            f"{tenant!r} is no tenant id: lower-case letters, digits and '-', at most 63"
        )
    return tenant


def _check_address(name: str, url: str) -> None:
    """Raise ValueError unless the address is empty or one that any page may show."""
    if not url:
        return
    parts = urlsplit(url)
    safe = url.isascii() and url.isprintable() and " " not in url and len(url) <= _ADDRESS_LIMIT
    if not (safe and parts.scheme == "https" and parts.hostname and "@" not in parts.netloc):
        raise ValueError(
            f"{name} must be an address that begins with https://, without a user's name, in at "
            f"most {_ADDRESS_LIMIT:,} ASCII characters; {url[:64]!r} is none"
        )


@dataclass(frozen=True)
class Part:
    """Some days of a tenant's year, as objects that never change: one for each roll-up it has."""

    run: str
    """Names the objects (lake.part_key); empty for an object from before there were parts."""
    days: frozenset[date]
    """The days whose rows it holds, also those that have none any more."""
    sizes: Mapping[str, int]
    """The bytes of each of its objects, by the name of the roll-up (reports/rollups.py). Where bots
    are left out of the roll-ups, BOTS is among the names: with 0 where there are no bots, and with
    UNTOLD where their rows are too many for one object (rollups.COUNTING_BOTS)."""
    carried: int = 0
    """How many bytes of older days have been written again with this part since its days were
    last folded into an older part. It decides when the next fold is due."""
    laid: Mapping[str, frozenset[date]] = field(default_factory=dict)
    """Where Athena finds the rows of a part that is too large for a cube: which of its days each
    run has laid out apart (lake.large_run_prefix). No day is in two of them."""

    @property
    def leaves_bots_out(self) -> bool:
        """True where its roll-ups but the cube have no rows of bots.

        False where there are none, and where a version made them that did not leave bots out.
        """
        return BOTS in self.sizes


@dataclass(frozen=True)
class YearState:
    """What a tenant's year in a report table is made of: what readers go by.

    It changes in one conditional write, which makes all of a build's rows visible at once.
    """

    parts: tuple[Part, ...]
    """The newest first. The rows of a day are those of the first part that has the day."""
    content: str
    """Names the rows: the run that changed them last. A fold changes the parts and not this."""
    as_of_us: int
    """When the build that changed the rows last read the days it is made of."""
    first_day: date | None
    """The first day with rows; None where the year has none."""
    revision: int
    """Counts the changes of this state: a build's write holds only if it stands where it stood."""
    owed: frozenset[date] = frozenset()
    """Days whose rows of now could not be built for this tenant, while others' have been."""

    @classmethod
    def after(
        cls,
        before: "YearState | None",
        changed: Collection[date],
        *,
        parts: Iterable[Part],
        content: str,
        as_of_us: int,
        first_day: date | None,
    ) -> "YearState":
        """The state that follows `before` (None: there was none) once these days are written."""
        return cls(
            parts=tuple(parts),
            content=content,
            as_of_us=as_of_us,
            first_day=first_day,
            revision=(before.revision if before else 0) + 1,
            owed=(before.owed if before else frozenset()).difference(changed),
        )

    @property
    def published(self) -> bool:
        """True where there is something to read."""
        return bool(self.parts)


@dataclass(frozen=True)
class Behind:
    """Days and years of a report table that are not built, as the last build_reports found."""

    failing: tuple[DateRange, ...] = ()
    """Days that cannot be built."""
    waiting: tuple[DateRange, ...] = ()
    """Days that the last build could not build for reasons that lie elsewhere."""
    years: Mapping[int, Unbuilt] = field(default_factory=dict)
    """Years of this tenant that could not be built from their days."""


@dataclass(frozen=True)
class TableState:
    """What is known of a tenant's rows in one report table, by calendar year."""

    years: Mapping[int, YearState] = field(default_factory=dict)
    behind: Behind = Behind()
    as_of_us: int | None = None
    """Every event that was stored before then is in the rows, but for what is `behind`. None until
    a build has left nothing of the table over."""

    @property
    def published_years(self) -> tuple[int, ...]:
        """The years that have an object, in order."""
        return tuple(sorted(year for year, state in self.years.items() if state.published))

    @property
    def first_day(self) -> date | None:
        """The first day with rows; None where there is none."""
        return min((s.first_day for s in self.years.values() if s.first_day), default=None)


def earliest(moments: Iterable[int | None]) -> int | None:
    """The earliest moment; None where there are none, or one is not known."""
    known = list(moments)
    told = [us for us in known if us is not None]
    return min(told) if told and len(told) == len(known) else None


@dataclass(frozen=True)
class Tenant:
    """A tenant: its settings, and the state of its report tables by name."""

    id: str
    name: str
    timezone: str = "UTC"
    week_start: str = "monday"
    min_sample: int = 5
    started: bool = False
    """True once it has an event; from then on its time zone never changes."""
    satisfaction_scale: str = "1-5"
    """The lowest and highest satisfaction of an interaction; fixed once a report has any."""
    satisfaction_from: str = ""
    """The survey whose answers' scores stand for satisfactions that interactions lack; or empty."""
    synchronous_media: tuple[str, ...] = SYNCHRONOUS
    """The media on which the customer waits on the line: being accepted is the first response."""
    thresholds: Mapping[str, Timeline] = field(default_factory=dict)
    """The thresholds' timelines, by the thresholds' names (tenants/thresholds.py)."""
    adjust_for: tuple[str, ...] = lake.ADJUSTED_FOR
    """The dimensions for whose mix agents' scores are adjusted, since agents do not choose it. Its
    own may be among them."""
    dimensions: OwnDimensions = field(default_factory=dict)
    """The keys of tags that its answers are told apart by (tenants/own_dimensions.py)."""
    targets: Mapping[str, int] = field(default_factory=dict)
    """The percentage of interactions that should meet a threshold, by the threshold's name."""
    display_name: str = ""
    """The tenant's name on survey pages; if it is empty they show none."""
    logo_url: str = ""
    """The address of a picture on survey pages; if it is empty they show none."""
    privacy_url: str = ""
    """The address of its privacy policy, which survey pages link to; empty if there is none."""
    tables: Mapping[str, TableState] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError if a setting has a value that no tenant can have."""
        check_tenant_id(self.id)
        days.zone(self.timezone)
        if self.week_start not in days.WEEK_STARTS:
            raise ValueError(f"week_start must be monday or sunday, not {self.week_start!r}")
        if self.min_sample < 0:
            raise ValueError("min_sample must not be negative")
        low, high = self.satisfaction_range
        if low >= high:
            raise ValueError(f"satisfaction_scale must rise; {self.satisfaction_scale} does not")
        for medium in self.synchronous_media:
            if not is_word(medium):
                raise ValueError(
                    "synchronous_media names media, each a text of 1 to "
                    f"{WORD_LIMIT} characters, not {medium!r}"
                )
        check_own_dimensions(self.dimensions)
        adjustable = {*ADJUSTABLE, *self.dimensions}
        if not {*self.adjust_for} <= adjustable:
            raise ValueError(
                f"adjust_for names some of {', '.join(sorted(adjustable))}, "
                f"not {', '.join(self.adjust_for)}"
            )
        check_timelines(self.thresholds)
        check_targets(self.targets)
        if len(self.display_name) > DISPLAY_NAME_LIMIT or not self.display_name.isprintable():
            raise ValueError(f"display_name is one line of at most {DISPLAY_NAME_LIMIT} characters")
        _check_address("logo_url", self.logo_url)
        _check_address("privacy_url", self.privacy_url)

    @property
    def satisfaction_range(self) -> tuple[int, int]:
        """The lowest and the highest satisfaction."""
        match = _SCALE.fullmatch(self.satisfaction_scale)
        if not match:
            raise ValueError(
                f"satisfaction_scale must be MIN-MAX such as 1-5, not {self.satisfaction_scale!r}"
            )
        return int(match[1]), int(match[2])

    def thresholds_at(self, media_type: str, day: date) -> Thresholds:
        """The thresholds in force for a medium on one of the tenant's days."""
        return thresholds_on(self.thresholds, media_type, day)

    def as_of(self, moments: Mapping[str, int]) -> "Tenant":
        """The tenant with the `as_of_us` of each table, as far as it is known.

        `moments` must have been read before the tenant, so that its rows are at least as new.
        """
        tables = {name: replace(self.table(name), as_of_us=us) for name, us in moments.items()}
        return replace(self, tables={**self.tables, **tables})

    @property
    def has_reports(self) -> bool:
        """Whether any table has rows to read."""
        return any(table.published_years for table in self.tables.values())

    def table(self, name: str) -> TableState:
        """The state of a report table; an empty one before its first build."""
        return self.tables.get(name, TableState())
