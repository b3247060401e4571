"""The worst run of days: those whose score lies furthest below that of all others. Pure.

docs/metrics.md, "What happened", defines it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from pulse.reports.adjusting import Tally
from pulse.reports.metrics import Estimate, Z

FORMULA = "worst_run@1"
NEWS = 4.5
"""Standard errors at which a run is told of.

The lowest of some four hundred runs of 28 days must not be news: at 4.5 it is, by chance, in fewer
than one of three hundred months. Of more days the lowest run lies lower, by chance too: by as much
as a normal deviate's tail, exp(-z²/2), must be thinner where it is looked at the more often.
"""
NEWS_OF_DAYS = 28


@dataclass(frozen=True)
class Span:
    """A day, or a longer period, and its answers."""

    first: date
    last: date
    tally: Tally


@dataclass(frozen=True)
class WorstRun:
    """The run and all other days; `z` is by how many standard errors it lies below these."""

    first: date
    last: date
    within: Tally
    others: Tally
    z: float

    @property
    def days(self) -> int:
        """How long it is."""
        return (self.last - self.first).days + 1

    @property
    def points(self) -> float:
        """What the run cost the score of all days together."""
        return score_of(self.others) - score_of(self.within + self.others)


def score_of(tally: Tally) -> float:
    """The headline of some answers, of which there is one at least."""
    return 100 * tally.total / tally.n


def worst_run(spans: Sequence[Span], whole: Estimate, *, least: int = 1) -> WorstRun | None:
    """The worst run of these days, at most half of them; None where none stands out.

    `whole` is the estimate of all of them together: its interval tells how much single answers
    differ. A run is told of `least` answers at least, and so are the other days.
    """
    ns, totals = (
        np.concatenate([[0], np.cumsum([getattr(one.tally, name) for one in spans])])
        for name in ("n", "total")
    )
    n, total = int(ns[-1]), int(totals[-1])
    width = float(whole.high - whole.low)
    if n == 0 or width == 0:
        return None
    deviation = width / (2 * float(Z)) * math.sqrt(n)
    most = math.sqrt(NEWS**2 + 2 * math.log(max(1.0, len(spans) / NEWS_OF_DAYS)))
    worst: tuple[int, int] | None = None
    for first, span in enumerate(spans):
        if span.tally.n == 0:  # a run begins with an answer
            continue
        ends = slice(first + 1, first + 1 + len(spans) // 2)
        within = ns[ends] - ns[first]
        fitting = np.flatnonzero((within >= least) & (n - within >= least))
        if not len(fitting):
            continue
        inside, sums = within[fitting], (totals[ends] - totals[first])[fitting]
        rest = n - inside
        below = 100 * ((total - sums) / rest - sums / inside)
        z = below / (deviation * np.sqrt(1 / inside + 1 / rest))
        at = int(z.argmax())
        if z[at] > most:
            most, worst = float(z[at]), (first, first + int(fitting[at]))
    if worst is None:
        return None
    run = spans[worst[0] : worst[1] + 1]
    within_run = sum((one.tally for one in run), Tally())
    everything = sum((one.tally for one in spans), Tally())
    return WorstRun(run[0].first, run[-1].last, within_run, everything - within_run, most)
