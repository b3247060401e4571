"""What is posted, declared for the OpenAPI document: responses to ingest, orders of exports.

The declarations are data: ingest is another function, and neither imports the other. Tests hold
them against what ingest and export_rows themselves take and answer.
"""

from typing import Any

from pulse.exports.export import FILTERS, FORMATS, MOST_DAYS, STREAMS
from pulse.lake import CHANNELS
from pulse.tenants.rules import METRICS
from pulse.tenants.surveys import STYLES

Schema = dict[str, Any]

BATCH_ITEMS = 500
_ID_PATTERN = "^[A-Za-z0-9._:-]{1,64}$"
_NAME_LIMIT = 128
_COMMENT_LIMIT = 4_000


def _text(limit: int, description: str) -> Schema:
    return {"type": ["string", "null"], "maxLength": limit, "description": description}


_RESPONSE: Schema = {
    "type": "object",
    "required": ["score"],
    "additionalProperties": False,
    "properties": {
        "survey_id": _text(_NAME_LIMIT, "Required, unless the key is tied to one survey."),
        "score": {
            "type": "integer",
            "minimum": 0,
            "maximum": 10,
            "description": "A whole number within the survey's scale.",
        },
        "response_id": {
            "type": ["string", "null"],
            "pattern": _ID_PATTERN,
            "description": "Sent again with the same answered_at, it replaces what was sent "
            "before. Needs answered_at. One is made and returned where it is missing.",
        },
        "answered_at": {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "Default now; at most 5 minutes ahead, 35 days back with a "
            "publishable key, back to 1990-01-01 with a secret one.",
        },
        "channel": {"enum": [*CHANNELS, None], "default": "external"},
        "agent_id": _text(_NAME_LIMIT, "The agent who is rated."),
        "agent_name": _text(_NAME_LIMIT, "The agent's name, to be shown."),
        "customer_id": _text(_NAME_LIMIT, "Who answered."),
        "interaction_id": _text(_NAME_LIMIT, "What the answer is about."),
        "comment": _text(_COMMENT_LIMIT, "What the customer wrote."),
        "tags": {
            "type": ["object", "null"],
            "maxProperties": 20,
            "propertyNames": {"minLength": 1, "maxLength": 64},
            "additionalProperties": {"type": "string", "maxLength": 128},
        },
        "country": {
            "type": ["string", "null"],
            "pattern": "^([A-Za-z]{2})?$",
            "description": "With a secret key only: the customer's, as the server knows it.",
        },
        "ip": {
            "type": ["string", "null"],
            "description": "With a secret key only: the customer's address. Never stored.",
        },
        "user_agent": _text(4_000, "With a secret key only: the customer's browser."),
    },
}

_ACCEPTED: Schema = {
    "type": "object",
    "required": ["accepted", "rejected", "ids"],
    "properties": {
        "accepted": {"type": "integer", "minimum": 0},
        "rejected": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["index", "field", "code", "message"],
                "properties": {
                    "index": {"type": "integer", "minimum": 0},
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
        "ids": {
            "type": "array",
            "description": "Aligned with the input; null = rejected.",
            "items": {"type": ["string", "null"]},
        },
    },
}

_SURVEY: Schema = {
    "type": "object",
    "required": [
        "id",
        "question",
        "style",
        "metric",
        "scale",
        "labels",
        "thanks",
        "language",
        "direction",
        "display",
    ],
    "properties": {
        "id": {"type": "string"},
        "question": {"type": "string"},
        "style": {"enum": list(STYLES)},
        "metric": {"enum": list(METRICS)},
        "scale": {
            "type": "object",
            "required": ["min", "max"],
            "properties": {"min": {"type": "integer"}, "max": {"type": "integer"}},
        },
        "labels": {
            "type": "array",
            "description": "Names of the scores from the lowest on, or empty.",
            "items": {"type": "string"},
        },
        "thanks": {"type": "string"},
        "language": {"type": "string"},
        "direction": {"enum": ["ltr", "rtl"]},
        "display": {"type": "object", "description": "When to show it; empty: always."},
    },
}

_DAY: Schema = {"type": "string", "format": "date"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_EXPORT_REQUEST: Schema = {
    "type": "object",
    "required": ["stream", "start_date", "end_date"],
    "additionalProperties": False,
    "properties": {
        "stream": {"enum": list(STREAMS)},
        "start_date": _DAY,
        "end_date": _DAY | {"description": f"Inclusive; at most {MOST_DAYS} days in all."},
        "format": {"enum": list(FORMATS), "default": "csv"},
        **{
            name: {
                "type": "string",
                "description": "A filter as in a report's query: commas separate values (%2C is "
                "one within a value), a leading ! negates, (none) is not given. A plus is itself.",
            }
            for name in FILTERS
        },
    },
}
_EXPORT: Schema = {
    "type": "object",
    "required": [
        "id",
        "state",
        "reason",
        "stream",
        "start_date",
        "end_date",
        "filters",
        "format",
        "rows",
        "created_at",
        "finished_at",
        "expires_at",
        "link",
    ],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string"},
        "state": {"enum": ["running", "done", "failed"]},
        "reason": {"type": ["string", "null"], "description": "Why it failed."},
        "stream": {"enum": list(STREAMS)},
        "start_date": _DAY,
        "end_date": _DAY,
        "filters": {
            "type": "object",
            "description": 'By dimension {"is": […]} or {"is_not": […]}; null is not given.',
        },
        "format": {"enum": list(FORMATS)},
        "rows": {"type": ["integer", "null"], "minimum": 0, "description": "Once it is done."},
        "created_at": _MOMENT,
        "finished_at": _MOMENT | {"type": ["string", "null"]},
        "expires_at": _MOMENT | {"description": "When the export is forgotten, a week later."},
        "link": {
            "type": ["string", "null"],
            "format": "uri",
            "description": "Once it is done: downloads the file without a key. Made anew by each "
            "GET, it ends after an hour; earlier where the credentials that signed it do.",
        },
    },
}

SCHEMAS: dict[str, Schema] = {
    "Response": _RESPONSE,
    "ResponseBatch": {
        "type": "object",
        "required": ["responses"],
        "additionalProperties": False,
        "properties": {
            "responses": {
                "type": "array",
                "maxItems": BATCH_ITEMS,
                "items": {"$ref": "#/components/schemas/Response"},
            }
        },
    },
    "Accepted": _ACCEPTED,
    "Survey": _SURVEY,
    "ExportRequest": _EXPORT_REQUEST,
    "Export": _EXPORT,
}

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Stands for response_id; in a batch for KEY:index.",
    "schema": {"type": "string", "pattern": _ID_PATTERN},
}
_WITH_PUBLISHABLE_KEY: list[dict[str, list[str]]] = [
    {"bearer": []},
    {"apiKey": []},
    {"queryKey": []},
]
_WRITING_PROBLEMS = [400, 401, 403, 413, 422, 429, 500, 503]


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _writing(name: str, summary: str, schema: str, *media: str) -> dict[str, Any]:
    body = {"schema": _reference(schema)}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [_IDEMPOTENCY_KEY],
        "requestBody": {"required": True, "content": dict.fromkeys(media, body)},
        "responses": {
            "202": {
                "description": "Durable: stored in a place that survives any process.",
                "content": {"application/json": {"schema": _reference("Accepted")}},
            }
        },
        "x-problems": _WRITING_PROBLEMS,
    }


PATHS: dict[str, dict[str, Any]] = {
    "/v1/responses": {
        "post": _writing(
            "sendResponse",
            "One response, at most 16 KiB; a publishable or a secret key.",
            "Response",
            "application/json",
            "text/plain",
        )
        | {"security": _WITH_PUBLISHABLE_KEY}
    },
    "/v1/batch/responses": {
        "post": _writing(
            "sendResponses",
            f"At most {BATCH_ITEMS} responses and 256 KiB; a secret key.",
            "ResponseBatch",
            "application/json",
        )
    },
    "/v1/surveys/{id}": {
        "get": {
            "operationId": "getSurvey",
            "summary": "What a page needs to ask a survey; a publishable key.",
            "security": _WITH_PUBLISHABLE_KEY,
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                {
                    "name": "lang",
                    "in": "query",
                    "description": "The language wanted; else the nearest that there is.",
                    "schema": {"type": "string"},
                },
            ],
            "responses": {
                "200": {
                    "description": "The survey, cacheable for 5 minutes.",
                    "content": {"application/json": {"schema": _reference("Survey")}},
                }
            },
            "x-problems": [400, 401, 403, 404, 429, 500, 503],
        }
    },
    "/v1/exports": {
        "post": {
            "operationId": "orderExport",
            "summary": "Orders the single rows behind the numbers as one file; a secret key.",
            "description": "Every answer that counts, once, with its comment, as far as it has "
            "arrived when Athena reads: ordered by day, then by the time of the answer.",
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _reference("ExportRequest")}},
            },
            "responses": {
                "202": {
                    "description": "Ordered; Location is where to ask for it.",
                    "headers": {
                        "Location": {"schema": {"type": "string"}},
                        "Retry-After": {"schema": {"type": "integer"}},
                    },
                    "content": {"application/json": {"schema": _reference("Export")}},
                }
            },
            "x-problems": [400, 401, 403, 413, 429, 500, 503],
        }
    },
    "/v1/exports/{id}": {
        "get": {
            "operationId": "getExport",
            "summary": "How an export stands, and a link to its file; a secret key.",
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
            ],
            "responses": {
                "200": {
                    "description": "The export.",
                    "content": {"application/json": {"schema": _reference("Export")}},
                }
            },
            "x-problems": [401, 403, 404, 429, 500, 503],
        }
    },
}
