"""What is asked of insights: the query string as one frozen value, or one coded error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pulse import days
from pulse.reports.declarations import Dimension
from pulse.reports.registry import REPORTS
from pulse.serve import query as queries
from pulse.serve.insights.language import LANGUAGES, Language
from pulse.serve.own import with_own
from pulse.serve.query import Query, refusal

REPORT = REPORTS["daily"]
"""Insights are about its figures: it takes the same days and filters."""
MOVED_BY = ("country", "channel", "agent", "device", "browser", "os", "survey")
"""Whose groups may explain a change, besides those of the tenants' own dimensions."""
COMPARISONS = (*days.COMPARISONS, "none")

_DAYS = ("preset", "start_date", "end_date")
PARAMETERS: Mapping[str, str] = {
    **{name: queries.PARAMETERS[name] for name in _DAYS},
    "compare": "What the days are compared with: previous_period, the default, previous_year, or "
    "none. all_time is compared with nothing.",
    "lang": f"The language of the sentences: {', '.join(LANGUAGES)}; en by default. A region "
    "behind it, as in de-AT, is not looked at.",
}
"""What it takes, besides the survey family's dimensions as filters."""
DRIVERS: Mapping[str, str] = {name: text for name, text in PARAMETERS.items() if name != "compare"}
"""What GET /v1/insights/drivers takes, besides the same."""
WENT_THROUGH = (
    "accept",
    "first_response",
    "finish",
    "wait",
    "life",
    "was_abandoned",
    "had_revenue",
    "media_type",
    "customer_segment",
    "service_type",
)
"""What customers went through. Not among it are the agent, since answers have one of their own, the
day on which it began, and whether they were asked a second time."""


@dataclass(frozen=True)
class DrivenBy:
    """Dimensions that may go with a score, and within which strata their groups are compared.

    Without strata of their own these are the ones that agents are adjusted for.
    """

    dimensions: tuple[str, ...]
    strata: tuple[str, ...] = ()


DRIVEN_BY: Mapping[str, DrivenBy] = {
    REPORT.name: DrivenBy(MOVED_BY),
    "experience": DrivenBy(WENT_THROUGH, ("media_type", "customer_segment")),
}
"""What may go with a score, by the report that tells its sums.

The tenants' own dimensions may, too, where the report has them."""

Pairs = Sequence[tuple[str, str]]


WEIGHT = 9
"""As so many reads more than one a request counts against the limits of its key and tenant: it asks
dozens of questions."""


@dataclass(frozen=True)
class InsightsQuery:
    """The days, filters and comparison, in which language they are told, and as they came."""

    query: Query
    language: Language
    pairs: Pairs
    """Days, filters and tenants, raw: a query of any report of the family takes them."""


def parse(
    pairs: Pairs,
    parameters: Mapping[str, str] = PARAMETERS,
    *,
    across_tenants: bool = False,
    own: tuple[Dimension, ...] = (),
) -> InsightsQuery:
    """What (name, raw value) pairs ask of tenants that have these dimensions of their `own`.

    Raises BadRequestError for the first thing wrong.
    """
    report = with_own(REPORT, own)
    tenant = ["tenant"] if across_tenants else []
    allowed = (*parameters, *tenant, *report.filter_names)
    for name, _ in pairs:
        if name not in allowed:
            raise refusal(name[:64], "unknown_parameter", "There is no such parameter.", allowed)
    language = _language(queries.once("lang", pairs))
    compare = queries.once("compare", pairs)
    if compare is not None and compare not in COMPARISONS:
        reason = f"{compare[:64]!r} is not one of its values."
        raise refusal("compare", "unknown_comparison", reason, COMPARISONS)
    taken = [pair for pair in pairs if pair[0] not in ("lang", "compare")]
    given = [("compare", compare)] if compare not in (None, "none") else []
    query = queries.parse(
        [
            *taken,
            ("group_by", "metric,scale"),
            ("granularity", "total"),
            *((name, raw or "") for name, raw in given),
        ],
        report,
        across_tenants=across_tenants,
    )
    if compare is None and "compare" in parameters and query.preset != "all_time":
        query = replace(query, compare="previous_period")
    return InsightsQuery(query, language, taken)


def _language(asked: str | None) -> Language:
    name = "en" if asked is None else asked.lower().replace("_", "-").partition("-")[0]
    if name not in LANGUAGES:
        reason = f"{(asked or '')[:64]!r} is not one of its languages."
        raise refusal("lang", "unknown_language", reason, LANGUAGES)
    return Language(name)
