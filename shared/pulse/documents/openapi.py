"""The OpenAPI 3.1 document of the interface, made from the registry of reports and the streams.

This module declares the operations that read. `openapi_replies` declares the schemas of their
replies, and `openapi_writing` the operations on events, surveys and exports.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pulse import days
from pulse.documents.openapi_comments import SCHEMAS as COMMENT_SCHEMAS
from pulse.documents.openapi_comments import paths as comment_paths
from pulse.documents.openapi_insights import SCHEMAS as INSIGHTS_SCHEMAS
from pulse.documents.openapi_insights import paths as insights_paths
from pulse.documents.openapi_replies import DATE, ref, reply_name
from pulse.documents.openapi_replies import SCHEMAS as REPLY_SCHEMAS
from pulse.documents.openapi_writing import PATHS as WRITING_PATHS
from pulse.documents.openapi_writing import SCHEMAS as WRITING_SCHEMAS
from pulse.encodings import COMPRESS_FROM, GZIP
from pulse.errors import FieldError, RequestError
from pulse.http import PROBLEM
from pulse.lake import NOT_GIVEN, OTHER, REST
from pulse.reports.declarations import TENANT, Dimension
from pulse.reports.registry import FAMILIES, REPORTS
from pulse.serve.comments.comments_query import COMMENTED
from pulse.serve.dimensions import MOST_VALUES
from pulse.serve.dimensions import PARAMETERS as DIMENSION_PARAMETERS
from pulse.serve.query import (
    DATE_BASES,
    DATE_BASIS,
    DATE_BASIS_TEXT,
    DEFAULT_ROWS,
    FORMATS,
    MOST_ROWS,
    MOST_TENANTS,
    PARAMETERS,
    SEPARATORS,
)

Schema = dict[str, Any]

VERSION = "1"

_PROBLEMS = {
    400: "The request cannot be read, or names something that does not exist.",
    401: "No key, or one that is unknown, revoked or expired.",
    403: "A known key that may not do this; or, with code only_through_pages, a request that did "
    "not come by the pages' address, where the API answers at that alone.",
    404: "There is no such path, report, survey or tenant.",
    409: "The rows have changed since the page that the cursor comes from.",
    413: "More bytes or items than a request may hold.",
    414: "The address has more bytes than pass on every way: post the parameters as JSON.",
    415: f"The body is in another coding than {GZIP}; Accept-Encoding names what is read.",
    422: "Readable, but nothing in it can be accepted.",
    429: "More requests than the key or its tenant may send: Retry-After says when to send again. "
    "More than the route takes of all callers: API Gateway's own form, without Retry-After.",
    500: "Something went wrong on our side.",
    503: "Not possible just now; what was to be stored may have been all the same. Send it again: "
    "it counts once, but a response without response_id (or Idempotency-Key) and answered_at may "
    "count twice.",
}


def document() -> dict[str, Any]:
    """The OpenAPI document of the whole interface."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Pulse",
            "version": VERSION,
            "description": "Customer-experience reporting: responses in, reports out. Replies of "
            f"{COMPRESS_FROM} bytes or more come in {GZIP} to who names it in Accept-Encoding, and "
            f"bodies may be sent with Content-Encoding: {GZIP}; limits hold for what it inflates "
            "to.",
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"apiKey": []}],
        "paths": {path: _spelt_out(item) for path, item in _paths().items()},
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
                "queryKey": {
                    "type": "apiKey",
                    "in": "query",
                    "name": "key",
                    "description": "Publishable keys, and feed keys for their report as CSV.",
                },
            },
            "headers": {
                "RequestId": {
                    "schema": {"type": "string"},
                    "description": "Names the request in our logs.",
                }
            },
            "responses": {f"Problem{status}": _problem(status) for status in _PROBLEMS},
            "schemas": {
                "Problem": _PROBLEM_SCHEMA,
                "Dimension": _DIMENSION_SCHEMA,
                **COMMENT_SCHEMAS,
                **INSIGHTS_SCHEMAS,
                "ReportRequest": _request_schema(),
                **REPLY_SCHEMAS,
                **WRITING_SCHEMAS,
            },
        },
    }


def _paths() -> dict[str, dict[str, Any]]:
    return {**WRITING_PATHS, **_reading_paths()}


def _reading_paths() -> dict[str, dict[str, Any]]:
    filters = [_filter(dimension) for dimension in FAMILIES["survey"].dimensions]
    return {
        "/v1/reports": {
            "get": {
                "operationId": "listReports",
                "summary": "Which reports there are, and what may be asked of each.",
                "responses": {"200": _json("The catalogue.", ref("Catalogue"))},
                "x-problems": [401, 403, 429, 500, 503],
            }
        },
        "/v1/reports/{report}": {"get": _report_operation(), "post": _posted_operation()},
        "/v1/dimensions/{name}": {"get": _dimension_operation()},
        **insights_paths([_TENANT_PARAMETER, *filters, _IF_NONE_MATCH], _CACHED),
        **comment_paths([_filter(dimension) for dimension in COMMENTED.dimensions]),
        "/v1/openapi.json": {
            "get": {
                "operationId": "getOpenApi",
                "summary": "This document.",
                "security": [],
                "parameters": [_IF_NONE_MATCH],
                "responses": {
                    "200": _json("The document.", {"type": "object"}) | {"headers": _CACHED},
                    "304": {"description": "The caller has it already."},
                },
                "x-problems": [403, 429, 500],
            }
        },
    }


def _spelt_out(item: dict[str, Any]) -> dict[str, Any]:
    """The operations of one path as the document shows them, with HEAD beside GET."""
    spelt = {method: _operation(operation) for method, operation in item.items()}
    return spelt | ({"head": _head(spelt["get"])} if "get" in spelt else {})


def _head(get: dict[str, Any]) -> dict[str, Any]:
    """The operation of HEAD: that of GET, whose replies have no body here."""
    replies = {status: _resolved(reply) for status, reply in get["responses"].items()}
    return get | {
        "operationId": f"{get['operationId']}Head",
        "summary": "The status and headers of GET, without its body.",
        "responses": {
            status: {name: value for name, value in reply.items() if name != "content"}
            for status, reply in replies.items()
        },
    }


def _resolved(reply: dict[str, Any]) -> dict[str, Any]:
    """The reply; where it refers to the reply of a problem, that one."""
    name = reply.get("$ref", "").rpartition("Problem")[2]
    return _problem(int(name)) if name else reply


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    """The operation with a reply for each status in `x-problems`; every reply has X-Request-Id."""
    request_id = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    plain = {name: value for name, value in operation.items() if name != "x-problems"}
    replies = {
        status: reply | {"headers": request_id | reply.get("headers", {})}
        for status, reply in operation["responses"].items()
    }
    problems = {
        str(status): {"$ref": f"#/components/responses/Problem{status}"}
        for status in operation["x-problems"]
    }
    return plain | {"responses": replies | problems}


def _problem(status: int) -> dict[str, Any]:
    """The reply of an error with that status, and the headers that come with it."""
    headers: dict[str, Any] = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    content: dict[str, Any] = {PROBLEM: {"schema": ref("Problem")}}
    if status == 415:
        headers["Accept-Encoding"] = {"schema": {"type": "string"}}
    if status in (429, 503):
        headers["Retry-After"] = {"schema": {"type": "integer"}}
    if status == 429:
        content["application/json"] = {"schema": _GATEWAYS_OWN}
    return {"description": _PROBLEMS[status], "headers": headers, "content": content}


# -- one report

_OWN = (
    "The keys of tags that a tenant has declared as dimensions (tenant.dimensions of the "
    "catalogue) are parameters too, where answers to surveys are counted: filters like the others."
)


def _report_operation() -> dict[str, Any]:
    return {
        "operationId": "getReport",
        "summary": "One page of a report.",
        "description": "A key's own filters are added to those of the query. A feed key, which "
        "may stand in the query as key, reads its own report as CSV. Of too many groups the "
        f"largest have rows, and those called {REST} are the sums of all others; meta.warnings "
        "says so. 422 for a question whose periods, subtotals or orders make too many rows "
        f"even so. {_OWN}",
        "security": [{"bearer": []}, {"apiKey": []}, {"queryKey": []}],
        "parameters": [
            _REPORT_PARAMETER,
            *_report_parameters(),
            _IF_NONE_MATCH,
        ],
        "responses": {
            "200": _page(_REPORT_HEADERS),
            "304": {"description": "The caller has this reply already."},
        },
        "x-problems": [400, 401, 403, 404, 409, 414, 422, 429, 500, 503],
    }


def _posted_operation() -> dict[str, Any]:
    body = {"application/json": {"schema": ref("ReportRequest")}}
    headers = {name: _REPORT_HEADERS[name] for name in ("Cache-Control", "X-Next-Cursor")}
    return {
        "operationId": "postReport",
        "summary": "One page of a report, for a query that is too long for an address.",
        "description": "The parameters of GET as members of an object, which counts as a read. A "
        "text is written as in a query, but a + is itself; in a list every text is one value as "
        f"it stands. {_OWN}",
        "parameters": [_REPORT_PARAMETER],
        "requestBody": {"required": True, "content": body},
        "responses": {"200": _page(headers)},
        "x-problems": [400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503],
    }


_REPORT_PARAMETER: dict[str, Any] = {
    "name": "report",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "enum": list(REPORTS)},
}


def _page(headers: Mapping[str, Any]) -> dict[str, Any]:
    """The reply with a page of any report."""
    schemas = [ref(reply_name(report)) for report in REPORTS.values()]
    return {
        "description": "The rows that the query asks for, a page of them.",
        "headers": headers,
        "content": {
            "application/json": {"schema": {"oneOf": schemas}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }


def _report_parameters() -> list[dict[str, Any]]:
    """What the query of a report may have."""
    having = ", ".join(report.name for report in REPORTS.values() if report.entered_on)
    return [
        *(_parameter(name, text) for name, text in PARAMETERS.items()),
        _parameter(DATE_BASIS, f"Of {having} alone. {DATE_BASIS_TEXT}"),
        _TENANT_PARAMETER,
        *(_filter(dimension) for dimension in _dimensions()),
    ]


def _request_schema() -> Schema:
    """The body of POST: the parameters of GET, each as a text or as a list of texts."""
    return {
        "type": "object",
        "additionalProperties": {"anyOf": [{"type": "string"}, _TEXTS]},
        "properties": {
            parameter["name"]: {
                "description": parameter["description"],
                "anyOf": [parameter["schema"], {"type": "string"}, _TEXTS],
            }
            for parameter in _report_parameters()
        },
    }


_TEXTS: Schema = {"type": "array", "items": {"type": "string"}, "minItems": 1}


_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of a reply that the caller still has.",
    "schema": {"type": "string"},
}
_CACHED = {
    "ETag": {"schema": {"type": "string"}, "description": "Names this reply, in whichever coding."},
    "Cache-Control": {"schema": {"type": "string"}},
}
_REPORT_HEADERS = {
    **_CACHED,
    "Link": {
        "schema": {"type": "string"},
        "description": 'CSV alone: where there are more rows, rel="next" is the next page.',
    },
    "X-Next-Cursor": {
        "schema": {"type": "string"},
        "description": "CSV alone: where there are more rows, the cursor of the next page.",
    },
}


def _dimensions() -> list[Dimension]:
    """The dimensions of all families, each once. Its text says where families differ about it."""
    found: dict[str, Dimension] = {}
    for family in FAMILIES.values():
        for dimension in family.dimensions:
            known = found.setdefault(dimension.name, dimension)
            if known.text != dimension.text:
                text = f"{known.text} In the {family.name} family: {dimension.text}"
                found[dimension.name] = replace(known, text=text)
    return list(found.values())


_PARAMETER_SCHEMAS: dict[str, Schema] = {
    "family": {"type": "string", "enum": list(FAMILIES)},
    "q": {"type": "string"},
    "preset": {"type": "string", "enum": list(days.PRESETS), "default": days.DEFAULT_PRESET},
    "start_date": DATE,
    "end_date": DATE,
    "granularity": {"type": "string", "enum": list(days.GRANULARITIES)},
    "group_by": {"type": "string", "examples": ["channel,country"]},
    "compare": {"type": "string", "enum": list(days.COMPARISONS)},
    "fill": {"type": "boolean", "default": False},
    "names": {"type": "boolean", "default": False},
    "subtotals": {"type": "boolean", "default": False},
    "order_by": {"type": "string", "examples": ["-responses,country"]},
    "limit": {
        "type": "integer",
        "minimum": 1,
        "maximum": MOST_ROWS,
        "default": DEFAULT_ROWS["json"],
    },
    "cursor": {"type": "string"},
    "format": {"type": "string", "enum": list(FORMATS)},
    "excel": {"type": "boolean", "default": False},
    "separator": {"type": "string", "enum": list(SEPARATORS), "default": SEPARATORS[0]},
    DATE_BASIS: {"type": "string", "enum": list(DATE_BASES), "default": DATE_BASES[0]},
}


def _parameter(name: str, text: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": text, "schema": _PARAMETER_SCHEMAS[name]}


_TENANT_PARAMETER: dict[str, Any] = {
    "name": TENANT.name,
    "in": "query",
    "description": f"For operator keys alone, which need it: the tenants to read, at most "
    f"{MOST_TENANTS}, separated by literal commas. Each one's days are in its own zone.",
    "schema": {"type": "string"},
}


def _filter(dimension: Dimension) -> dict[str, Any]:
    """The parameter that filters by the dimension."""
    values = f" One of {', '.join(dimension.values)}." if dimension.values else ""
    if dimension.is_day:
        values = " Written YYYY-MM-DD."
    return {
        "name": dimension.name,
        "in": "query",
        "description": (
            f"Filter. {dimension.text}{values} Literal commas separate values (%2C within one), "
            f"a leading ! negates them all (%21 is literal), {NOT_GIVEN} is not given."
        ),
        "schema": {"type": "string"},
    }


# -- one dimension


def _dimension_operation() -> dict[str, Any]:
    names = [dimension.name for dimension in _dimensions()]
    reply = _json("The values, those that count most first.", ref("Dimension"))
    return {
        "operationId": "getDimension",
        "summary": "The values that a dimension has, with their counts: what a filter offers.",
        "description": "Asked with the days and filters of the reports beside it. A filter on the "
        f"dimension itself holds too: leave it out to be told the other values. {_OWN}",
        "parameters": [
            {
                "name": "name",
                "in": "path",
                "required": True,
                "description": "The dimension, which may be one of the tenant's own.",
                "schema": {"anyOf": [{"enum": names}, {"type": "string"}]},
            },
            *(_parameter(name, text) for name, text in DIMENSION_PARAMETERS.items()),
            _TENANT_PARAMETER,
            *(_filter(dimension) for dimension in _dimensions()),
            _IF_NONE_MATCH,
        ],
        "responses": {
            "200": reply | {"headers": _CACHED},
            "304": {"description": "The caller has this reply already."},
        },
        "x-problems": [400, 401, 403, 404, 414, 429, 500, 503],
    }


_DIMENSION_SCHEMA: Schema = {
    "type": "object",
    "required": ["dimension", "title", "meta", "values", "truncated"],
    "properties": {
        "dimension": {"type": "string"},
        "title": {"type": "string"},
        "meta": ref("Meta"),
        "values": {
            "type": "array",
            "maxItems": MOST_VALUES,
            "items": {
                "type": "object",
                "required": ["value", "name", "count"],
                "properties": {
                    "value": {
                        "type": ["string", "null"],
                        "description": f"Null where it is not given: {NOT_GIVEN} as a filter. "
                        f"{OTHER} are those that public keys sent beyond the stack's limit.",
                    },
                    "name": {
                        "type": ["string", "null"],
                        "description": "For people: an agent's latest name, a survey's question "
                        "in its default language. Several values may share one.",
                    },
                    "count": {"type": "integer", "minimum": 1},
                },
            },
        },
        "truncated": {
            "type": "boolean",
            "description": "True where there are more than these: ask with q.",
        },
    },
}


# -- schemas that all share


def _json(description: str, schema: Schema) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_PROBLEM_SCHEMA: Schema = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; `errors` name the fields at fault.",
    "required": list(RequestError("code", "detail").problem()),
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": list(FieldError.__dataclass_fields__),
                "properties": {
                    name: {"type": "string"} for name in FieldError.__dataclass_fields__
                },
            },
        },
    },
}
_GATEWAYS_OWN: Schema = {
    "type": "object",
    "required": ["message"],
    "properties": {"message": {"type": "string"}},
}
"""What API Gateway itself replies where more requests come than the route takes."""
