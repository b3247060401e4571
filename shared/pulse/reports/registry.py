"""What may be asked: the closed set of families, their dimensions and metrics, and the reports.

The query parser, the catalogue, the OpenAPI document and the figures themselves are drawn from
here, and nothing else tests on a report's name. A further report is one entry in its family's
module; a further family brings its own table, dimensions and metrics.
"""

from collections.abc import Mapping
from types import MappingProxyType

from pulse.reports import experiences, interactions, surveys
from pulse.reports.declarations import (
    ALL,
    CURRENCY,
    PERIOD,
    TENANT,
    UNITS,
    Dimension,
    Family,
    GroupSums,
    Metric,
    Report,
)
from pulse.reports.experiences import EXPERIENCE
from pulse.reports.interactions import INTERACTION
from pulse.reports.surveys import SURVEY

__all__ = [
    "ALL",
    "CURRENCY",
    "EXPERIENCE",
    "FAMILIES",
    "INTERACTION",
    "PERIOD",
    "REPORTS",
    "SURVEY",
    "TENANT",
    "UNITS",
    "Dimension",
    "Family",
    "GroupSums",
    "Metric",
    "Report",
]

REPORTS: Mapping[str, Report] = MappingProxyType(
    {
        report.name: report
        for report in (*surveys.REPORTS, *interactions.REPORTS, *experiences.REPORTS)
    }
)
"""Every report by its name, in the order of the catalogue."""

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {family.name: family for family in (SURVEY, INTERACTION, EXPERIENCE)}
)
"""Every family by its name, in the same order."""
