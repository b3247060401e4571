"""How a score is judged: metric, scale, cut-offs and direction (docs/metrics.md, "Survey scores").

A rule is stored as the label of its scale: `1-5`, `1-5:good5` or `1-7:low`. Each response names the
rule that was in force when it was given, and responses under different rules never share a row.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pulse.streams.responses import METRICS

Segment = Literal["good", "neutral", "bad"]

# (metric, lowest, highest score) → (lowest good, highest bad score)
_DEFAULT_CUTS: Mapping[tuple[str, int, int], tuple[int, int]] = {
    ("csat", 1, 2): (2, 1),
    ("csat", 1, 3): (3, 1),
    ("csat", 1, 4): (3, 2),
    ("csat", 1, 5): (4, 2),
    ("csat", 1, 7): (6, 3),
    ("csat", 1, 10): (8, 4),
    ("csat", 0, 10): (8, 4),
    ("nps", 0, 10): (9, 6),
    ("ces", 1, 7): (5, 3),
    ("ces", 1, 5): (4, 2),
}

_LABEL = re.compile(r"(\d+)-(\d+)(:low)?(?::good(\d+))?(?::bad(\d+))?")


@dataclass(frozen=True)
class Rule:
    """A metric on a scale of whole numbers, and which of its scores are good and bad.

    Normally scores of at least `good` are good and scores of at most `bad` are bad. Where lower
    is better the ends are swapped: at most `good` is good, at least `bad` is bad.
    """

    metric: str
    low: int
    high: int
    good: int
    bad: int
    lower_is_better: bool = False

    @classmethod
    def make(
        cls,
        metric: str,
        low: int,
        high: int,
        *,
        good: int | None = None,
        bad: int | None = None,
        lower_is_better: bool = False,
    ) -> "Rule":
        """The rule, with the cut-offs of docs/metrics.md if none are named.

        Raises ValueError if the scale does not fit the metric, if cut-offs are missing and the
        scale has no defaults, or if the cut-offs contradict each other.
        """
        if metric not in METRICS:
            raise ValueError(f"metric must be one of {', '.join(METRICS)}, not {metric!r}")
        if not 0 <= low < high <= 10:
            raise ValueError(f"a scale lies within 0-10 and rises; {low}-{high} does not")
        named = (good, bad) != (None, None) or lower_is_better
        if metric == "nps" and ((low, high) != (0, 10) or named):
            raise ValueError("nps is defined on 0-10 alone, with its own cut-offs and direction")
        default = _default_cuts(metric, low, high, lower_is_better)
        if default is not None:
            good = default[0] if good is None else good
            bad = default[1] if bad is None else bad
        if good is None or bad is None:
            raise ValueError(
                f"{metric} has no default cut-offs on {low}-{high}: name both, good and bad"
            )
        rule = cls(metric, low, high, good, bad, lower_is_better)
        rule._check_cuts()
        return rule

    @classmethod
    def parse(cls, metric: str, label: str) -> "Rule":
        """The rule with that label. Raises ValueError for any text that is not a rule's `label`."""
        match = _LABEL.fullmatch(label)
        if not match:
            raise ValueError(f"not a scale: {label!r}")
        low, high, lower, good, bad = match.groups()
        return cls.make(
            metric,
            int(low),
            int(high),
            good=int(good) if good else None,
            bad=int(bad) if bad else None,
            lower_is_better=bool(lower),
        )

    def _check_cuts(self) -> None:
        first, second = (self.good, self.bad) if self.lower_is_better else (self.bad, self.good)
        if not self.low <= first < second <= self.high:
            raise ValueError(
                f"cut-offs good {self.good} and bad {self.bad} do not part the scale "
                f"{self.low}-{self.high}"
            )

    @property
    def label(self) -> str:
        """The scale as rows and reports show it, with its cut-offs if they are not the default."""
        text = f"{self.low}-{self.high}" + (":low" if self.lower_is_better else "")
        default = _default_cuts(self.metric, self.low, self.high, self.lower_is_better)
        if default is None or default[0] != self.good:
            text += f":good{self.good}"
        if default is None or default[1] != self.bad:
            text += f":bad{self.bad}"
        return text

    @property
    def scores(self) -> range:
        """Every score of the scale, in order."""
        return range(self.low, self.high + 1)

    def segment(self, score: int) -> Segment:
        """Whether a score of the scale is good, neutral or bad."""
        sign = -1 if self.lower_is_better else 1
        if sign * score >= sign * self.good:
            return "good"
        return "bad" if sign * score <= sign * self.bad else "neutral"

    @cached_property
    def parted(self) -> tuple[slice, slice, slice]:
        """Where the scores that are good, neutral and bad stand among those from 0 to 10.

        Every row of a report asks for them, mostly several times.
        """
        judged = [self.segment(score) for score in range(11)]

        def those(wanted: Segment) -> slice:
            first = judged.index(wanted) if wanted in judged else 0
            return slice(first, first + judged.count(wanted))

        return those("good"), those("neutral"), those("bad")


def _default_cuts(
    metric: str, low: int, high: int, lower_is_better: bool
) -> tuple[int, int] | None:
    """The cut-offs (good, bad) in docs/metrics.md's table; None if it lacks the scale."""
    cuts = _DEFAULT_CUTS.get((metric, low, high))
    return (cuts[1], cuts[0]) if cuts and lower_is_better else cuts


DEFAULTS = tuple(Rule.make(metric, low, high) for metric, low, high in _DEFAULT_CUTS)
"""The rules with the cut-offs of docs/metrics.md's table."""


def is_on_scale(label: str, scale: str) -> bool:
    """True of a rule's label whose scores are of a scale such as 1-5, the highest the best."""
    range_of, *cuts = label.split(":")
    return range_of == scale and "low" not in cuts
