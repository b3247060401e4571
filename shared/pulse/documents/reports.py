"""Writes docs/reports.md from the registry of reports.

The page says of each report what it shows, how it can be grouped and filtered, and how each of its
figures is computed.
"""

from collections.abc import Iterable, Iterator, Sequence

from pulse import days
from pulse.reports.declarations import PERIOD, TENANT
from pulse.reports.formulas import FORMULAS
from pulse.reports.registry import FAMILIES, REPORTS, UNITS, Dimension, Family, Metric, Report
from pulse.serve.query import DATE_BASES, DATE_BASIS, DATE_BASIS_TEXT
from pulse.tenants.rules import DEFAULTS

_HEAD = """# Reports

Written from `shared/pulse/reports/` by `make docs`; do not edit. The catalogue that
`GET /v1/reports` serves says the same to programs. [api.md](api.md) shows how to ask.
"""
_SCALES = """A survey has a metric, a scale of whole numbers within 0..10, cut-offs and a direction.
These are the defaults; a rule that differs is part of the scale's name (`1-5:good5`, `1-7:low`
where lower is better), and answers under different rules never share a row. The rule in force
when an answer was given stays with it.
"""
_RANGES = """All are whole days in the tenant's time zone, both ends included. A report without
dates is of `{default}`. Weeks start on Monday unless the tenant's `week_start` says otherwise.
"""
_WITHHELD = """Where a report is grouped or filtered by {persons}, report keys are not told the
scores of fewer answers than the tenant's `min_sample`: they are null, and `withheld` is true. That
keeps a few answers from being read as a judgement of a person. It is no secret: what is withheld
of one group can be worked out from the total and the other groups.
"""
_SYMBOLS = (
    "c_k is how many responses have score k, n their sum. A ratio of nothing is null, never 0."
)


def reports_page() -> str:
    """The text of docs/reports.md."""
    return "\n".join(
        [
            _HEAD,
            *_overview(REPORTS.values()),
            *(line for report in REPORTS.values() for line in _report(report)),
            *(line for family in FAMILIES.values() for line in _dimensions(family)),
            *_metrics(REPORTS.values()),
            *_formulas(),
            *_scales(),
            *_date_ranges(),
        ]
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "–"


def _overview(reports: Iterable[Report]) -> Iterator[str]:
    """The table of all reports."""
    yield from _table(("report", "answers"), ((f"[{r.name}](#{r.name})", r.text) for r in reports))


def _report(report: Report) -> Iterator[str]:
    """The section of one report."""
    yield from (f"## {report.name}", "", f"**{report.title}.** {report.text}", "")
    grouping = _code(report.group_by)
    if report.granularity != "total":
        grouping += f" (granularity `{report.granularity}`)"
    facts = [
        ("family", report.family.name),
        ("default grouping", grouping),
        ("always in the grouping", _code(report.family.required)),
        ("may be grouped by", _code(d.name for d in report.dimensions)),
        ("columns", _code(metric.name for metric in report.metrics)),
    ]
    for name, values in report.fixed.items():
        facts.append((f"only `{name}`", _code(values)))
    for name in report.not_null:
        facts.append((f"only with a `{name}`", "what has none is not in it"))
    for table in report.beside:
        dimensions = _code((PERIOD, TENANT.name, *table.dimensions))
        facts.append((f"figures of {table.name}", f"told by {dimensions} alone; else null"))
    for name, shown in report.always_shown.items():
        facts.append((f"`{name}` always shown", _code(map(str, shown))))
    if report.breakdown:
        names = [d.name for d in report.breakdown.dimensions]
        names += [metric.name for metric in report.breakdown.metrics]
        facts.append(("breakdown", f"{report.breakdown.text} Columns: {_code(names)}"))
    if report.entered_on:
        facts.append((f"`{DATE_BASIS}`", f"{_code(DATE_BASES)}. {DATE_BASIS_TEXT}"))
    if report.linked_by:
        linked = f"in `meta.linked`: those that have a `{report.linked_by}`"
        facts.append(("how many are linked", linked))
    if report.over_all:
        facts.append(("rows with metric `all`", "over the answers of every metric and scale"))
    yield from _table(("", ""), facts)


def _dimensions(family: Family) -> Iterator[str]:
    yield from (f"## Dimensions of the {family.name} family", "")
    yield "Each may be a filter of every report of the family, and most a grouping."
    yield ""
    rows = ((f"`{d.name}`", d.text + _only(family, d.name), _values(d)) for d in family.dimensions)
    yield from _table(("dimension", "what it is", "values"), rows)


def _values(dimension: Dimension) -> str:
    if dimension.values:
        return _code(dimension.values)
    return "days, `YYYY-MM-DD`" if dimension.is_day else "any"


def _only(family: Family, dimension: str) -> str:
    """The reports that have the dimension, as a sentence; empty where all of the family have it."""
    reports = [report for report in REPORTS.values() if report.family == family]
    having = [report.name for report in reports if dimension not in report.excluded]
    return "" if len(having) == len(reports) else f" Of {_code(having)} alone."


def _metrics(reports: Iterable[Report]) -> Iterator[str]:
    yield from ("## Metrics", "")
    found: dict[tuple[str, str | None], Metric] = {
        (metric.name, metric.formula): metric for report in reports for metric in report.metrics
    }
    yield from _table(
        ("metric", "unit", "what it is", "formula", "of nothing"),
        (
            (f"`{m.name}`", m.unit, m.text, _code([m.formula] if m.formula else []), m.empty)
            for m in found.values()
        ),
    )
    yield from _table(("unit", "means"), UNITS.items())
    dimensions = [dimension for family in FAMILIES.values() for dimension in family.dimensions]
    yield _WITHHELD.format(persons=_code(dict.fromkeys(d.name for d in dimensions if d.a_person)))


def _formulas() -> Iterator[str]:
    yield from ("## Formulas", "")
    yield from (_SYMBOLS, "")
    yield from _table(("formula", "is"), ((f"`{name}`", text) for name, text in FORMULAS.items()))


def _scales() -> Iterator[str]:
    yield from ("## Scales and cut-offs", "", _SCALES)
    rows = (
        (r.metric, f"{r.low}-{r.high}", f"{r.good} and above", f"{r.bad} and below")
        for r in DEFAULTS
    )
    yield from _table(("metric", "scale", "good", "bad"), rows)


def _date_ranges() -> Iterator[str]:
    yield from ("## Named date ranges", "", _RANGES.format(default=days.DEFAULT_PRESET))
    yield f"{_code(days.PRESETS)}"
    yield ""
