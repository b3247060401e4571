"""pulse check: is everything that was accepted somewhere?

    accepted = written + set aside + on its way + dead letters (+ erased + expired)

ingest counts what it accepts in CloudWatch, at the moment of receipt, and raw holds the same
moments: so a span of time is compared, in whole minutes (docs/decisions/0018). It ends some minutes
ago, because CloudWatch and the queue's own count are behind. The count may be short, if a process
died between storing and counting, but never too high: what is counted and nowhere found is lost.

Dead letters are read and their events counted. What waits in the queue is left to write_raw: it can
hold no more of a stream than was accepted since the oldest message was sent.
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
"""Longer than any request: its items count as received a microsecond after one another."""

_HOUR, _MINUTE = 3600, 60


@dataclass(frozen=True)
class Balance:
    """What was accepted of a stream within a span of time, against what became of it."""

    accepted: int
    written_least: int
    written: int
    """Events in raw at most: some were received at the very edge of the span."""
    copies: int
    """Further rows of the same events, which count once."""
    set_aside: int
    expired: int
    """Of what was set aside: events of days that raw no longer keeps."""
    being_resent: int
    """Marked lines: a run began to send them again and has not ended. They may be in raw."""
    erased: int
    """At most: what erasures have removed since, and had write_raw leave out, whenever received."""
    messages_on_their_way: int
    """Messages of any stream, each of at most BATCH_ITEMS events."""
    accepted_since_oldest: int | None
    """How many were accepted since the oldest message was sent; None if that time is unknown."""
    in_dead_letters: int
    expired_days: int
    """Days that raw no longer keeps, and with them what was received of them lately."""

    @property
    def missing(self) -> int:
        """Accepted, and not found where it can be looked up."""
        return max(0, self.accepted - self.written - self.set_aside - self.erased)

    def verdict(self) -> tuple[State, str]:
        """How it comes out, and why."""
        in_messages = self.messages_on_their_way * BATCH_ITEMS
        waiting = min(in_messages, self.accepted_since_oldest or 0)
        if self.accepted < self.written_least:
            return "look", f"{self.written_least - self.accepted:,} more than were counted"
        if not self.missing:
            return "ok", "none missing"
        if self.missing <= waiting:
            return "waiting", f"{self.missing:,} are in the queue"
        if self.missing <= waiting + self.in_dead_letters:
            if self.expired_days:  # how many these held of what was received lately nobody knows
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

    Raises AthenaError if Athena does not answer.
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
        """The last days, as far as they are settled."""
        return cls(_floor(now - LOOK_BACK, _HOUR), _floor(now - SETTLED, _MINUTE))

    def since(self, moment: datetime) -> Self:
        """The part of it from a moment's minute on, which may be empty."""
        start = max(self.start, _floor(moment, _MINUTE))
        return replace(self, start=min(start, self.end))

    def holds(self, moment_us: int) -> bool:
        """True for what was received in it."""
        return days.to_us(self.start) <= moment_us < days.to_us(self.end)

    def dates(self) -> Iterator[date]:
        """The UTC days from its start to today: on them it was written or set aside."""
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
    # before raw is read: what leaves the queue meanwhile will be found there
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
    """What ingest has accepted, by stream, and what write_raw has left out as erased."""
    until_now = replace(span, end=_floor(days.now(), _MINUTE) + timedelta(minutes=1))
    left_out = _sums(namespace, until_now, "RowsErased")
    return _accepted(namespace, span), left_out["RowsErased"]


def _accepted(namespace: str, span: _Span) -> Mapping[str, int]:
    """What ingest has accepted, by stream."""
    names = {stream: f"{stream.capitalize()}Accepted" for stream in lake.STREAMS}
    found = _sums(namespace, span, *names.values())
    return {stream: found[name] for stream, name in names.items()}


def _sums(namespace: str, span: _Span, *names: str) -> Counter[str]:
    """Sums over the span, of minutes before and after the whole hours, and of whole hours."""
    first = min(span.end, _floor(span.start + timedelta(seconds=_HOUR - 1), _HOUR))
    last = max(first, _floor(span.end, _HOUR))
    found = Counter(metrics.sums(namespace, names, span.start, first, period_s=_MINUTE))
    found.update(metrics.sums(namespace, names, first, last, period_s=_HOUR))
    found.update(metrics.sums(namespace, names, last, span.end, period_s=_MINUTE))
    return found


def _in_dead_letters(url: str, span: _Span) -> Counter[str]:
    """How many events dead letters hold, by stream. Equal letters count once."""
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
    """How many events were set aside, by stream; how many of these are of days that are not kept.

    And how many of those that are being sent again, which are not counted among the others.

    A message that came twice was set aside twice: equal lines of two objects are one.
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
    """What was set aside: its stream, how many events it is, and when they were received.

    It is a row, or a whole message; what is no message of ingest's was never accepted.
    """
    match told:
        case {"row": _}:
            return told["stream"], 1, days.parse_instant(told["received"])
        case {"message": {"stream": str(stream), "items": list(items), "received_us": int(at)}}:
            return stream, len(items), at
    return UNKNOWN_STREAM, 0, 0


def _erased(objects: Objects, span: _Span) -> Counter[str]:
    """What erasures have removed since the span began, by stream.

    Of a line of the quarantine no receipt says which stream it was of: it may be any.
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
