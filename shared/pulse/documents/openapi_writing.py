"""The routes that pages and senders use, in the OpenAPI document: events, surveys, exports.

Tests hold the declarations against what ingest and export_rows themselves take and answer.
"""

from itertools import chain
from typing import Any

from pulse import days
from pulse.documents.openapi_events import SCHEMAS as EVENTS
from pulse.documents.openapi_replies import DATE, ref
from pulse.export_orders import FILTERS, FORMATS, MOST_DAYS, MOST_ORDERS, STREAMS
from pulse.ingest.fields import ID_PATTERN
from pulse.ingest.routes import BATCH_ITEMS
from pulse.ingest.translations import translation
from pulse.serve.query import SEPARATORS
from pulse.streams.responses import METRICS
from pulse.tenants.surveys import STYLES, TRIGGERS

Schema = dict[str, Any]

_MOMENT: Schema = {"type": "string", "format": "date-time"}


_FAULTS: Schema = {
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
}
_ACCEPTED: Schema = {
    "type": "object",
    "required": ["accepted", "rejected", "ids"],
    "properties": {
        "accepted": {"type": "integer", "minimum": 0},
        "rejected": _FAULTS,
        "ids": {
            "type": "array",
            "description": "Aligned with the input; null = rejected.",
            "items": {"type": ["string", "null"]},
        },
        "answered_at": {
            "type": "array",
            "description": "Only where a response came with age_ms: when each such one was given, "
            "aligned with the input; null for the others.",
            "items": {"type": ["string", "null"], "format": "date-time"},
        },
        "warnings": _FAULTS
        | {
            "description": "Only where something was left out of what was accepted: "
            "agent_not_signed, an agent that no link had signed; country_unknown, a code of no "
            "country. Or where it was changed: country_renamed, UK to GB."
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
        "ends",
        "thanks",
        "language",
        "direction",
        "words",
        "display",
        "asked_by",
        "served_at",
        "fresh_s",
        "back_s",
    ],
    "properties": {
        "id": {"type": "string"},
        "question": {"type": "string"},
        "style": {"enum": list(STYLES)},
        "metric": {"enum": list(METRICS)},
        "scale": {
            "type": "object",
            "required": ["min", "max", "lower_is_better"],
            "properties": {
                "min": {"type": "integer"},
                "max": {"type": "integer"},
                "lower_is_better": {"type": "boolean"},
            },
        },
        "labels": {
            "type": "array",
            "description": "Names of the scores from the lowest on, or empty.",
            "items": {"type": "string"},
        },
        "ends": {
            "type": "array",
            "description": "What the lowest and the highest score mean.",
            "items": {"type": "string"},
            "minItems": 2,
            "maxItems": 2,
        },
        "thanks": {"type": "string"},
        "language": {"type": "string"},
        "direction": {"enum": ["ltr", "rtl"]},
        "words": {
            "type": "object",
            "description": "What a page's own buttons and messages say.",
            "required": list(translation("en")),
            "properties": {name: {"type": "string"} for name in translation("en")},
        },
        "display": {
            "type": "object",
            "description": "When the widget shows it by itself, to how many in a hundred "
            "visitors, and after how many days to the same visitor again.",
            "required": ["trigger", "delay", "event", "sample_pct", "again_days"],
            "properties": {
                "trigger": {"enum": list(TRIGGERS)},
                "delay": {"type": "integer", "description": "Seconds."},
                "event": {"type": ["string", "null"]},
                "sample_pct": {"type": "integer"},
                "again_days": {"type": "integer"},
            },
        },
        "asked_by": {
            "type": "object",
            "description": "Who asks, as the tenant shows itself to anybody.",
            "required": ["name", "logo_url", "privacy_url"],
            "properties": {
                "name": {"type": ["string", "null"]},
                "logo_url": {"type": ["string", "null"], "format": "uri"},
                "privacy_url": {"type": ["string", "null"], "format": "uri"},
            },
        },
        "served_at": {
            "type": "string",
            "format": "date-time",
            "description": "When this was said: by it a page sees how wrong a visitor's clock is.",
        },
        "fresh_s": {
            "type": "integer",
            "description": "For how many seconds a cache may have kept this since served_at.",
        },
        "back_s": {
            "type": "integer",
            "description": "For how many seconds after it was given an answer is taken.",
        },
    },
}

_EXPORTED_BY = {
    name: [stream for stream in STREAMS if name in FILTERS[stream]]
    for name in dict.fromkeys(chain.from_iterable(FILTERS.values()))
}
"""Each filter of an export, with the streams that have it."""
_EXPORT_FILTER: Schema = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
}
_EXPORT_REQUEST: Schema = {
    "type": "object",
    "required": ["stream"],
    "additionalProperties": {
        **_EXPORT_FILTER,
        "description": "A filter of responses by a dimension of the tenant's own, named by its "
        "key.",
    },
    "properties": {
        "stream": {"enum": list(STREAMS)},
        "preset": {
            "enum": list(days.PRESETS),
            "description": "A named range of the tenant's days, or else start_date and end_date.",
        },
        "start_date": DATE,
        "end_date": DATE | {"description": f"Inclusive; at most {MOST_DAYS} days in all."},
        "format": {"enum": list(FORMATS), "default": "csv"},
        "excel": {
            "type": ["boolean", "string"],
            "default": False,
            "description": "true: CSV begins with a byte order mark.",
        },
        "separator": {
            "enum": list(SEPARATORS),
            "default": SEPARATORS[0],
            "description": "semicolon: CSV has commas as decimal marks.",
        },
        **{
            name: {
                **_EXPORT_FILTER,
                "description": f"A filter of {' and '.join(streams)} as in a report's query: "
                "commas separate values (%2C is one within a value), a leading ! negates, (none) "
                "is not given. A plus is itself. In a list each text is one value as it stands.",
            }
            for name, streams in _EXPORTED_BY.items()
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
        "state": {
            "enum": ["waiting", "running", "done", "failed"],
            "description": "waiting: exports of the tenant that were ordered before come first.",
        },
        "reason": {"type": ["string", "null"], "description": "Why it failed."},
        "stream": {"enum": list(STREAMS)},
        "start_date": DATE,
        "end_date": DATE,
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
    **EVENTS,
    "Accepted": _ACCEPTED,
    "Survey": _SURVEY,
    "ExportRequest": _EXPORT_REQUEST,
    "Export": _EXPORT,
}

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Stands for response_id; in a batch for KEY:index.",
    "schema": {"type": "string", "pattern": f"^{ID_PATTERN}$"},
}
_WITH_PUBLISHABLE_KEY: list[dict[str, list[str]]] = [
    {"bearer": []},
    {"apiKey": []},
    {"queryKey": []},
]
_WRITING_PROBLEMS = [400, 401, 403, 413, 415, 422, 429, 500, 503]


def _writing(name: str, summary: str, schema: Schema, *media: str) -> dict[str, Any]:
    """An operation that takes events of the schema, in a body of one of these media types."""
    content = {kind: {"schema": schema} for kind in media}
    return {
        "operationId": name,
        "summary": summary,
        "requestBody": {"required": True, "content": content},
        "responses": {
            "202": {
                "description": "Durable: stored in a place that survives any process.",
                "content": {"application/json": {"schema": ref("Accepted")}},
            }
        },
        "x-problems": _WRITING_PROBLEMS,
    }


def _one_or_many(name: str, what: str, item: str) -> dict[str, Any]:
    """An operation that takes one event or a batch of them."""
    either = {"anyOf": [ref(item), ref(f"{item}Batch")]}
    summary = f"One {what} or at most {BATCH_ITEMS}, 256 KiB in all; a secret key."
    return _writing(name, summary, either, "application/json")


PATHS: dict[str, dict[str, Any]] = {
    "/v1/responses": {
        "post": _writing(
            "sendResponse",
            "One response, at most 64 KiB; a publishable or a secret key.",
            ref("Response"),
            "application/json",
            "text/plain",
        )
        | {"parameters": [_IDEMPOTENCY_KEY], "security": _WITH_PUBLISHABLE_KEY}
    },
    "/v1/batch/responses": {
        "post": _writing(
            "sendResponses",
            f"At most {BATCH_ITEMS} responses and 256 KiB; a secret key.",
            ref("ResponseBatch"),
            "application/json",
        )
        | {"parameters": [_IDEMPOTENCY_KEY]}
    },
    "/v1/interactions": {"post": _one_or_many("sendInteractions", "interaction", "Interaction")},
    "/v1/agent-sessions": {"post": _one_or_many("sendSessions", "agent session", "AgentSession")},
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
                    "content": {"application/json": {"schema": ref("Survey")}},
                }
            },
            "x-problems": [400, 401, 403, 404, 429, 500, 503],
        }
    },
    "/v1/exports": {
        "post": {
            "operationId": "orderExport",
            "summary": "Orders the single rows behind the numbers as one file; a secret key.",
            "description": "Every answer that counts, once, with its comment, or every "
            "interaction, its updates merged, as far as they have arrived when Athena reads: "
            "ordered by day, then by the time of the answer or of entry. Exports of a tenant are "
            f"made one after another; at most {MOST_ORDERS} may wait or be at work, what is more "
            "gets a 429 (too_many_exports).",
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": ref("ExportRequest")}},
            },
            "responses": {
                "202": {
                    "description": "Ordered; Location is where to ask for it.",
                    "headers": {
                        "Location": {"schema": {"type": "string"}},
                        "Retry-After": {"schema": {"type": "integer"}},
                    },
                    "content": {"application/json": {"schema": ref("Export")}},
                }
            },
            "x-problems": [400, 401, 403, 413, 415, 429, 500, 503],
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
                    "content": {"application/json": {"schema": ref("Export")}},
                }
            },
            "x-problems": [401, 403, 404, 429, 500, 503],
        }
    },
}
