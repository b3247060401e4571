"""pulse check: whether every event that was accepted is somewhere.

    accepted = written + set aside + on its way + dead letters (+ erased + expired)

ingest counts accepted events in CloudWatch, at the moment of receipt, and raw holds the same
moments. So the events of a span of time, in whole minutes, are compared (docs/decisions/0018). The
span ends some minutes ago, because CloudWatch and the queue's own count are late. The count may be
too low, if a process died between storing and counting, but never too high: an event that is
counted and found nowhere is lost.

Dead letters are read and their events counted. Messages in the queue are left to write_raw: they
hold no more events of a stream than were accepted since the oldest message was sent.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from math import inf
from typing import Any, Self

from pulse import days, lake
from pulse.checks import CheckResult, State
from pulse.ingest.routes import BATCH_ITEMS
from pulse.raw.quarantine import MARK, UNKNOWN_STREAM
from pulse.retention import says_expired
from pulse.sql import statement
from pulse.store import metrics, queue
from pulse.store.athena import Athena
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects
from pulse.store.stack import StackOutputs

LOOK_BACK = timedelta(days=7)
SETTLED = timedelta(minutes=3)
REQUEST_US = 1_000
"""More than the items of any request, which count as received a microsecond after one another."""

_HOUR, _MINUTE = 3600, 60


@dataclass(frozen=True)
class Balance:
    """How many events of a stream were accepted within a span of time, and where they are now."""

    accepted: int
    written_least: int
    written: int
    """Events in raw. This may be too many: some were received at the edge of the span."""
    copies: int
    """Further rows of the same events, which count once."""
    set_aside: int
    expired: int
    """Those of the events set aside that are of days which raw no longer keeps."""
    being_resent: int
    """Events of marked lines, which a run has begun to send again. They may also be in raw."""
    erased: int
    """Events that erasures have removed since, or that write_raw has left out. This may be too
    many, because they may have been received before the span."""
    messages_on_their_way: int
    """Messages of any stream, each of at most BATCH_ITEMS events."""
    accepted_since_oldest: int | None
    """How many were accepted since the oldest message was sent; None if that time is unknown."""
    in_dead_letters: int
    expired_days: int
    """How many days raw no longer keeps; late events of them are gone too."""

    @property
    def missing(self) -> int:
        """How many events were accepted and are not found."""
        return max(0, self.accepted - self.written - self.set_aside - self.erased)

    def verdict(self) -> tuple[State, str]:
        """The state of the check, and a sentence that says why."""
        in_messages = self.messages_on_their_way * BATCH_ITEMS
        waiting = min(in_messages, self.accepted_since_oldest or 0)
        if self.accepted < self.written_least:
            return "look", f"{self.written_least - self.accepted:,} more than were counted"
        if not self.missing:
            return "ok", "none missing"
        if self.missing <= waiting:
            return "waiting", f"{self.missing:,} are in the queue"
        if self.missing <= waiting + self.in_dead_letters:
            if self.expired_days:  # how many late events these had is not known
                why = f"{self.missing:,} are in dead letters, see pulse redrive, or of expired days"
                return "look", why
            return "look", f"{self.missing:,} are in dead letters, see pulse redrive"
        if self.missing <= waiting + self.in_dead_letters + self.being_resent:
            return "look", f"{self.missing:,} were being sent again: run pulse quarantine resend"
        if self.accepted_since_oldest is None and self.missing <= in_messages:
            return "look", f"{self.missing:,} may be in the queue, whose age is not known yet"
        if self.expired_days:
            return "look", f"{self.missing:,} missing, which may be of expired days"
        explained = waiting + self.in_dead_letters + self.being_resent
        return "failed", f"{self.missing - explained:,} are lost"


def events_conserved(outputs: StackOutputs) -> list[CheckResult]:
    """For each stream, whether every event accepted within the last seven days is somewhere.

    Raises AthenaError if Athena fails.
    """
    span = _Span.until(days.now())
    return [_result(stream, span, balance) for stream, balance in _balances(outputs, span)]


@dataclass(frozen=True)
class _Span:
    """A span of received time, in whole minutes."""

    start: datetime
    end: datetime

    @classmethod
    def until(cls, now: datetime) -> Self:
        """The last seven days until some minutes before `now`."""
        return cls(_floor(now - LOOK_BACK, _HOUR), _floor(now - SETTLED, _MINUTE))

    def since(self, moment: datetime) -> Self:
        """The part of the span from the minute of a moment on, which may be empty."""
        start = max(self.start, _floor(moment, _MINUTE))
        return replace(self, start=min(start, self.end))

    def holds(self, moment_us: int) -> bool:
        """Whether the moment lies in the span."""
        return days.to_us(self.start) <= moment_us < days.to_us(self.end)

    def dates(self) -> Iterator[date]:
        """The UTC days from its start to today, on which its events were written or set aside."""
        day = self.start.date()
        while day <= days.now().date():
            yield day
            day += days.ONE_DAY


def _result(stream: str, span: _Span, balance: Balance) -> CheckResult:
    state, why = balance.verdict()
    erased = f", up to {balance.erased:,} erased" if balance.erased else ""
    expired = f" ({balance.expired:,} older than what is kept)" if balance.expired else ""
    return CheckResult(
        f"{stream}: nothing lost",
        state,
        detail=f"{balance.accepted:,} accepted until {span.end:%H:%M} UTC, "
        f"{balance.written:,} in raw, {balance.set_aside:,} set aside{expired}{erased}: {why}",
        rows=({**asdict(balance), "missing": balance.missing},) if state != "ok" else (),
    )


def _balances(outputs: StackOutputs, span: _Span) -> Iterator[tuple[str, Balance]]:
    objects, ledger = Objects(outputs.lake_bucket), Ledger(outputs.table)
    athena = Athena(outputs.database, outputs.workgroup)
    accepted, left_out = _counted(outputs.metrics_namespace, span)
    # before raw is read: events that leave the queue in between are found in raw
    waiting = queue.depth(outputs.queue_url)
    oldest = metrics.oldest_sent(outputs.queue_url, days.now())
    lately = _accepted(outputs.metrics_namespace, span.since(oldest)) if oldest else None
    dead = _in_dead_letters(outputs.dead_letter_queue_url, span)
    set_aside, too_old, being_resent = _set_aside(objects, span)
    erased = _erased(objects, span)
    erased.update(dict.fromkeys(accepted, left_out))
    for dataset in lake.DATASETS:
        entries = ledger.entries(dataset.stream)
        written = _written(athena, dataset, sorted(entries), span)
        yield (
            dataset.stream,
            Balance(
                accepted=accepted[dataset.stream],
                written_least=written["least"],
                written=written["most"],
                copies=written["copies"],
                set_aside=set_aside[dataset.stream],
                expired=too_old[dataset.stream],
                being_resent=being_resent[dataset.stream],
                erased=erased[dataset.stream],
                messages_on_their_way=waiting,
                accepted_since_oldest=lately[dataset.stream] if lately else None,
                in_dead_letters=dead[dataset.stream],
                expired_days=sum(entry.expired for entry in entries.values()),
            ),
        )


def _counted(namespace: str, span: _Span) -> tuple[Mapping[str, int], int]:
    """How many events ingest has accepted, by stream, and how many write_raw has left out."""
    until_now = replace(span, end=_floor(days.now(), _MINUTE) + timedelta(minutes=1))
    left_out = _sums(namespace, until_now, "RowsErased")
    return _accepted(namespace, span), left_out["RowsErased"]


def _accepted(namespace: str, span: _Span) -> Mapping[str, int]:
    """How many events ingest has accepted, by stream."""
    names = {stream: f"{stream.capitalize()}Accepted" for stream in lake.STREAMS}
    found = _sums(namespace, span, *names.values())
    return {stream: found[name] for stream, name in names.items()}


def _sums(namespace: str, span: _Span, *names: str) -> Counter[str]:
    """The metrics' sums over the span: of its whole hours, and of the minutes before and after."""
    first = min(span.end, _floor(span.start + timedelta(seconds=_HOUR - 1), _HOUR))
    last = max(first, _floor(span.end, _HOUR))
    found = Counter(metrics.sums(namespace, names, span.start, first, period_s=_MINUTE))
    found.update(metrics.sums(namespace, names, first, last, period_s=_HOUR))
    found.update(metrics.sums(namespace, names, last, span.end, period_s=_MINUTE))
    return found


def _in_dead_letters(url: str, span: _Span) -> Counter[str]:
    """How many events of the span dead letters hold, by stream. Equal letters count once."""
    found: Counter[str] = Counter()
    seen: set[bytes] = set()

    def look(body: str) -> None:
        name = hashlib.sha256(body.encode()).digest()
        if name in seen:
            return
        seen.add(name)
        with suppress(ValueError, RecursionError):  # a letter that is no JSON was never accepted
            stream, events, received_us = _content({"message": json.loads(body)})
            if span.holds(received_us):
                found[stream] += events

    if queue.depth(url):  # receiving from an empty queue takes long
        queue.look_through(url, look)
    return found


def _written(
    athena: Athena, dataset: lake.Dataset, ledger_days: Sequence[date], span: _Span
) -> Mapping[str, int]:
    if not ledger_days:
        return {"least": 0, "most": 0, "copies": 0}
    params = {
        "first_day": str(ledger_days[0]),
        "last_day": str(ledger_days[-1]),
        "from_us": days.to_us(span.start),
        "to_us": days.to_us(span.end),
        "width_us": REQUEST_US,
    }
    sql = statement("checks", f"{dataset.name}_received")
    (row,) = athena.rows(sql, params, remaining_s=lambda: inf)
    return {name: int(value) for name, value in row.items()}


def _set_aside(
    objects: Objects, span: _Span
) -> tuple[Mapping[str, int], Mapping[str, int], Mapping[str, int]]:
    """How many events were set aside, by stream, as three counts.

    The first is of all events but those that are being sent again; the second of those of the first
    whose days raw no longer keeps; the third of those that are being sent again. A message that
    came twice was set aside twice, so equal lines of two objects count once.
    """
    lines: Counter[str] = Counter()
    for stream in (*lake.STREAMS, UNKNOWN_STREAM):
        for day in span.dates():
            for key in objects.keys(lake.quarantine_prefix(stream, day)):
                lines |= Counter(objects.get(key).decode().splitlines())
    found: Counter[str] = Counter()
    too_old: Counter[str] = Counter()
    being_resent: Counter[str] = Counter()
    for line, times in lines.items():
        told = json.loads(line)
        stream, events, received_us = _content(told)
        if span.holds(received_us):
            (being_resent if MARK in told else found)[stream] += events * times
            if MARK not in told and says_expired(told["reason"]):
                too_old[stream] += events * times
    return found, too_old, being_resent


def _content(told: Mapping[str, Any]) -> tuple[str, int, int]:
    """Of a line of the quarantine: its stream, how many events it holds, when they were received.

    A line holds a row or a whole message. A message that ingest did not send was never accepted.
    """
    match told:
        case {"row": _}:
            return told["stream"], 1, days.parse_instant(told["received"])
        case {"message": {"stream": str(stream), "items": list(items), "received_us": int(at)}}:
            return stream, len(items), at
    return UNKNOWN_STREAM, 0, 0


def _erased(objects: Objects, span: _Span) -> Counter[str]:
    """How many events erasures have removed since the span began, by stream.

    Receipts do not name the streams of removed lines of the quarantine, so these count for each.
    """
    found: Counter[str] = Counter()
    for key in objects.keys(lake.ERASURES):
        if lake.ulid_time(key.removeprefix(lake.ERASURES).removesuffix(".json")) >= span.start:
            receipt = json.loads(objects.get(key))
            found.update(receipt["removed"])
            found.update(dict.fromkeys(lake.STREAMS, receipt["quarantine_lines"]))
    return found


def _floor(moment: datetime, seconds: int) -> datetime:
    """The whole hour or minute, of so many seconds, in which a moment falls."""
    whole_us = seconds * days.SECOND
    return days.from_us(days.to_us(moment) // whole_us * whole_us)
