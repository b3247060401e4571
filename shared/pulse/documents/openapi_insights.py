"""GET /v1/insights and GET /v1/insights/drivers in the OpenAPI document."""

from collections.abc import Mapping, Sequence
from typing import Any

from pulse import days
from pulse.documents.openapi_replies import DATE, ref
from pulse.reports import driving, moving, worst_run
from pulse.reports.surveys import HEADLINES, SEGMENT_NAMES
from pulse.serve.insights import insights_query
from pulse.serve.insights.language import LANGUAGES

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_PARAMETER_SCHEMAS: dict[str, Schema] = {
    "preset": {"type": "string", "enum": list(days.PRESETS), "default": days.DEFAULT_PRESET},
    "start_date": DATE,
    "end_date": DATE,
    "compare": {
        "type": "string",
        "enum": list(insights_query.COMPARISONS),
        "default": insights_query.COMPARISONS[0],
    },
    "lang": {"type": "string", "examples": [*LANGUAGES, "de-AT"], "default": LANGUAGES[0]},
}


_TAGS = (
    "The keys of tags that a tenant has declared as dimensions are filters too, and are looked at "
    "beside the others."
)


def paths(parameters: Sequence[Schema], headers: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Both paths; `parameters` are those of the tenant, the filters and the ETag."""
    return {
        "/v1/insights": {
            "get": _operation(
                "getInsights",
                "What happened in some days, as data and as sentences.",
                "The headlines, the worst run of days, what moved the first headline, and what "
                "the worst days cost.",
                [*_own(insights_query.PARAMETERS), *parameters],
                _reply("What happened.", "Insights", headers),
            )
        },
        "/v1/insights/drivers": {
            "get": _operation(
                "getDrivers",
                "What goes with a score: how much of its spread each dimension explains.",
                "Of the metric and scale with the most answers that the filters leave. A dimension "
                "that goes with a score need not be the reason. What customers went through is "
                "told of answers alone that are linked to their interaction.",
                [*_own(insights_query.DRIVERS), *parameters],
                _reply("What goes with the score.", "Drivers", headers),
            )
        },
    }


def _operation(
    name: str, summary: str, text: str, parameters: Sequence[Schema], replies: Schema
) -> Schema:
    return {
        "operationId": name,
        "summary": summary,
        "description": f"{text} {_TAGS} For secret, report and operator keys.",
        "parameters": list(parameters),
        "responses": replies,
        "x-problems": [400, 401, 403, 404, 414, 422, 429, 500, 503],
    }


def _own(parameters: Mapping[str, str]) -> list[Schema]:
    """The parameters that these routes alone have, from their texts by name."""
    return [
        {"name": name, "in": "query", "description": text, "schema": _PARAMETER_SCHEMAS[name]}
        for name, text in parameters.items()
    ]


def _reply(description: str, name: str, headers: Mapping[str, Any]) -> Schema:
    content = {"application/json": {"schema": ref(name)}}
    return {
        "200": {"description": description, "headers": dict(headers), "content": content},
        "304": {"description": "The caller has it already.", "headers": dict(headers)},
    }


def _object(properties: Schema, description: str = "") -> Schema:
    """An object that has all of the properties."""
    described = {"description": description} if description else {}
    return {"type": "object", **described, "required": list(properties), "properties": properties}


def _or_null(schema: Schema) -> Schema:
    """The schema of a value that may also be null; `schema` has a single type."""
    return {**schema, "type": [schema["type"], "null"]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_COUNT: Schema = {"type": "integer", "minimum": 0}
_NUMBER: Schema = {"type": "number"}
_MAY_LACK: Schema = {"type": ["number", "null"]}
_MEASURE: Schema = {"metric": {"enum": list(HEADLINES)}, "scale": _TEXT}
_DIMENSION: Schema = {
    "type": "string",
    "description": f"{', '.join(insights_query.MOVED_BY)}, or one that the tenant has declared "
    "itself.",
}
_PLACE = _object(
    {
        "dimension": _DIMENSION,
        "value": {"type": ["string", "null"]},
        "name": {"type": "string", "description": "What the value is called in `language`."},
    },
    "A value of a dimension; null is not given.",
)
_SIDES: Schema = {
    f"{name}{when}": _COUNT if name == "responses" else _MAY_LACK
    for when in ("", "_previous")
    for name in ("responses", "score", "ci_low", "ci_high")
}
_GROUP: Schema = {
    **_PLACE["properties"],
    "points": {
        **_MAY_LACK,
        "description": "Its contribution to the change.",
        "x-formula": moving.FORMULA,
    },
    **_SIDES,
}
_CONTACTS = _object(
    {
        "entered": _COUNT,
        "entered_previous": _COUNT,
        "accept_service_level_pct": _NUMBER,
        "accept_service_level_pct_previous": _NUMBER,
    }
)
_COST = _object(
    {
        "responses": _COUNT,
        "responses_previous": _COUNT,
        "bad": {"enum": [names["bad"] for names in SEGMENT_NAMES.values()]},
        "bad_responses": _or_null(_COUNT),
        "bad_responses_previous": _or_null(_COUNT),
        "contacts": _or_null(_CONTACTS),
        "revenue": _list(_object(dict.fromkeys(("currency", "revenue", "revenue_change"), _TEXT))),
    }
)
_TOP = _object(
    {
        **_GROUP,
        "share_of_change_pct": _NUMBER,
        "within": _or_null(_PLACE),
    }
)
_WORST = _object(
    {
        **_MEASURE,
        "start_date": DATE,
        "end_date": DATE,
        "days": _COUNT,
        "responses": _COUNT,
        "score": _NUMBER,
        "responses_others": _COUNT,
        "score_others": {**_NUMBER, "description": "Of all other days."},
        "z": {**_NUMBER, "x-formula": worst_run.FORMULA},
        "points": {**_NUMBER, "description": "What it cost the score of all days."},
        "top_contributor": {**_or_null(_TOP), "x-formula": moving.TOP_FORMULA},
        "cost": {**_or_null(_COST), "description": "Beside as many days before."},
    }
)
_MOVER = _object(
    {
        **_GROUP,
        "significant": {
            "type": "boolean",
            "description": "Has its own score changed by more than chance explains, all groups "
            "considered?",
        },
        "within": {
            **_list(ref("Place")),
            "description": "Groups that are nearly all its answers, by other names.",
        },
    }
)
_MOVERS = _object(
    {
        **_MEASURE,
        "change": {**_NUMBER, "description": "Of the whole, in points."},
        "groups": {**_COUNT, "description": "How many were compared."},
        "rows": _list(ref("Mover")),
    }
)
_PHRASE = _object(
    {
        "text": _TEXT,
        "report": {"type": ["string", "null"], "description": "The report that proves it."},
        "query": {"type": ["string", "null"], "description": "The query of that report."},
    }
)
_PART = _object(
    {
        "value": {"type": ["string", "null"]},
        "name": {"type": "string", "description": "What the value is called in `language`."},
        "responses": _COUNT,
        "score": _MAY_LACK,
        "difference": {**_MAY_LACK, "description": "Its score less the rest's, in points."},
        "ci_low": {**_MAY_LACK, "description": "Lower end of the difference's 95 % interval."},
        "ci_high": {**_MAY_LACK, "description": "Upper end of it."},
        "points": {
            **_MAY_LACK,
            "description": "What the whole would lose if the group scored like the rest.",
        },
        "adjusted_difference": {**_MAY_LACK, "x-formula": driving.DIFFERENCE_FORMULA},
        "withheld": {
            "type": "boolean",
            "description": "True where too few answered to show an agent's figures.",
        },
    }
)
_DRIVER = _object(
    {
        "dimension": _DIMENSION,
        "responses": _COUNT,
        "explains_pct": {"type": "number", "minimum": 0, "maximum": 100}
        | {"x-formula": driving.FORMULA},
        "statistic": {**_NUMBER, "description": "chi², one degree of freedom less than groups."},
        "p": {"type": "number", "minimum": 0, "maximum": 1},
        "significant": {
            "type": "boolean",
            "description": "Is it more than chance explains, all dimensions considered?",
        },
        "adjusted_for": {
            **_list(_TEXT),
            "description": "The dimensions whose combinations are the strata.",
        },
        "groups": _COUNT,
        "rows": _list(ref("DriverGroup")),
    }
)
SCHEMAS: dict[str, Schema] = {
    "DriverGroup": _PART,
    "Driver": _DRIVER,
    "Drivers": _object(
        {
            "meta": ref("Meta"),
            "language": {"enum": list(LANGUAGES)},
            "headline": {
                "type": ["object", "null"],
                "additionalProperties": ref("Cell"),
                "description": "The total in the report daily of what is looked at.",
            },
            "drivers": _list(ref("Driver")),
        }
    ),
    "Place": _PLACE,
    "Mover": _MOVER,
    "Phrase": _PHRASE,
    "Sentence": _object({"text": _TEXT, "phrases": _list(ref("Phrase"))}),
    "Insights": _object(
        {
            "meta": ref("Meta"),
            "headlines": {
                **_list(ref("Row")),
                "description": "Totals of the report daily, each with `surveys`, how many it is "
                "of. First the one with the worst days, then what changed for certain.",
            },
            "worst": _or_null(_WORST),
            "movers": _or_null(_MOVERS),
            "language": {"enum": list(LANGUAGES)},
            "sentences": _list(ref("Sentence")),
        }
    ),
}
