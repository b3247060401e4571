"""Computes the interaction reports from the updates that were sent, in plain Python.

Like tests/oracle.py nothing here is shared with the code under test: docs/metrics.md's
"Interactions" as loops over whole interactions, fractions and decimals.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle import rounded, share

ALWAYS_TOGETHER = ("media_type", "entered_at")
"""Every update has them: the latest says what they are."""


@dataclass(frozen=True)
class Update:
    """One update as a sender sent it; `order` is when Pulse received it."""

    interaction_id: str
    updated_at: datetime
    order: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    """As docs/http.md names them, times as datetimes, revenue as (amount, currency)."""


@dataclass(frozen=True)
class Whole:
    """An interaction, its updates merged, on its tenant's day."""

    day: date
    fields: Mapping[str, Any]

    def get(self, name: str) -> Any:
        return self.fields.get(name)

    def since_entry(self, name: str) -> timedelta | None:
        """How long a milestone took; None where it lies before the entry."""
        passed: timedelta = self.fields[name] - self.fields["entered_at"]
        return passed if passed >= timedelta() else None

    @property
    def synchronous(self) -> bool:
        return self.fields["media_type"] in ("voice", "chat")

    @property
    def accepted(self) -> bool:
        return self.get("accepted_at") is not None

    @property
    def offered(self) -> bool:
        return self.accepted or self.get("offered_at") is not None

    @property
    def responded(self) -> bool:
        return self.get("first_response_at") is not None or (self.synchronous and self.accepted)

    @property
    def accept(self) -> timedelta | None:
        return self.since_entry("accepted_at") if self.accepted else None

    @property
    def finish(self) -> timedelta | None:
        return self.since_entry("finished_at") if self.get("finished_at") is not None else None

    @property
    def first_response(self) -> timedelta | None:
        if self.get("first_response_at") is not None:
            return self.since_entry("first_response_at")
        return self.accept if self.synchronous else None

    @property
    def replies(self) -> int:
        said: int = self.get("replies") or 0
        return max(said, 1) if self.synchronous and self.accepted else said


def merged(updates: Iterable[Update], zone: str) -> list[Whole]:
    """The interactions that the updates make: per field the latest that has a value."""
    found: dict[tuple[str, date], dict[str, Any]] = defaultdict(dict)
    for update in sorted(updates, key=lambda update: (update.updated_at, update.order)):
        day = update.fields["entered_at"].astimezone(ZoneInfo(zone)).date()
        given = {name: value for name, value in update.fields.items() if value is not None}
        found[update.interaction_id, day] |= given
    return [Whole(day, fields) for (_, day), fields in found.items()]


Thresholds = Mapping[str, Mapping[str, int]]
"""Seconds by media type, then by accept, first_response or finish."""


def perspective(wholes: Sequence[Whole], thresholds: Thresholds) -> dict[str, Any]:
    """Every metric of customer-perspective over these interactions."""
    accepted = [w for w in wholes if w.accepted]
    responded = [w for w in wholes if w.responded]
    finished = [w for w in wholes if w.get("finished_at") is not None]
    finished_responded = [w for w in finished if w.responded]
    rated = [w for w in wholes if w.get("satisfaction") is not None]
    offered = [w for w in wholes if w.offered]

    def due(among: Iterable[Whole], level: str) -> list[tuple[Whole, timedelta]]:
        limits = ((w, thresholds.get(w.get("media_type"), {}).get(level)) for w in among)
        return [(w, timedelta(seconds=limit)) for w, limit in limits if limit is not None]

    accept_due = due((w for w in offered if not w.accepted or w.accept is not None), "accept")
    response_due = due(
        (w for w in offered if not w.responded or w.first_response is not None), "first_response"
    )
    finish_due = due((w for w in finished if w.finish is not None), "finish")
    accept_met = sum(w.accept is not None and w.accept <= t for w, t in accept_due)
    response_met = sum(
        w.first_response is not None and w.first_response <= t for w, t in response_due
    )
    finish_met = sum(w.finish is not None and w.finish <= t for w, t in finish_due)
    accept_times = [w.accept for w in accepted if w.accept is not None]
    response_times = [w.first_response for w in responded if w.first_response is not None]
    finish_times = [w.finish for w in finished_responded if w.finish is not None]
    replies = sum(w.replies for w in wholes)
    earning = [w for w in wholes if w.get("revenue") and w.get("revenue")[0] != 0]
    return {
        "entered": len(wholes),
        "offered": len(offered),
        "accepted": len(accepted),
        "responded": len(responded),
        "finished": len(finished),
        "abandoned": sum(bool(w.get("abandoned")) and not w.accepted for w in wholes),
        "replies": replies,
        "response_ratio": rounded(Fraction(replies, len(accepted))) if accepted else None,
        "accept_due": len(accept_due),
        "accept_met": accept_met,
        "accept_service_level_pct": share(accept_met, len(accept_due)),
        "first_response_due": len(response_due),
        "first_response_met": response_met,
        "first_response_service_level_pct": share(response_met, len(response_due)),
        "finish_due": len(finish_due),
        "finish_met": finish_met,
        "finished_service_level_pct": share(finish_met, len(finish_due)),
        "accept_timed": len(accept_times),
        **_time("avg_accept_time", accept_times),
        "first_response_timed": len(response_times),
        **_time("avg_first_response_time", response_times),
        "finished_responded": len(finished_responded),
        "finish_timed": len(finish_times),
        **_time("avg_finish_response_time", finish_times),
        "with_satisfaction": len(rated),
        "avg_satisfaction": _mean([Fraction(w.get("satisfaction")) for w in rated]),
        "interactions_with_revenue": len(earning),
        "avg_revenue": money(wholes)[1],
    }


def money(wholes: Sequence[Whole]) -> tuple[dict[str, str] | None, dict[str, str] | None]:
    """(revenue, avg_revenue) as maps by currency; None where there is nothing to tell."""
    amounts: dict[str, list[Decimal]] = defaultdict(list)
    for whole in wholes:
        if revenue := whole.get("revenue"):
            amounts[revenue[1]].append(revenue[0])
    sums = {currency: _money(sum(each), 1) for currency, each in sorted(amounts.items())}
    means = {
        currency: _money(sum(each), n)
        for currency, each in sorted(amounts.items())
        if (n := sum(amount != 0 for amount in each))
    }
    return sums or None, means or None


def _money(amount: Decimal | int, n: int) -> str:
    exact = Fraction(amount) / n
    ten_thousandths = round(exact * 10_000)  # Python rounds a Fraction half to even
    return str((Decimal(ten_thousandths) / 10_000).quantize(Decimal("0.0001"), ROUND_HALF_EVEN))


def _time(name: str, durations: Sequence[timedelta]) -> dict[str, Any]:
    if not durations:
        return {name: None, f"{name}_fmt": None}
    microseconds = sum(duration // timedelta(microseconds=1) for duration in durations)
    exact = Fraction(microseconds, 1_000_000 * len(durations))
    seconds = round(exact)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return {name: rounded(exact), f"{name}_fmt": text}


def _mean(values: Sequence[Fraction]) -> float | None:
    return rounded(sum(values, Fraction()) / len(values)) if values else None
