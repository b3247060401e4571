"""The interaction family: what the contact centre did, in which time and for what revenue.

An interaction counts once, on the day on which it entered (docs/metrics.md, "Interactions").
"""

from typing import Any

from pulse import lake, streams
from pulse.reports import metrics
from pulse.reports.declarations import (
    CURRENCY,
    PERIOD,
    TENANT,
    Family,
    Metric,
    OfAmounts,
    OfSums,
    Report,
)

# -- the family

INTERACTION = Family(
    name="interaction",
    dataset=lake.INTERACTIONS,
    dimensions=streams.INTERACTIONS.dimensions,
    by_tenant=True,
    by_currency=("entered", "with_revenue", "revenue"),
)

# -- how metrics are made of sums


def _made(kind: metrics.Quotient[Any], *measures: str) -> OfSums:
    return OfSums(kind, measures)


def _count(name: str, text: str, measure: str | None = None) -> Metric:
    measure = measure or name
    return Metric(
        name,
        "count",
        text,
        _made(metrics.count, measure),
        empty="0",
        withheld=False,
        of_any_scale=True,
        measure=measure,
    )


def _percentage(name: str, text: str, part: str, whole: str) -> Metric:
    return Metric(
        name,
        "percent",
        text,
        _made(metrics.share_pct, part, whole),
        formula=f"{name}@1",
        numerator=part,
        denominator=whole,
    )


def _mean_time(name: str, text: str, duration: str, n: str) -> tuple[Metric, Metric]:
    """The mean of a duration in seconds, and as a clock shows it."""
    formula = f"{name}@2"
    mean = _made(metrics.seconds, duration, n)
    shown = _made(metrics.clock, duration, n)
    return (
        Metric(name, "seconds", text, mean, formula, f"sum of the {name[4:]}s", n),
        Metric(f"{name}_fmt", "time", f"{name} as HH:MM:SS.", shown, formula),
    )


def _time(name: str, text: str, duration: str) -> tuple[Metric, Metric]:
    """The sum of a duration in seconds, and as a clock shows it."""
    total, shown = _made(metrics.seconds, duration), _made(metrics.clock, duration)
    return (
        Metric(name, "seconds", text, total, empty="0"),
        Metric(f"{name}_fmt", "time", f"{name} as HH:MM:SS.", shown, empty="0"),
    )


# -- metrics

ENTERED = _count("entered", "Interactions that entered, abandoned ones included.")
ACCEPTED = _count("accepted", "Interactions accepted by an agent.")
RESPONSE_RATIO = Metric(
    "response_ratio",
    "ratio",
    "Replies for each accepted interaction.",
    _made(metrics.ratio, "replies", "accepted"),
    formula="response_ratio@1",
    numerator="replies",
    denominator="accepted",
)
WITH_SATISFACTION = _count("with_satisfaction", "Interactions with a satisfaction recorded.")
AVG_SATISFACTION = Metric(
    "avg_satisfaction",
    "satisfaction",
    "Mean satisfaction recorded.",
    _made(metrics.satisfaction, "satisfaction", "with_satisfaction"),
    formula="avg_satisfaction@1",
    numerator="sum of the satisfactions",
    denominator="with_satisfaction",
)
INTERACTIONS_WITH_REVENUE = _count(
    "interactions_with_revenue",
    "Interactions with a revenue recorded that is not zero, in any currency.",
    "with_revenue",
)
REVENUE = Metric(
    "revenue",
    "money",
    "Revenue recorded, refunds subtracted. Where nothing was recorded in any currency: null.",
    OfAmounts(metrics.money, ("revenue",)),
    formula="revenue@1",
    empty="0",
)
AVG_REVENUE = Metric(
    "avg_revenue",
    "money",
    "Mean revenue of the interactions that have one.",
    OfAmounts(metrics.money, ("revenue", "with_revenue")),
    formula="avg_revenue@1",
    numerator="revenue",
    denominator="interactions_with_revenue of the currency",
)

_CUSTOMER_PERSPECTIVE = (
    ENTERED,
    _count("offered", "Interactions offered to an agent; accepted ones were."),
    ACCEPTED,
    _count("responded", "Interactions with a first response."),
    _count("finished", "Interactions finished."),
    _count("abandoned", "Interactions that the customer gave up before they were accepted."),
    _count(
        "replies",
        "Replies sent; on synchronous media at least one in each accepted interaction.",
    ),
    RESPONSE_RATIO,
    _count("accept_due", "Interactions offered, with a threshold for accepting."),
    _count("accept_met", "Of these, accepted within it."),
    _percentage(
        "accept_service_level_pct",
        "Share accepted within the threshold.",
        "accept_met",
        "accept_due",
    ),
    _count("first_response_due", "Interactions offered, with a threshold for the first response."),
    _count("first_response_met", "Of these, responded to within it."),
    _percentage(
        "first_response_service_level_pct",
        "Share responded to within the threshold.",
        "first_response_met",
        "first_response_due",
    ),
    _count("finish_due", "Interactions finished, with a threshold for finishing."),
    _count("finish_met", "Of these, finished within it."),
    _percentage(
        "finished_service_level_pct",
        "Share finished within the threshold.",
        "finish_met",
        "finish_due",
    ),
    _count("accept_timed", "Interactions accepted of which it is known how long that took."),
    *_mean_time(
        "avg_accept_time", "Mean time from entering to being accepted.", "accept_us", "accept_timed"
    ),
    _count("first_response_timed", "The same of the first response."),
    *_mean_time(
        "avg_first_response_time",
        "Mean time from entering to the first response.",
        "first_response_us",
        "first_response_timed",
    ),
    _count("finished_responded", "Interactions finished that had a response."),
    _count("finish_timed", "Of these, those of which it is known how long it took."),
    *_mean_time(
        "avg_finish_response_time",
        "Mean time from entering to finishing, of those with a response.",
        "finish_us",
        "finish_timed",
    ),
    WITH_SATISFACTION,
    AVG_SATISFACTION,
    INTERACTIONS_WITH_REVENUE,
    AVG_REVENUE,
)

_AGENT_ACTIVITY = (
    _count("handled", "Interactions accepted and finished."),
    _count("handle_timed", "Of these, those of which it is known how long it took."),
    *_mean_time(
        "avg_handle_time", "Mean time from accepting to finishing.", "handle_us", "handle_timed"
    ),
    *_time("active_seconds", "Time that agents were logged in.", "active_us"),
    *_time("engaged_seconds", "Of this, time engaged with customers.", "engaged_us"),
    Metric(
        "engaged_pct",
        "percent",
        "Share of the active time that agents were engaged.",
        _made(metrics.share_pct, "engaged_us", "active_us"),
        formula="engaged_pct@1",
        numerator="engaged_seconds",
        denominator="active_seconds",
    ),
    WITH_SATISFACTION,
    AVG_SATISFACTION,
)

# -- reports

REPORTS = (
    Report(
        name="customer-perspective",
        title="Customer perspective",
        text="What customers met who got in touch: whether they were accepted, responded to and "
        "finished, how fast, and how content they were.",
        family=INTERACTION,
        group_by=(TENANT.name, "media_type", PERIOD, "customer_segment", "service_type"),
        granularity="day",
        excluded=(CURRENCY,),
        metrics=_CUSTOMER_PERSPECTIVE,
        by_scores=True,
    ),
    Report(
        name="agent-activity",
        title="Agent activity",
        text="What each agent handled and how long it took, beside the time active and engaged, "
        "which is known by agent and media type alone.",
        family=INTERACTION,
        group_by=("agent", "media_type"),
        excluded=(CURRENCY,),
        beside=(lake.SESSIONS,),
        metrics=_AGENT_ACTIVITY,
    ),
    Report(
        name="revenue",
        title="Revenue",
        text="The revenue of the interactions that have one recorded, by currency.",
        family=INTERACTION,
        group_by=(PERIOD, CURRENCY),
        granularity="day",
        not_null=(CURRENCY,),
        metrics=(INTERACTIONS_WITH_REVENUE, REVENUE, AVG_REVENUE),
    ),
)
"""In the order of the catalogue."""
