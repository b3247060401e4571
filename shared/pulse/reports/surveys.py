"""The survey family: what customers answered when they were asked, and the reports on it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

from pulse import lake, streams
from pulse.reports import metrics
from pulse.reports.agents import ADJUSTED_SCORE, DIFFERS, beside_the_others
from pulse.reports.declarations import (
    PERIOD,
    Among,
    Breakdown,
    Dimension,
    Family,
    GroupSums,
    Label,
    Metric,
    Report,
    Value,
)
from pulse.streams.responses import CHANNELS
from pulse.tenants.rules import Rule, Segment

# -- metrics

SEGMENT_NAMES: Mapping[str, Mapping[Segment, str]] = {
    "csat": {"good": "satisfied", "neutral": "neutral", "bad": "dissatisfied"},
    "nps": {"good": "promoters", "neutral": "passives", "bad": "detractors"},
    "ces": {"good": "easy", "neutral": "neutral", "bad": "difficult"},
}
"""What each survey metric calls the three parts of its scale."""


@lru_cache(maxsize=1024)
def _parse_rule(metric: Label, scale: Label) -> Rule:
    return Rule.parse(str(metric), str(scale))


def _rule(summed: GroupSums) -> Rule:
    return _parse_rule(summed.group["metric"], summed.group["scale"])


@lru_cache(maxsize=1024)
def _unjudged(metric: Label, scale: Label) -> tuple[int, ...]:
    """The scores that lie outside of a scale; all of a scale that this version does not know.

    write_raw sets such answers aside. But a newer version may have stored them.
    """
    scores = range(len(lake.SCORE_COUNTS))
    try:
        known = _parse_rule(metric, scale).scores
    except ValueError:
        return tuple(scores)
    return tuple(score for score in scores if score not in known)


def _significant(now: GroupSums, before: GroupSums) -> bool | None:
    return metrics.significant(now.sums, before.sums, _rule(now))


def _end(which: int) -> Callable[[GroupSums], Value]:
    def compute(summed: GroupSums) -> Value:
        ends = metrics.interval(summed.sums, _rule(summed))
        return ends[which] if ends else None

    return compute


def _in_segment(segment: Segment) -> Callable[[GroupSums], int]:
    def compute(summed: GroupSums) -> int:
        found: int = getattr(metrics.segments(summed.sums, _rule(summed)), segment)
        return found

    return compute


def _segment_metrics(segment: Segment, name: str, formula: str) -> tuple[Metric, Metric]:
    """The count of a segment's responses and their percentage."""
    count = _in_segment(segment)
    return (
        Metric(
            name,
            "count",
            f"Responses that are {name}.",
            count,
            formula=formula,
            empty="0",
        ),
        Metric(
            f"{name}_pct",
            "percent",
            f"Share of responses that are {name}.",
            lambda summed: metrics.share_pct(count(summed), sum(summed.sums)),
            formula=formula,
            numerator=name,
            denominator="responses",
        ),
    )


RESPONSES = Metric(
    "responses",
    "count",
    "Responses counted.",
    lambda summed: sum(summed.sums),
    empty="0",
    withheld=False,
    of_any_scale=True,
)
SHARE_PCT = Metric(
    "share_pct",
    "percent",
    "Share of the responses of the same metric, scale and period, over all pages.",
    lambda summed: metrics.share_pct(sum(summed.sums), summed.whole),
    formula="share_pct@1",
    numerator="responses",
    denominator="responses of the same metric, scale and period",
    withheld=False,
    of_any_scale=True,
)
AVERAGE = Metric(
    "average",
    "scale",
    "Mean score, two decimals.",
    lambda summed: metrics.average(summed.sums),
    formula="average@1",
    numerator="sum of the scores",
    denominator="responses",
)
MEDIAN = Metric(
    "median",
    "scale",
    "Middle score; of an even number, the mean of the two middle ones.",
    lambda summed: metrics.median(summed.sums),
    formula="median@1",
)
CSAT_PCT = Metric(
    "csat_pct",
    "percent",
    "Share of satisfied responses.",
    lambda summed: metrics.csat_pct(summed.sums, _rule(summed)),
    formula="csat_pct@1",
    numerator="satisfied",
    denominator="responses",
    significant=_significant,
)
NPS = Metric(
    "nps",
    "points",
    "Net promoter score: share of promoters minus share of detractors, -100 to 100.",
    lambda summed: metrics.nps(summed.sums, _rule(summed)),
    formula="nps@1",
    numerator="promoters - detractors",
    denominator="responses",
    significant=_significant,
)
CES_PCT = Metric(
    "ces_pct",
    "percent",
    "Share of responses that found it easy.",
    lambda summed: metrics.ces_pct(summed.sums, _rule(summed)),
    formula="ces_pct@1",
    numerator="easy",
    denominator="responses",
    significant=_significant,
)
HEADLINES: Mapping[str, Metric] = {"csat": CSAT_PCT, "nps": NPS, "ces": CES_PCT}
"""The figure that stands for each survey metric."""

SCORE = Metric(
    "score",
    "points",
    "The metric's headline: csat_pct, nps or ces_pct.",
    lambda summed: metrics.score(summed.sums, _rule(summed)),
    formula="score@1",
    significant=_significant,
)
CI_LOW = Metric(
    "ci_low", "points", "Lower end of the score's 95 % interval.", _end(0), formula="interval@1"
)
CI_HIGH = Metric(
    "ci_high", "points", "Upper end of the score's 95 % interval.", _end(1), formula="interval@1"
)
SEGMENT_METRICS: Mapping[str, tuple[Metric, ...]] = {
    survey_metric: tuple(
        metric
        for segment, name in names.items()
        for metric in _segment_metrics(segment, name, str(HEADLINES[survey_metric].formula))
    )
    for survey_metric, names in SEGMENT_NAMES.items()
}
"""For each survey metric the counts and percentages of its three segments."""


# -- the distribution


def _distribution(summed: GroupSums) -> list[dict[str, str | Value]]:
    """One row for every score of the scale, whether anybody gave it or not."""
    rule = _rule(summed)
    names = SEGMENT_NAMES[rule.metric]
    return [
        {
            "score_value": score,
            "segment": names[rule.segment(score)],
            "responses": summed.sums[score],
            "share_pct": metrics.share_pct(summed.sums[score], sum(summed.sums)),
        }
        for score in rule.scores
    ]


SCORE_VALUE = Dimension("score_value", "Score", "The score given.")

DISTRIBUTION = Breakdown(
    text="Responses by score, over the whole reply: every score of each scale has its row.",
    dimensions=(
        SCORE_VALUE,
        Dimension("segment", "Segment", "What the rule calls it, as in the columns' names."),
    ),
    metrics=(RESPONSES, SHARE_PCT),
    rows=_distribution,
)

# -- the family and its reports


def _score_formulas(summed: GroupSums) -> tuple[str, ...]:
    return (str(HEADLINES[str(summed.group["metric"])].formula),)


SURVEY = Family(
    name="survey",
    dataset=lake.SCORES,
    dimensions=streams.RESPONSES.dimensions,
    required=("metric", "scale"),
    formulas=_score_formulas,
    unjudged=lambda required: _unjudged(*required),
)

_SCORED = (AVERAGE, MEDIAN, SCORE, CI_LOW, CI_HIGH)

REPORTS = (
    Report(
        name="geo",
        title="Scores by country",
        text="Where the customers are who answered, and how they scored.",
        family=SURVEY,
        group_by=("country",),
        metrics=(RESPONSES, SHARE_PCT, *_SCORED),
    ),
    Report(
        name="daily",
        title="Scores over time",
        text="How many answered and how they scored, day by day.",
        family=SURVEY,
        group_by=(PERIOD,),
        granularity="day",
        metrics=(RESPONSES, *_SCORED),
    ),
    Report(
        name="csat",
        title="Customer satisfaction",
        text="Satisfied, neutral and dissatisfied customers, and the share of the first.",
        family=SURVEY,
        fixed={"metric": ("csat",)},
        metrics=(
            RESPONSES,
            AVERAGE,
            MEDIAN,
            *SEGMENT_METRICS["csat"],
            CSAT_PCT,
            CI_LOW,
            CI_HIGH,
        ),
        breakdown=DISTRIBUTION,
    ),
    Report(
        name="nps",
        title="Net promoter score",
        text="Promoters, passives and detractors, and the score they make.",
        family=SURVEY,
        fixed={"metric": ("nps",)},
        metrics=(RESPONSES, *SEGMENT_METRICS["nps"], NPS, CI_LOW, CI_HIGH),
        breakdown=DISTRIBUTION,
    ),
    Report(
        name="ces",
        title="Customer effort",
        text="How many found it easy or difficult, and the share of the first.",
        family=SURVEY,
        fixed={"metric": ("ces",)},
        metrics=(
            RESPONSES,
            AVERAGE,
            MEDIAN,
            *SEGMENT_METRICS["ces"],
            CES_PCT,
            CI_LOW,
            CI_HIGH,
        ),
        breakdown=DISTRIBUTION,
    ),
    Report(
        name="source",
        title="Scores by channel",
        text="Answers and scores by the channel that they came through.",
        family=SURVEY,
        group_by=("channel",),
        always={"channel": CHANNELS},
        metrics=(RESPONSES, SHARE_PCT, *_SCORED),
    ),
    Report(
        name="rates",
        title="Answers by score",
        text="How often each score from 0 to 10 was given, of the net promoter question.",
        family=SURVEY,
        fixed={"metric": ("nps",), "scale": ("0-10",)},
        by_count=SCORE_VALUE,
        group_by=("score_value",),
        # how often each score was given tells how somebody was judged
        metrics=(replace(RESPONSES, withheld=True), replace(SHARE_PCT, withheld=True)),
    ),
    Report(
        name="browsers",
        title="Browsers and devices",
        text="Which browsers, systems and devices customers answered from. Rows with "
        "metric all are over the answers of every metric and scale.",
        family=SURVEY,
        group_by=("browser",),
        over_all=True,
        # docs/metrics.md: each score with its interval
        metrics=(RESPONSES, SHARE_PCT, *_SCORED),
    ),
    Report(
        name="agents",
        title="Scores by agent",
        text="How many answers each agent had, and how they were scored.",
        family=SURVEY,
        group_by=("agent",),
        metrics=(RESPONSES, SHARE_PCT, *_SCORED, ADJUSTED_SCORE, DIFFERS),
        among=Among(lake.ADJUSTED_FOR, beside_the_others),
    ),
)
"""In the order of the catalogue."""
