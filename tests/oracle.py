"""Computes what the reports must say from the accepted answers, in plain Python.

Nothing here is shared with the code under test: fractions, sorted lists and loops, as
docs/metrics.md reads. Slow and obvious on purpose.
"""

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, getcontext, localcontext
from fractions import Fraction
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from tests.calendar_oracle import Calendar, Days, every_day, first_day

Z = Decimal("1.959964")
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Sent:
    """One answer as a sender sent it; `order` is when Pulse received it."""

    tenant: str
    survey: str
    response_id: str
    answered_at: datetime
    score: int
    order: int
    dimensions: Mapping[str, str | None] = field(default_factory=dict)


def counted(sent: Iterable[Sent], zones: Mapping[str, str]) -> list[tuple[date, Sent]]:
    """(tenant's day, answer) of those that count: of each identity the last received."""
    last: dict[tuple[Any, ...], tuple[date, Sent]] = {}
    for answer in sorted(sent, key=lambda answer: answer.order):
        day = answer.answered_at.astimezone(ZoneInfo(zones[answer.tenant])).date()
        last[answer.tenant, answer.survey, answer.response_id, day] = day, answer
    return list(last.values())


def rounded(value: Fraction | Decimal) -> float:
    """Two decimals, half to even, as a number."""
    if isinstance(value, Fraction):
        with localcontext() as context:
            context.prec = 60
            hundredths = value * 100
            floor = hundredths.numerator // hundredths.denominator
            rest = hundredths - floor
            up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and floor % 2 == 1)
            return float(Decimal(floor + up) / 100)
    return float(value.quantize(CENT, ROUND_HALF_EVEN))


def share(part: int, whole: int) -> float | None:
    return rounded(Fraction(100 * part, whole)) if whole else None


def figures(metric: str, good: range, bad: range, scores: Sequence[int]) -> dict[str, Any]:
    """Every figure of a row over these scores, which share one metric and scale."""
    n = len(scores)
    up = sum(score in good for score in scores)
    down = sum(score in bad for score in scores)
    if not n:
        empty = ("average", "median", "score", "ci_low", "ci_high")
        return {"responses": 0, **dict.fromkeys(empty)}
    exact = Fraction(100 * (up - down), n) if metric == "nps" else Fraction(100 * up, n)
    low, high = _adjusted_wald(up, down, n) if metric == "nps" else _wilson(up, n)
    point = Decimal(exact.numerator) / Decimal(exact.denominator)
    return {
        "responses": n,
        "average": rounded(Fraction(sum(scores), n)),
        "median": statistics.median(scores),
        "score": rounded(exact),
        "ci_low": rounded(min(low, point)),
        "ci_high": rounded(max(high, point)),
        "promoters": up,
        "detractors": down,
        "passives": n - up - down,
    }


def _wilson(good: int, n: int) -> tuple[Decimal, Decimal]:
    getcontext().prec = 50
    p, z2 = Decimal(good) / n, Z * Z
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z * (p * (1 - p) / n + z2 / (4 * n * n)).sqrt() / (1 + z2 / n)
    return 100 * (centre - half), 100 * (centre + half)


def _adjusted_wald(promoters: int, detractors: int, n: int) -> tuple[Decimal, Decimal]:
    getcontext().prec = 50
    p = (promoters + Decimal("0.75")) / (n + 3)
    d = (detractors + Decimal("0.75")) / (n + 3)
    x = p - d
    half = Z * ((p + d - x * x) / (n + 3)).sqrt()
    return max(100 * (x - half), Decimal(-100)), min(100 * (x + half), Decimal(100))


SCORED = ("average", "median", "score", "ci_low", "ci_high")
SEGMENTS = {
    "csat": ("satisfied", "neutral", "dissatisfied"),
    "nps": ("promoters", "passives", "detractors"),
    "ces": ("easy", "neutral", "difficult"),
}
GOOD = {
    ("csat", "1-5"): range(4, 6),
    ("csat", "1-5:good5"): range(5, 6),
    ("csat", "1-7"): range(6, 8),
    ("nps", "0-10"): range(9, 11),
    ("ces", "1-7"): range(5, 8),
    ("ces", "1-7:low"): range(1, 4),
}
BAD = {
    ("csat", "1-5"): range(1, 3),
    ("csat", "1-5:good5"): range(1, 3),
    ("csat", "1-7"): range(1, 4),
    ("nps", "0-10"): range(7),
    ("ces", "1-7"): range(1, 4),
    ("ces", "1-7:low"): range(5, 8),
}


def _three(metric: str) -> tuple[str, ...]:
    return tuple(name for segment in SEGMENTS[metric] for name in (segment, f"{segment}_pct"))


COLUMNS: Mapping[str, tuple[str, ...]] = {
    "geo": ("responses", "share_pct", *SCORED),
    "daily": ("responses", *SCORED),
    "csat": ("responses", "average", "median", *_three("csat"), "csat_pct", "ci_low", "ci_high"),
    "nps": ("responses", *_three("nps"), "nps", "ci_low", "ci_high"),
    "ces": ("responses", "average", "median", *_three("ces"), "ces_pct", "ci_low", "ci_high"),
    "source": ("responses", "share_pct", *SCORED),
    "rates": ("responses", "share_pct"),
    "browsers": ("responses", "share_pct", *SCORED),
    "agents": ("responses", "share_pct", *SCORED, "adjusted_score", "differs"),
}
GROUPED_BY: Mapping[str, tuple[str, ...]] = {
    "geo": ("country",),
    "source": ("channel",),
    "rates": ("score_value",),
    "browsers": ("browser",),
    "agents": ("agent",),
}
METRIC_OF = {"csat": "csat", "nps": "nps", "ces": "ces", "rates": "nps"}
HEADLINES = ("score", "csat_pct", "nps", "ces_pct")
ALWAYS = {"channel": ("ticket", "chat", "external"), "score_value": tuple(range(11))}
ANY = object()
"""In a row's group: over all values."""
SUMMED_UP = ("(other)", "(rest)")
"""What several values are called that are counted together."""


class Answered(Protocol):
    """One answer that counts."""

    @property
    def day(self) -> date: ...
    @property
    def score(self) -> int: ...
    @property
    def metric(self) -> str: ...
    @property
    def scale(self) -> str: ...
    def dimension(self, name: str) -> str | None: ...


@dataclass(frozen=True)
class Part:
    """One tenant's answers that pass the filters, and the days that are asked for."""

    answers: Sequence[Answered]
    calendar: Calendar
    tenant: str = "acme"


@dataclass(frozen=True)
class ReportQuery:
    """A query of a report; `by` are the dimensions beside period, metric and scale."""

    report: str
    by: tuple[str, ...]
    granularity: str = "total"
    fill: bool = False
    subtotals: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        period = ("period",) if self.granularity != "total" else ()
        return (*period, "metric", "scale", *self.by)


Row = dict[str, Any]
Label = tuple[Any, ...]


def reply(asked: ReportQuery, parts: Sequence[Part]) -> tuple[list[Row], list[Row]]:
    """(rows, totals) in the default order."""
    now = [pair for part in parts for pair in _labelled(asked, part, part.calendar.now)]
    before = [pair for part in parts for pair in _labelled_before(asked, part)]
    labels = {label for part in parts for label in _labels(asked, part)}
    rows = [_row(asked, label, now, before, parts) for label in sorted(labels, key=_rank)]
    wholes = {
        tuple(ANY if name not in ("metric", "scale") else value for name, value in named)
        for label, _ in (*now, *before)
        for named in [list(zip(asked.names, label, strict=True))]
    }
    if asked.report == "browsers":
        wholes |= {_over_all(asked, label) for label in wholes}
    totals = [_row(asked, label, now, before, parts) for label in sorted(wholes, key=_rank)]
    return rows, totals


def breakdown(asked: ReportQuery, parts: Sequence[Part]) -> list[Row]:
    """The distribution under csat, nps and ces: every score of each scale that has answers."""
    found = [
        answer
        for part in parts
        for answer in part.answers
        if part.calendar.now[0] <= answer.day <= part.calendar.now[1]
        and answer.metric == METRIC_OF[asked.report]
    ]
    rows = []
    for metric, scale in sorted({(answer.metric, answer.scale) for answer in found}):
        scores = [answer.score for answer in found if answer.scale == scale]
        lowest, highest = (int(end) for end in scale.split(":")[0].split("-"))
        good, neutral, bad = SEGMENTS[metric]
        for score in range(lowest, highest + 1):
            is_good, is_bad = score in GOOD[metric, scale], score in BAD[metric, scale]
            rows.append(
                {
                    "metric": metric,
                    "scale": scale,
                    "score_value": score,
                    "segment": good if is_good else bad if is_bad else neutral,
                    "responses": scores.count(score),
                    "share_pct": share(scores.count(score), len(scores)),
                }
            )
    return rows


def _periods(asked: ReportQuery, part: Part) -> list[str]:
    week_start = part.calendar.week_start
    every = every_day(part.calendar.now)
    return sorted({first_day(day, asked.granularity, week_start) for day in every})


def _labelled_before(asked: ReportQuery, part: Part) -> list[tuple[Label, Answered]]:
    """Each answer of the days compared with, under the day beside which its own stands."""
    if part.calendar.before is None:
        return []
    return _labelled(asked, part, part.calendar.before, part.calendar.shown_on)


def _labelled(
    asked: ReportQuery, part: Part, days: Days, shown_on: Callable[[date], date] = lambda day: day
) -> list[tuple[Label, Answered]]:
    """Each answer of the days with the row that it belongs to."""
    found = []
    for answer in part.answers:
        if not days[0] <= answer.day <= days[1]:
            continue
        if answer.metric != METRIC_OF.get(asked.report, answer.metric):
            continue
        values: dict[str, Any] = {"tenant": part.tenant, "score_value": answer.score}
        if asked.granularity != "total":
            day = shown_on(answer.day)
            values["period"] = first_day(day, asked.granularity, part.calendar.week_start)
        label = tuple(values[n] if n in values else answer.dimension(n) for n in asked.names)
        found.append((label, answer))
    return found


def _labels(asked: ReportQuery, part: Part) -> set[Label]:
    """Every row that one tenant's part of the reply has."""
    labels = {label for label, _ in _labelled(asked, part, part.calendar.now)}
    labels |= {label for label, _ in _labelled_before(asked, part)}
    if asked.report == "rates" and not labels:
        if asked.names == ("metric", "scale", "score_value"):
            labels = {("nps", "0-10", 0)}
        if asked.names == ("period", "metric", "scale", "score_value") and asked.fill:
            labels = {(None, "nps", "0-10", 0)}
    if asked.granularity != "total" and asked.fill:
        periods = _periods(asked, part)
        labels = {(period, *label[1:]) for label in labels for period in periods}
    for name in ("channel",) if asked.report == "source" else ("score_value",):
        if name in asked.names:
            at = asked.names.index(name)
            labels = {(*x[:at], value, *x[at + 1 :]) for x in labels for value in ALWAYS[name]}
    if asked.report == "browsers":
        labels |= {_over_all(asked, label) for label in labels}
    if asked.subtotals:
        for told in range(len(asked.by)):
            least = len(asked.names) - len(asked.by) + told
            rest = (ANY,) * (len(asked.by) - told)
            labels |= {(*label[:least], *rest) for label in labels}
    return labels


def _over_all(asked: ReportQuery, label: Label) -> Label:
    replaced = {"metric": "all", "scale": None}
    return tuple(replaced.get(n, v) for n, v in zip(asked.names, label, strict=True))


def _rank(label: Label) -> list[tuple[bool, Any]]:
    """None after all values; a row over all values of a column before those of each."""
    return [(value is None, "" if value is None else value) for value in label if value is not ANY]


def _belongs(asked: ReportQuery, row: Label, label: Label, *, but: Sequence[str] = ()) -> bool:
    over_all = "all" in row
    for name, wanted, value in zip(asked.names, row, label, strict=True):
        if wanted is ANY or name in but or (over_all and name in ("metric", "scale")):
            continue
        if wanted != value:
            return False
    return True


def _row(
    asked: ReportQuery,
    label: Label,
    now: Sequence[tuple[Label, Answered]],
    before: Sequence[tuple[Label, Answered]],
    parts: Sequence[Part],
) -> Row:
    group = {n: None if v is ANY else v for n, v in zip(asked.names, label, strict=True)}
    row: Row = dict(group)
    if asked.subtotals:
        row["level"] = sum(
            v is not ANY for n, v in zip(asked.names, label, strict=True) if n in asked.by
        )
    shown = _side(asked, label, now)
    earlier = _side(asked, label, before)
    compared = parts[0].calendar.compare is not None
    told = [p.calendar for p in parts if group.get("tenant") in (None, p.tenant)]
    period = group.get("period")
    is_uneven = bool(period) and any(c.is_uneven(str(period), asked.granularity) for c in told)
    whole_before = sum(_belongs(asked, label, other, but=asked.by) for other, _ in before)
    for name in COLUMNS[asked.report]:
        row[name] = shown[name]
        if not compared:
            continue
        row[f"{name}_previous"] = earlier[name]
        if name == "differs":
            continue
        known = shown[name] is not None and earlier[name] is not None and whole_before
        change = Decimal(str(shown[name])) - Decimal(str(earlier[name])) if known else None
        row[f"{name}_change"] = None if change is None else float(change)
        if name in HEADLINES:
            row[f"{name}_significant"] = None if is_uneven else _significant(shown, earlier)
    if asked.granularity != "total":
        partial = [c.is_partial(str(period), asked.granularity) for c in told if period]
        row["partial"] = any(partial) if period else None
    return row


def _side(asked: ReportQuery, label: Label, found: Sequence[tuple[Label, Answered]]) -> Row:
    """Every figure of a row over one range of days."""
    scores = [answer.score for other, answer in found if _belongs(asked, label, other)]
    whole = sum(_belongs(asked, label, other, but=asked.by) for other, _ in found)
    group = dict(zip(asked.names, label, strict=True))
    row: Row = dict.fromkeys(COLUMNS[asked.report])
    row |= {"n": len(scores), "responses": len(scores), "share_pct": share(len(scores), whole)}
    if group["metric"] == "all":
        return row | {"headline": None}
    metric, scale = group["metric"], group["scale"]
    every = figures(metric, GOOD[metric, scale], BAD[metric, scale], scores)
    every |= dict.fromkeys(("csat_pct", "nps", "ces_pct"), every["score"])
    good, bad = every.get("promoters", 0), every.get("detractors", 0)
    for name, count in zip(SEGMENTS[metric], (good, len(scores) - good - bad, bad), strict=True):
        every |= {name: count, f"{name}_pct": share(count, len(scores))}
    if asked.report == "agents":
        every |= _beside_the_others(asked, label, found)
    return (
        every
        | {name: row[name] for name in ("n", "responses", "share_pct")}
        | {"headline": every["score"]}
    )


def _beside_the_others(
    asked: ReportQuery, label: Label, found: Sequence[tuple[Label, Answered]]
) -> Row:
    """An agent's adjusted score, and the side on which a step-up test over all agents has it."""
    nothing: Row = {"adjusted_score": None, "differs": None}
    group = dict(zip(asked.names, label, strict=True))
    if {*asked.by} - {"tenant"} != {"agent"} or group["agent"] in (None, ANY, *SUMMED_UP):
        return nothing
    good, bad = GOOD[group["metric"], group["scale"]], BAD[group["metric"], group["scale"]]
    answers: dict[str, list[tuple[Any, int]]] = {}
    for other, answer in found:
        if _belongs(asked, label, other, but=("agent",)) and answer.dimension("agent") is not None:
            stratum = answer.dimension("channel"), answer.dimension("country")
            part = int(answer.score in good) - (group["metric"] == "nps" and answer.score in bad)
            answers.setdefault(str(answer.dimension("agent")), []).append((stratum, part))
    scores = {agent: _off_the_others(agent, answers) for agent in answers}
    score, _ = scores.get(group["agent"], (None, None))
    z = {
        agent: value
        for agent, (_, value) in scores.items()
        if value and len(answers[agent]) >= 10 and agent not in SUMMED_UP
    }
    marked: set[str] = set()
    for agent in sorted(z, key=lambda each: abs(z[each])):  # from the least sure on
        rank = sum(abs(other) >= abs(z[agent]) for other in z.values())
        if marked or abs(z[agent]) >= statistics.NormalDist().inv_cdf(1 - 0.025 * rank / len(z)):
            marked.add(agent)
    side = "below" if z.get(group["agent"], 0) < 0 else "above"
    return {"adjusted_score": score, "differs": side if group["agent"] in marked else None}


def _off_the_others(
    agent: str, answers: Mapping[str, Sequence[tuple[Any, int]]]
) -> tuple[float | None, float | None]:
    """The adjusted score, and z where the others' answers vary."""
    own = answers[agent]
    others = [one for name in answers if name != agent for one in answers[name]]
    if not others:
        return None, None
    expected = variance = Fraction(0)
    for stratum in {stratum for stratum, _ in own}:
        n = sum(one == stratum for one, _ in own)
        beside = [part for one, part in others if one == stratum] or [part for _, part in others]
        mean = Fraction(sum(beside), len(beside))
        spread = Fraction(sum(part * part for part in beside), len(beside)) - mean * mean
        expected += n * mean
        variance += n * spread + n * n * spread / len(beside)
    total = sum(part for _, part in own)
    whole = Fraction(total + sum(part for _, part in others), len(own) + len(others))
    score = rounded(100 * (whole + (total - expected) / len(own)))
    return score, float(total - expected) / math.sqrt(variance) if variance else None


def _significant(now: Row, before: Row) -> bool | None:
    """MOVER, of the intervals as they are shown."""
    if now["headline"] is None or before["headline"] is None or min(now["n"], before["n"]) < 10:
        return None
    value, low, high = (now[name] for name in ("headline", "ci_low", "ci_high"))
    value2, low2, high2 = (before[name] for name in ("headline", "ci_low", "ci_high"))
    change = value - value2
    lower = change - math.sqrt((value - low) ** 2 + (high2 - value2) ** 2)
    upper = change + math.sqrt((high - value) ** 2 + (value2 - low2) ** 2)
    return bool(lower > 0 or upper < 0)
