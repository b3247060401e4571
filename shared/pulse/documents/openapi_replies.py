"""The schemas of replies: of every report, of the catalogue, and of what all replies share."""

from typing import Any, get_args

from pulse import days
from pulse.lake import OTHER, REST
from pulse.reports.adjusting import Differs
from pulse.reports.declarations import PERIOD, TENANT, UNITS, Dimension, Metric, Report, Unit
from pulse.reports.registry import FAMILIES, REPORTS
from pulse.serve.columns import (
    CHANGE,
    CHANGE_UNITS,
    LEVEL,
    NAMED,
    PARTIAL,
    PREVIOUS,
    SIGNIFICANT,
    WITHHELD,
    Kind,
)
from pulse.serve.query import DATE_BASES, DATE_BASIS
from pulse.serve.years import Engine

Schema = dict[str, Any]

DATE: Schema = {"type": "string", "format": "date"}
_AMOUNT = r"^-?\d+\.\d{4}$"
_SCHEMA_OF_UNIT: dict[Unit, Schema] = {
    "count": {"type": "integer", "minimum": 0},
    "percent": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
    "points": {"type": ["number", "null"], "minimum": -100, "maximum": 100},
    "adjusted": {"type": ["number", "null"]},
    "side": {"type": ["string", "null"], "enum": [*get_args(Differs), None]},
    "scale": {"type": ["number", "null"], "minimum": 0, "maximum": 10},
    "ratio": {"type": ["number", "null"], "minimum": 0},
    "seconds": {"type": ["number", "null"], "minimum": 0},
    "time": {"type": ["string", "null"], "pattern": r"^\d{2,}:[0-5]\d:[0-5]\d$"},
    "satisfaction": {"type": ["number", "null"]},
    "money": {
        "type": ["string", "object", "null"],
        "pattern": _AMOUNT,
        "additionalProperties": {"type": "string", "pattern": _AMOUNT},
    },
}


# -- a report's reply


def ref(name: str) -> Schema:
    """A reference to the schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def reply_name(report: Report) -> str:
    """The name of the schema of a report's reply: `GeoReport` for the report `geo`."""
    return "".join(word.capitalize() for word in report.name.split("-")) + "Report"


def _reply_schema(report: Report) -> Schema:
    rows = {"type": "array", "items": _row_schema(report)}
    members: dict[str, Any] = {
        "report": {"const": report.name},
        "rows": rows,
        "totals": {
            **rows,
            "description": f"{_extent(report)}; the other dimensions are null.",
        },
    }
    if report.breakdown:
        names = [dimension.name for dimension in report.breakdown.dimensions]
        names += [metric.name for metric in report.breakdown.metrics]
        members["breakdown"] = {
            "type": "array",
            "description": report.breakdown.text,
            "items": {"type": "object", "required": [*report.family.required, *names]},
        }
    return {
        "type": "object",
        "description": f"{report.title}. {report.text}",
        "allOf": [ref("Reply")],
        "required": list(members),
        "properties": members,
    }


def _extent(report: Report) -> str:
    """Over what each row of the totals is."""
    names = report.family.required
    return f"One row for each {' and '.join(names)}" if names else "One row over everything"


def _row_schema(report: Report) -> Schema:
    """The schema of a row, with every column that a query can make."""
    required = report.family.required
    metrics = {metric.name: _figure_schema(metric) for metric in report.metrics}
    changes: Schema = {}
    for metric in report.metrics:
        changes |= _change_schemas(metric)
    return {
        "type": "object",
        "required": [*required, *metrics],
        "properties": {
            PERIOD: {**DATE, "type": ["string", "null"]},
            TENANT.name: {"type": ["string", "null"], "description": TENANT.text},
            **{dimension.name: _label_schema(dimension) for dimension in report.filters},
            **{
                f"{dimension.name}_name": {
                    "type": ["string", "null"],
                    "description": f"With names: what the {dimension.name} is called.",
                }
                for dimension in report.filters
                if dimension.name in NAMED
            },
            **({report.by_count.name: _COUNTED} if report.by_count else {}),
            LEVEL: {
                "type": "integer",
                "minimum": 0,
                "description": "With subtotals: how many of the dimensions asked for it tells"
                + (f", beside {PERIOD}, {' and '.join(required)}" if required else "")
                + "; the others are null.",
            },
            **metrics,
            **changes,
            PARTIAL: {
                "type": ["boolean", "null"],
                "description": f"With {PERIOD}: true where not all days of the period are asked "
                "for, or where it is compared with another number of days; null in a row over all "
                "periods.",
            },
            WITHHELD: {
                "type": "boolean",
                "description": "True where too few answered to show an agent's figures.",
            },
        },
    }


_COUNTED: Schema = {
    "type": ["integer", "null"],
    "minimum": 0,
    "maximum": 10,
    "description": "The score given; every score has its row.",
}


def _label_schema(dimension: Dimension) -> Schema:
    rest = "" if dimension.values else f" {REST} where several groups are told together."
    return {"type": ["string", "null"], "description": f"{dimension.text}{rest}"}


def _figure_schema(metric: Metric) -> Schema:
    schema = {**_SCHEMA_OF_UNIT[metric.unit], "description": metric.text}
    if metric.unit == "count" and metric.withheld:
        schema["type"] = ["integer", "null"]
    if metric.formula:
        schema["x-formula"] = metric.formula
    return schema


_BOUNDS = ("minimum", "maximum")


def _or_null(kind: str | list[str]) -> list[str]:
    return [kind, "null"] if isinstance(kind, str) else kind


def _change_schemas(metric: Metric) -> Schema:
    """The columns that `compare` adds for a metric."""
    schema = _SCHEMA_OF_UNIT[metric.unit]
    nullable = {**schema, "type": _or_null(schema["type"])}
    then = f"{metric.name} of the range compared with."
    schemas: Schema = {f"{metric.name}_{PREVIOUS}": {**nullable, "description": then}}
    if unit := CHANGE_UNITS.get(metric.unit):
        unbounded = {name: value for name, value in nullable.items() if name not in _BOUNDS}
        schemas[f"{metric.name}_{CHANGE}"] = {
            **unbounded,
            "description": f"{metric.name} now less then, in {unit}; null where nothing at all "
            "was counted then.",
        }
    if metric.significant:
        schemas[f"{metric.name}_{SIGNIFICANT}"] = {
            "type": ["boolean", "null"],
            "description": "Does the 95 % interval of the change exclude 0? Null of fewer than "
            "10 answers in either range.",
        }
    return schemas


def _object(properties: Schema, description: str = "", **more: Any) -> Schema:
    """An object that has all of the properties."""
    described = {"description": description} if description else {}
    return {
        "type": "object",
        **described,
        "required": list(properties),
        "properties": properties,
        **more,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_TEXT: Schema = {"type": "string"}
_CELL: Schema = {
    "type": ["string", "number", "boolean", "object", "null"],
    "additionalProperties": _TEXT,
    "description": "A value of a dimension, a figure, or money by currency.",
}
_COLUMN: Schema = {
    "type": "object",
    "required": ["name", "kind"],
    "properties": {
        "name": _TEXT,
        "kind": {"enum": list(get_args(Kind))},
        "unit": {"enum": list(UNITS)},
        "metric": {"type": "string", "description": "Whose change the column tells."},
    },
}
_REPLY: Schema = {
    "type": "object",
    "description": "What replies of all reports have; a report's own schema names its columns.",
    "required": ["report", "meta", "columns", "rows", "totals", "next_cursor"],
    "properties": {
        "report": _TEXT,
        "meta": ref("Meta"),
        "columns": _list(ref("Column")),
        "rows": _list(ref("Row")),
        "totals": _list(ref("Row")),
        "breakdown": _list(ref("Row")),
        "next_cursor": {"type": ["string", "null"]},
    },
}

# -- the catalogue

_CATALOGUE_DIMENSION = _object(
    {
        "name": _TEXT,
        "title": _TEXT,
        "text": _TEXT,
        "values": {
            "type": ["array", "null"],
            "items": _TEXT,
            "description": "All that there are; null where senders may bring any.",
        },
    }
)
_CATALOGUE_METRIC = _object(
    {
        "name": _TEXT,
        "unit": {"enum": list(UNITS)},
        "text": _TEXT,
        "formula": {"type": ["string", "null"]},
        "numerator": {"type": ["string", "null"]},
        "denominator": {"type": ["string", "null"]},
        "empty": {"enum": ["0", "null"], "description": "What it is where nothing was counted."},
    }
)
_BREAKDOWN = _object(
    {
        "text": _TEXT,
        "dimensions": _list(ref("CatalogueDimension")),
        "metrics": _list(ref("CatalogueMetric")),
    }
)
_CATALOGUE_REPORT = _object(
    {
        "name": _TEXT,
        "title": _TEXT,
        "description": _TEXT,
        "family": {"enum": list(FAMILIES)},
        "dimensions": _list(ref("CatalogueDimension")),
        "always_grouped_by": _list(_TEXT),
        "group_by": _list(_TEXT),
        "granularity": {"enum": list(days.GRANULARITIES)},
        "metrics": _list(ref("CatalogueMetric")),
        "filters": _list(_TEXT),
        "fixed_filters": {"type": "object", "additionalProperties": _list(_TEXT)},
        "always_given": _list(_TEXT),
        "always_present": {
            "type": "object",
            "additionalProperties": _list({"type": ["string", "integer"]}),
        },
        "rows_over_all": {"type": "boolean"},
        "date_bases": _list({"enum": list(DATE_BASES)})
        | {"description": "By which days it may count answers (date_basis); empty: by their own."},
        "breakdown": _BREAKDOWN | {"type": ["object", "null"]},
    }
)
_CATALOGUE = _object(
    {
        "reports": _list(ref("CatalogueReport")),
        "parameters": _list(_object({"name": _TEXT, "text": _TEXT})),
        "presets": _list(_TEXT),
        "default_preset": _TEXT,
        "granularities": _list(_TEXT),
        "comparisons": _list(_TEXT),
        "operator_dimensions": _list(ref("CatalogueDimension")),
        "units": {"type": "object", "additionalProperties": _TEXT},
        "not_given": _TEXT,
        "tenant": _object(
            {
                "id": _TEXT,
                "targets": {
                    "type": "object",
                    "description": "By medium and figure, how many in a hundred should be within "
                    "the threshold.",
                    "additionalProperties": {
                        "type": "object",
                        "additionalProperties": {"type": "integer"},
                    },
                },
                "dimensions": _list(_TEXT)
                | {
                    "description": "The keys of tags that it has declared as dimensions: filters "
                    "of reports on surveys, and columns of those that are grouped by them.",
                },
            }
        )
        | {
            "type": ["object", "null"],
            "description": "Whose key asks; null for an operator key.",
        },
        "comments": {"type": "boolean", "description": "May the key read comments?"},
    }
)


# -- what all replies share


def _range_schema(head: Schema, tail: Schema) -> Schema:
    """A range of days: the tenant's own, or, for operator keys, one for each tenant."""
    dates = {"start_date": DATE, "end_date": DATE, **tail}
    each = {TENANT.name: {"type": "string"}, **dates}
    of_each = {"type": "object", "required": list(each), "properties": each}
    return {
        "type": "object",
        "required": list(head),
        "properties": {**head, **dates, "tenants": {"type": "array", "items": of_each}},
        "oneOf": [{"required": list(dates)}, {"required": ["tenants"]}],
    }


_META_SCHEMA: Schema = {
    "type": "object",
    "required": ["date_range", "as_of", "filters", "engine", "formulas", "warnings"],
    "properties": {
        "date_range": _range_schema(
            {"preset": {"type": ["string", "null"]}}, {"timezone": {"type": "string"}}
        ),
        "compare": _range_schema({"with": {"enum": list(days.COMPARISONS)}}, {})
        | {"description": "The range compared with, where one was asked for."},
        "as_of": {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "Everything that was stored before then is in the figures, but for days "
            "that warnings name; of several tenants the earliest. Null until a build was through.",
        },
        "filters": {
            "type": "object",
            "description": 'By dimension {"is": […]} or {"is_not": […]}; null is not given.',
        },
        DATE_BASIS: {
            "enum": list(DATE_BASES),
            "description": "By which of its days an answer counts, in reports that know both.",
        },
        "linked": _object(
            {
                "responses": {"type": "integer", "minimum": 0},
                "of": {"type": "integer", "minimum": 0},
            },
            "How many of the answers that count are linked to an interaction, of how many; in "
            "reports on what customers went through.",
        ),
        "engine": {
            "enum": list(get_args(Engine)),
            "description": "What the figures were read from: objects that were made beforehand, "
            "or what Athena has made of a large tenant's rows for this question. The figures are "
            "the same.",
        },
        "formulas": {
            "type": "array",
            "description": "The versioned formulas of the scores in the reply.",
            "items": {"type": "string"},
        },
        "warnings": {
            "type": "array",
            "description": "What the figures alone would not tell, such as days_failing and "
            "days_waiting: days that are not built; values_folded: values that stand together as "
            f"{OTHER}.",
            "items": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


SCHEMAS: dict[str, Schema] = {
    "Catalogue": _CATALOGUE,
    "CatalogueReport": _CATALOGUE_REPORT,
    "CatalogueDimension": _CATALOGUE_DIMENSION,
    "CatalogueMetric": _CATALOGUE_METRIC,
    "Meta": _META_SCHEMA,
    "Column": _COLUMN,
    "Cell": _CELL,
    "Row": {"type": "object", "additionalProperties": ref("Cell")},
    "Reply": _REPLY,
    **{reply_name(report): _reply_schema(report) for report in REPORTS.values()},
}
