"""pulse check: compares the figures of every stage with the events that they were made from.

Each check reads the state and asks Athena; none changes anything. A day or a tenant-year that waits
for its build is reported as waiting, not as wrong.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import inf
from typing import Any, Literal

from pulse import days, lake
from pulse.comments.stored import Comments
from pulse.daily import experience
from pulse.daily.comments import made_of
from pulse.daily.statement_days import batches, day_parameters
from pulse.errors import AthenaError, SettingsError
from pulse.raw.quarantine import UNKNOWN_STREAM
from pulse.reports import reading, tenant_year
from pulse.retention import says_expired
from pulse.settings import BuildDailySettings, BuildSettings
from pulse.sql import statement
from pulse.store.athena import Athena
from pulse.store.catalog import Catalog
from pulse.store.held import HeldRuns
from pulse.store.ledger import Entry, Ledger
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.tenant import YearState
from pulse.unbuilt import Unbuilt

State = Literal["ok", "waiting", "look", "failed"]

_MOST_IDS = 100
"""So many ids on two days are listed: the LIMIT of the statements that find them."""


@dataclass(frozen=True)
class CheckResult:
    """The result of one check: its state, a sentence, and the rows that show why.

    "waiting": nothing is wrong, but a build is due. "look": the figures are right, but the events
    may not be what their sender meant. "failed": a figure differs from the events.
    """

    name: str
    state: State
    detail: str
    rows: tuple[Mapping[str, Any], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no figure is wrong."""
        return self.state != "failed"


def run_checks(settings: BuildDailySettings) -> list[CheckResult]:
    """Run every check over every dataset of the stack. Raises AthenaError if Athena fails."""
    found: list[CheckResult] = []
    for dataset in lake.DATASETS:
        checks = _Checks(dataset, settings)
        found += [
            checks.days_are_built(),
            checks.daily_equals_raw(),
            checks.reports_equal_daily(),
            checks.ids_on_two_days(),
            checks.nothing_set_aside(),
        ]
        if dataset is lake.SCORES:
            found.append(checks.comments_equal_raw())
        if dataset is lake.INTERACTIONS:
            found.append(checks.milestones_in_order())
    found += _experience(settings)
    found.append(_tenants_read(settings))
    found.append(_set_aside(Objects(settings.lake_bucket), UNKNOWN_STREAM))
    return found


def _experience(settings: BuildDailySettings) -> list[CheckResult]:
    """Check the table of experience: its days, the answers of each, and those of its reports.

    Days whose sums of scores wait for their build, or that raw no longer keeps whole, are not
    compared with these sums.
    """
    table, link_days = lake.EXPERIENCE, settings.most_link_days
    ledger, catalog = Ledger(settings.table), Catalog(settings.database)
    athena = Athena(settings.database, settings.workgroup)
    responses, interactions = (ledger.entries(one) for one in experience.SOURCES)
    published = catalog.partitions(table.daily_table)
    entries = experience.entries_of_experience(
        ledger.entries(experience.ledger_name(link_days)),
        responses,
        interactions,
        link_days,
        published=published,
    )
    kept = {day: entry for day, entry in entries.items() if not entry.expired}
    scores = catalog.partitions(lake.SCORES.daily_table)
    current = [
        day for day in kept if day in published and experience.shows(published[day], kept[day])
    ]
    compared = [
        day for day in current if day in scores and scores[day].version == responses[day].version
    ]
    wrong: list[dict[str, Any]] = []
    sql = statement("checks", "experience_and_scores")
    for batch in batches(compared):
        wrong += athena.rows(sql, day_parameters(batch), remaining_s=lambda: inf)
    total = sum(published[day].answers for day in compared)
    return [
        _days_built(table.name, kept, current, expired=len(entries) - len(kept), source="raw"),
        CheckResult(
            f"{table.daily_table} = {lake.SCORES.daily_table}",
            "failed" if wrong else "ok",
            detail=f"{total:,} responses on {len(compared)} days, "
            f"{len(wrong)} days of tenants differ",
            rows=tuple(wrong),
        ),
        _TableChecks(table, settings).reports_equal_daily(),
    ]


def _days_built(
    name: str,
    entries: Mapping[date, Entry],
    current: Collection[date],
    *,
    expired: int,
    source: str,
) -> CheckResult:
    """Tell which days of a table wait for the next build, and which cannot be built and why.

    `expired` is how many are left out, since the `source` no longer keeps what they are made of.
    """
    due = [entry for day, entry in sorted(entries.items()) if day not in current]
    failing = {e.day: e.unbuilt for e in due if e.unbuilt and e.unbuilt.failing}
    waiting = [entry for entry in due if entry.day not in failing]
    why = "; ".join(unbuilt.reason for unbuilt in failing.values())
    return CheckResult(
        f"{name}: days built",
        "failed" if failing else "waiting" if waiting else "ok",
        detail=f"{len(entries) - len(due)} of {len(entries)} days are built"
        + f", {expired} older ones are no longer in {source}" * bool(expired)
        + f"; {len(failing)} cannot be built: {why}" * bool(failing),
        rows=(
            *({"day": str(day), **_told(unbuilt)} for day, unbuilt in failing.items()),
            *({"day": str(e.day), "waiting": True, **_told(e.unbuilt)} for e in waiting),
        ),
    )


def _set_aside(objects: Objects, stream: str) -> CheckResult:
    """Count the lines of a stream in the quarantine: unreadable events, and those of expired days.

    Only the unreadable ones need to be looked at.
    """
    unreadable: dict[str, int] = {}
    expired = 0
    for key in objects.keys(f"{lake.QUARANTINE}{stream}/"):
        lines = objects.get(key).decode().splitlines()
        too_late = sum(says_expired(json.loads(line)["reason"]) for line in lines)
        expired += too_late
        if len(lines) > too_late:
            unreadable[key] = len(lines) - too_late
    return CheckResult(
        f"{stream}: quarantine",
        "look" if unreadable else "ok",
        detail=f"{sum(unreadable.values()):,} lines that could not be read"
        + ", see pulse quarantine list" * bool(unreadable)
        + f"; {expired:,} of days that are no longer kept" * bool(expired),
        rows=tuple({"object": key, "lines": lines} for key, lines in unreadable.items()),
    )


def _tenants_read(settings: BuildSettings) -> CheckResult:
    """Check that every tenant's record can be read: builds and checks leave out all others."""
    left_out: list[str] = []
    tenants = Tenants(settings.table, skipped=lambda error: left_out.append(str(error)))
    known = sum(1 for _ in tenants.all())
    return CheckResult(
        "tenants read",
        "failed" if left_out else "ok",
        detail=f"{known} tenants"
        + f"; {len(left_out)} cannot be read and are left out: {'; '.join(left_out)}"
        * bool(left_out),
        rows=tuple({"error": error} for error in left_out),
    )


class _TableChecks:
    """The checks of any daily table."""

    def __init__(self, table: lake.DailyTable, settings: BuildSettings) -> None:
        self.table = table
        self.objects = Objects(settings.lake_bucket)
        self.tenants = Tenants(settings.table, skipped=_known)
        self.athena = Athena(settings.database, settings.workgroup)
        self.held = HeldRuns(settings.table).read(table.name)
        self.partitions = Catalog(settings.database).partitions(table.daily_table)

    def reports_equal_daily(self) -> CheckResult:
        """Compare the events that each tenant-year counts with those of its published days.

        Days whose runs the reports do not have yet are left out on both sides.
        """
        waiting = {
            day for day, one in self.partitions.items() if not self.held.is_settled(day, one.run)
        }
        daily = self._events_in_daily(waiting)
        wrong: list[Mapping[str, Any]] = []
        failing: list[Mapping[str, Any]] = []
        compared = behind = 0
        for tenant in self.tenants.all():
            table = tenant.table(self.table.name)
            years = {*table.years, *(year for whose, year in daily if whose == tenant.id)}
            for year in sorted(years):
                state = table.years.get(year)
                if state and state.owed:
                    unbuilt = table.behind.years.get(year)
                    if unbuilt and unbuilt.failing:
                        failing.append({"tenant": tenant.id, "year": year, **_told(unbuilt)})
                    else:
                        behind += 1
                    continue
                due = daily.get((tenant.id, year), 0)
                counted = self._events_in_reports(tenant.id, year, state, waiting)
                compared += 1
                if counted != due:
                    wrong.append(
                        {"tenant": tenant.id, "year": year, "daily": due, "reports": counted}
                    )
        why = "; ".join(one["reason"] for one in failing)
        left = [f"{behind} tenant-years"] * bool(behind) + [f"{len(waiting)} days"] * bool(waiting)
        return CheckResult(
            f"reports {self.table.name} = {self.table.daily_table}",
            "failed" if wrong or failing else "waiting" if left else "ok",
            detail=f"{compared} tenant-years compared, {len(wrong)} differ, "
            f"{' and '.join(left) or 'none'} wait for their build"
            + f"; {len(failing)} cannot be built: {why}"
            * bool(failing),
            rows=(*wrong, *failing),
        )

    def _events_in_reports(
        self, tenant: str, year: int, state: YearState | None, without: Collection[date]
    ) -> int:
        if state is None:
            return 0
        rows = reading.rows(self.objects, self.table, tenant, year, state, (), without=without)
        return tenant_year.count_events(self.table, rows)

    def _events_in_daily(self, without: Collection[date]) -> dict[tuple[str, int], int]:
        """How many events the published days hold, by tenant and year, in one statement."""
        if not self.partitions:
            return {}
        sql = statement("checks", f"{self.table.name}_by_year")
        params = {
            "first_day": str(min(self.partitions)),
            "last_day": str(max(self.partitions)),
            "without": [str(day) for day in sorted(without)] or [""],  # Athena has no empty list
        }
        rows = self.athena.rows(sql, params, remaining_s=lambda: inf)
        return {(row["tenant"], int(row["year"])): int(row["events"]) for row in rows}


class _Checks(_TableChecks):
    """The checks of a table that is made of one kind of events, and of these events."""

    def __init__(self, dataset: lake.Dataset, settings: BuildDailySettings) -> None:
        super().__init__(dataset, settings)
        self.dataset = dataset
        self.link_days = settings.most_link_days
        self.ledger = Ledger(settings.table)
        entries = self.ledger.entries(dataset.stream)
        self.entries = {day: entry for day, entry in entries.items() if not entry.expired}
        self.expired = len(entries) - len(self.entries)

    def days_are_built(self) -> CheckResult:
        """Find days whose events have changed since their last build; they wait for the next one.

        Days that cannot be built are shown with the reason.
        """
        current = [day for day in self.entries if self._is_current(day)]
        return _days_built(
            self.dataset.stream,
            self.entries,
            current,
            expired=self.expired,
            source=self.dataset.raw_table,
        )

    def daily_equals_raw(self) -> CheckResult:
        """Compare the events that each day counts with the distinct identities in its raw rows."""
        current = [day for day in sorted(self.partitions) if self._is_current(day)]
        raw = dict(self._events_in_raw(current))
        wrong = tuple(
            {"day": str(day), "raw": raw.get(day, 0), "daily": self.partitions[day].answers}
            for day in current
            if raw.get(day, 0) != self.partitions[day].answers
        )
        total = sum(self.partitions[day].answers for day in current)
        return CheckResult(
            f"{self.dataset.daily_table} = {self.dataset.raw_table}",
            "failed" if wrong else "ok",
            detail=f"{total:,} {self.dataset.stream} on {len(current)} days, "
            f"{len(wrong)} days differ",
            rows=wrong,
        )

    def comments_equal_raw(self) -> CheckResult:
        """Compare the number of stored comments of each tenant's day with that in raw.

        Days whose comments a build has not stored yet, or whose links have changed since, are left
        out on both sides.
        """
        interactions = self.ledger.entries(lake.INTERACTIONS.stream)
        kept = {
            day
            for day, entry in self.entries.items()
            if entry.comments_of == made_of(entry, interactions, self.link_days)
            and entry.former_comments is None
        }
        found = Counter(
            (tenant, day)
            for tenant, month in Comments(self.objects).all()
            for day in month.rows["day"].to_pylist()
            if day in kept
        )
        raw = Counter(self._comments_in_raw(sorted(kept)))
        wrong = [
            {"tenant": tenant, "day": str(day), "raw": raw[tenant, day], "kept": found[tenant, day]}
            for tenant, day in sorted({*raw, *found})
            if raw[tenant, day] != found[tenant, day]
        ]
        behind = len(self.entries) - len(kept)
        return CheckResult(
            f"comments = {self.dataset.raw_table}",
            "failed" if wrong else "waiting" if behind else "ok",
            detail=f"{raw.total():,} comments on {len(kept)} days, {len(wrong)} days of tenants "
            f"differ, {behind or 'no'} days wait for their build",
            rows=tuple(wrong),
        )

    def ids_on_two_days(self) -> CheckResult:
        """Find ids that were sent again with a time on another day: they count on both days."""
        name, known = f"{self.dataset.stream}: ids on two days", sorted(self.entries)
        rows: list[dict[str, Any]] = []
        if known:
            sql = statement("checks", f"{self.dataset.name}_on_two_days")
            params = {"first_day": str(known[0]), "last_day": str(known[-1])}
            try:
                rows = self.athena.rows(sql, params, remaining_s=lambda: inf)
            except AthenaError as error:  # for example because a day cannot be read
                return CheckResult(name, "look", f"could not be told: {error}")
        return CheckResult(
            name,
            "look" if rows else "ok",
            detail=ids_found(len(rows)),
            rows=tuple(rows),
        )

    def milestones_in_order(self) -> CheckResult:
        """Find milestones that lie before an earlier one: their durations are not counted."""
        name, known = f"{self.dataset.stream}: order of milestones", sorted(self.entries)
        rows: list[dict[str, Any]] = []
        sql = statement("checks", "interactions_backwards")
        try:
            for batch in batches(known):
                rows += self.athena.rows(sql, day_parameters(batch), remaining_s=lambda: inf)
        except AthenaError as error:  # for example because a day cannot be read
            return CheckResult(name, "look", f"could not be told: {error}")
        number = sum(int(row["interactions"]) for row in rows)
        return CheckResult(
            name,
            "look" if number else "ok",
            detail=f"{number:,} interactions have a milestone before an earlier one",
            rows=tuple(rows),
        )

    def nothing_set_aside(self) -> CheckResult:
        """Find rows that were set aside in the quarantine, with their reasons."""
        return _set_aside(self.objects, self.dataset.stream)

    def _is_current(self, day: date) -> bool:
        partition, entry = self.partitions.get(day), self.entries.get(day)
        return bool(partition and entry and partition.version == entry.version)

    def _events_in_raw(self, days: Sequence[date]) -> Iterator[tuple[date, int]]:
        sql = statement("checks", f"{self.dataset.name}_in_raw")
        for batch in batches(days):
            for row in self.athena.rows(sql, day_parameters(batch), remaining_s=lambda: inf):
                yield date.fromisoformat(row["dt"]), int(row["events"])

    def _comments_in_raw(self, days: Sequence[date]) -> dict[tuple[str, date], int]:
        sql = statement("checks", "comments_in_raw")
        return {
            (row["tenant"], date.fromisoformat(row["dt"])): int(row["events"])
            for batch in batches(days)
            for row in self.athena.rows(sql, day_parameters(batch), remaining_s=lambda: inf)
        }


def ids_found(count: int) -> str:
    """How many ids stand on more than one day, of which no more than a limit are counted."""
    if count == 1:
        return "1 id stands on more than one day"
    least = "at least " if count >= _MOST_IDS else ""
    return f"{least}{count or 'no'} ids stand on more than one day"


def _known(error: SettingsError) -> None:
    """Do nothing: `_tenants_read` reports it."""


def _told(unbuilt: Unbuilt | None) -> dict[str, Any]:
    """The members of a result that say why something is not built."""
    if unbuilt is None:
        return {}
    since = days.iso(unbuilt.since_us)
    return {"reason": unbuilt.reason, "since": since, "tries": unbuilt.tries}
