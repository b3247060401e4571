"""GET /v1/reports: the registry as a dashboard needs it to draw itself."""

from typing import Any

from pulse import days
from pulse.lake import NOT_GIVEN
from pulse.reports.registry import REPORTS, TENANT, UNITS, Dimension, Metric, Report
from pulse.serve.own import own_dimensions, with_own
from pulse.serve.query import DATE_BASES, PARAMETERS
from pulse.tenants.tenant import Tenant

_LEVELS = {
    "accept": "accept_service_level_pct",
    "first_response": "first_response_service_level_pct",
    "finish": "finished_service_level_pct",
}
"""The figure that tells how many were within a threshold, by the threshold's kind."""


def catalogue(tenant: Tenant | None = None, *, comments: bool = False) -> dict[str, Any]:
    """Every report with its dimensions, metrics and filters, and what all of them take.

    `tenant` is whose key asks, and whose own dimensions are among them; None where it reads those
    of several. `comments`: the key may read what customers wrote.
    """
    own = own_dimensions([tenant] if tenant else [])
    return {
        "reports": [_report(with_own(report, own)) for report in REPORTS.values()],
        "parameters": [{"name": name, "text": text} for name, text in PARAMETERS.items()],
        "presets": list(days.PRESETS),
        "default_preset": days.DEFAULT_PRESET,
        "granularities": list(days.GRANULARITIES),
        "comparisons": list(days.COMPARISONS),
        "operator_dimensions": [_dimension(TENANT)],
        "units": dict(UNITS),
        "not_given": NOT_GIVEN,
        "tenant": tenant
        and {
            "id": tenant.id,
            "targets": _targets(tenant),
            "dimensions": [dimension.name for dimension in own],
        },
        "comments": comments,
    }


def _targets(tenant: Tenant) -> dict[str, dict[str, int]]:
    """By medium and figure, how many in a hundred should be within the threshold."""
    found: dict[str, dict[str, int]] = {}
    for name, pct in sorted(tenant.targets.items()):
        medium, _, kind = name.rpartition(".")
        found.setdefault(medium, {})[_LEVELS[kind]] = pct
    return found


def _report(report: Report) -> dict[str, Any]:
    family = report.family
    return {
        "name": report.name,
        "title": report.title,
        "description": report.text,
        "family": family.name,
        "dimensions": [_dimension(dimension) for dimension in report.dimensions],
        "always_grouped_by": [
            *family.required,
            *([report.by_count.name] if report.by_count else []),
        ],
        "group_by": list(report.group_by),
        "granularity": report.granularity,
        "metrics": [_metric(metric) for metric in report.metrics],
        "filters": list(report.filter_names),
        "fixed_filters": {name: list(values) for name, values in report.fixed.items()},
        "always_given": list(report.not_null),
        "always_present": {name: list(values) for name, values in report.always_shown.items()},
        "rows_over_all": report.over_all,
        "date_bases": list(DATE_BASES) if report.entered_on else [],
        "breakdown": _breakdown(report),
    }


def _breakdown(report: Report) -> dict[str, Any] | None:
    if report.breakdown is None:
        return None
    return {
        "text": report.breakdown.text,
        "dimensions": [_dimension(dimension) for dimension in report.breakdown.dimensions],
        "metrics": [_metric(metric) for metric in report.breakdown.metrics],
    }


def _dimension(dimension: Dimension) -> dict[str, Any]:
    return {
        "name": dimension.name,
        "title": dimension.title,
        "text": dimension.text,
        "values": list(dimension.values) if dimension.values else None,
    }


def _metric(metric: Metric) -> dict[str, Any]:
    return {
        "name": metric.name,
        "unit": metric.unit,
        "text": metric.text,
        "formula": metric.formula,
        "numerator": metric.numerator,
        "denominator": metric.denominator,
        "empty": metric.empty,
    }
