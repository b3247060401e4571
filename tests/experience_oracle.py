"""What the table of experience must hold, worked out from raw in plain Python."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from pulse import days, lake
from tests.daily_rows import (
    DAY_US,
    Row,
    midnight_us,
    read_rows,
)
from tests.driver import Driver

S = days.SECOND
LINK_DAYS = 3
THRESHOLDS = {
    "accept": ("accept_threshold_us", 20 * S),
    "first_response": ("first_response_threshold_us", 30 * S),
    "finish": ("finish_threshold_us", 300 * S),
}


def counted(found: Sequence[Row]) -> Counter[frozenset[Any]]:
    """By dimensions and score, how many answers; each combination stands in one row."""
    names = {*lake.SCORE_COUNTS}
    keys = [frozenset((n, v) for n, v in row.items() if n not in names) for row in found]
    assert len({*keys}) == len(keys)
    return Counter(
        {
            key | {("score", int(name[1:]))}: row[name]
            for key, row in zip(keys, found, strict=True)
            for name in names & row.keys()
        }
    )


def by_survey(found: Sequence[Row]) -> Counter[Any]:
    """By tenant, survey, scale, channel, device and score, how many answers."""
    counts: Counter[Any] = Counter()
    for row in found:
        key = tuple(row.get(name) for name in ("tenant", *lake.SURVEYED_DIMENSIONS))
        for name in lake.SCORE_COUNTS:
            counts[*key, name] += row.get(name, 0)
    return +counts


def stored(pulse: Driver, stream: str, day: date) -> list[Row]:
    return [row | {"on": day} for row in read_rows(pulse, lake.raw_prefix(stream, day))]


def expected_rows(pulse: Driver, day: date) -> Counter[frozenset[Any]]:
    """By dimensions and score, how many answers of the day there are."""
    found: Counter[frozenset[Any]] = Counter()
    for one, through in linked_answers(pulse, day):
        row = {name: one[name] for name in ("tenant", *lake.SURVEYED_DIMENSIONS, "score")}
        found[frozenset((n, v) for n, v in (row | through).items() if v)] += 1
    return found


def linked_answers(pulse: Driver, day: date) -> Iterator[tuple[Row, Row]]:
    """Each answer of the day that counts, and what the interaction tells that it is linked to."""
    last_versions: dict[Any, Row] = {}
    in_order = sorted(
        stored(pulse, "responses", day), key=lambda one: (one["received_us"], one["content_hash"])
    )
    for one in in_order:
        identity = tuple(one[n] for n in ("tenant", "survey", "key_kind", "response_id"))
        last_versions[identity] = one
    updates: dict[Any, list[Row]] = {}
    for back in range(LINK_DAYS + 2):
        for one in stored(pulse, "interactions", day - timedelta(days=back)):
            updates.setdefault((one["tenant"], one["interaction_id"], back), []).append(one)
    merged = [merge(some) for some in updates.values()]
    for one in last_versions.values():
        possible = [
            contact
            for contact in merged
            if (one["key_kind"] == "secret" or one["linkable"])
            and (contact["tenant"], contact["interaction_id"])
            == (one["tenant"], one["interaction"])
            and 0 <= one["answered_us"] - began_us(contact) <= LINK_DAYS * DAY_US
        ]
        yield one, went_through(max(possible, key=began_us)) if possible else {}


def began_us(one: Row) -> int:
    """When it entered; where its day alone is known, when that day began."""
    entered_us: int = one["entered_us"]
    return midnight_us(one["on"]) if one["entered_by_day"] else entered_us


def merge(updates: Sequence[Row]) -> Row:
    """What the updates of one interaction on one day come to."""

    def version(one: Row) -> tuple[Any, ...]:
        return one["updated_us"], one["received_us"], one["content_hash"]

    ordered = sorted(updates, key=version)
    row = {**ordered[-1]}
    for name in (
        *("customer_segment", "service_type", "agent"),
        *("abandoned", "revenue", "satisfaction"),
    ):
        row[name] = next((u[name] for u in reversed(ordered) if u[name] is not None), None)
    for name in ("accepted", "first_response", "finished"):
        given: Row = next((u for u in reversed(ordered) if u[f"{name}_us"] is not None), {})
        row[f"{name}_us"] = given.get(f"{name}_us")
        row[f"{name}_by_day"] = given.get(f"{name}_by_day")
    return row


def went_through(one: Row) -> Row:
    """The dimensions that the interaction gives to an answer."""
    reached = {
        "accept": (one["accepted_us"], one["accepted_by_day"]),
        "first_response": (one["first_response_us"], one["first_response_by_day"]),
        "finish": (one["finished_us"], one["finished_by_day"]),
    }
    if one["media_type"] == "voice" and one["first_response_us"] is None:
        reached["first_response"] = reached["accept"]
    row: Row = {name: one[name] for name in ("media_type", "customer_segment", "service_type")}
    row["agent"] = one["agent"]
    durations: dict[str, int | None] = {}
    for name, (at_us, by_day) in reached.items():
        known = at_us is not None and not by_day and not one["entered_by_day"]
        lasted = at_us - one["entered_us"] if known else None
        durations[name] = lasted if lasted is None or lasted >= 0 else None
        column, _ = THRESHOLDS[name]
        row[name] = level(at_us is not None, durations[name], one[column])
    row["wait"], row["life"] = (
        duration_class(durations["accept"]),
        duration_class(durations["finish"]),
    )
    row["was_abandoned"] = "yes" if one["abandoned"] and one["accepted_us"] is None else "no"
    row["had_revenue"] = "yes" if one["revenue"] else "no"
    row["was_rated"] = "no" if one["satisfaction"] is None else "yes"
    return row | {"entered_on": one["on"].isoformat()}


def level(reached: bool, lasted: int | None, threshold: int | None) -> str | None:
    if threshold is None:
        return "no_threshold"
    if not reached:
        return "never"
    if lasted is None:
        return None
    return "in_time" if lasted <= threshold else "late"


def duration_class(lasted: int | None) -> str | None:
    """Each class has its first number and not its second; a day and more is the last."""
    ends = (10, 30, 60, 120, 300, 900, 3_600, 14_400, 86_400)
    if lasted is None:
        return None
    return lake.DURATION_CLASSES[sum(lasted >= end * S for end in ends)]
