"""GET /v1/comments and GET /v1/words in the OpenAPI document."""

from collections.abc import Mapping, Sequence
from typing import Any

from pulse import days
from pulse.comments import contrast
from pulse.documents.openapi_replies import DATE, ref
from pulse.reports.experiences import OF_COMMENTS
from pulse.serve.comments import comments_query

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_PARAMETER_SCHEMAS: dict[str, Schema] = {
    "segment": {"type": "string", "examples": ["bad", "neutral,bad"]},
    "score": {"type": "string", "examples": ["0,1,2"]},
    "q": {"type": "string", "examples": ['app "zu lange" -retoure']},
    "preset": {"type": "string", "enum": list(days.PRESETS), "default": days.DEFAULT_PRESET},
    "start_date": DATE,
    "end_date": DATE,
    "limit": {
        "type": "integer",
        "minimum": 1,
        "maximum": comments_query.MOST_SHOWN,
        "default": comments_query.DEFAULT_SHOWN,
    },
    "order": {
        "type": "string",
        "enum": list(comments_query.ORDERS),
        "default": comments_query.ORDERS[0],
    },
    "cursor": _TEXT,
    "contrast": {
        "type": "string",
        "enum": list(comments_query.CONTRASTS),
        "default": comments_query.CONTRASTS[0],
    },
    "against": {"type": "string", "examples": ["channel=chat"]},
}


def paths(filters: Sequence[Schema]) -> dict[str, dict[str, Any]]:
    """Both paths; `filters` are the parameters of the dimensions that comments have."""
    return {
        "/v1/comments": {
            "get": {
                "operationId": "getComments",
                "summary": "A page of what customers wrote.",
                "description": "For secret keys, and report keys with the right to comments. A "
                "key's own filters are added to those of the query.",
                "parameters": [*_parameters(comments_query.COMMENTS), *filters],
                "responses": {"200": _reply("The comments, a page of them.", "Comments")},
                "x-problems": [400, 401, 403, 409, 414, 422, 429, 500, 503],
            }
        },
        "/v1/words": {
            "get": {
                "operationId": "getWords",
                "summary": "The words and phrases that set two groups of comments apart.",
                "description": "For the keys that may read comments. The comments that are "
                "compared are those that the filters leave.",
                "parameters": [*_parameters(comments_query.WORDS), *filters],
                "responses": {"200": _reply("The words of either group.", "Words")},
                "x-problems": [400, 401, 403, 414, 422, 429, 500, 503],
            }
        },
    }


def _parameters(texts: Mapping[str, str]) -> list[Schema]:
    return [
        {"name": name, "in": "query", "description": text, "schema": _PARAMETER_SCHEMAS[name]}
        for name, text in texts.items()
    ]


def _reply(description: str, name: str) -> Schema:
    headers = {"Cache-Control": {"schema": {"type": "string"}}}
    content = {"application/json": {"schema": ref(name)}}
    return {"description": description, "headers": headers, "content": content}


def _object(properties: Schema) -> Schema:
    """An object that has all of the properties."""
    return {"type": "object", "required": list(properties), "properties": properties}


_MAY_LACK: Schema = {"type": ["string", "null"]}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_META = _object(
    {
        "date_range": _object(
            {
                "preset": _MAY_LACK,
                "start_date": DATE,
                "end_date": DATE,
                "timezone": _TEXT,
            }
        ),
        "filters": {"type": "object"},
        "linked": _object(
            {
                "comments": {**_COUNT, "description": "How many are linked to an interaction."},
                "of": {**_COUNT, "description": "How many there are."},
            }
        ),
        "engine": {
            "enum": ["comments", "athena"],
            "description": "What the comments were read from: the objects that hold them, or what "
            "Athena has read of these, where the months have more than a process holds. What is "
            "found is the same.",
        },
        "warnings": {"type": "array", "items": _object({"code": _TEXT, "message": _TEXT})},
    }
)
_EXPERIENCE: Schema = {
    **_object(
        {
            one.name: {
                **(_TEXT if one.name == "media_type" else _MAY_LACK),
                **({"enum": [*one.values, None]} if one.values else {}),
                "description": one.text,
            }
            for one in OF_COMMENTS
        }
    ),
    "type": ["object", "null"],
    "description": "What the customer went through. Null where no interaction is linked.",
}
_COMMENT = _object(
    {
        "answered_at": {"type": "string", "format": "date-time"},
        **dict.fromkeys(("survey", "metric", "scale"), _TEXT),
        "score": {"type": "integer", "minimum": 0, "maximum": 10},
        **dict.fromkeys(("channel", "agent", "country", "browser", "os", "device"), _MAY_LACK),
        "segment": {"enum": list(comments_query.SEGMENTS)},
        "comment": _TEXT,
        "tags": {"type": "object", "additionalProperties": _TEXT},
        "response_id": _TEXT,
        "interaction_id": _MAY_LACK,
        "experience": _EXPERIENCE,
        "withheld": {
            "type": "boolean",
            "description": "True where an agent is not told, because few have written about them.",
        },
    }
)
_WORD = _object(
    {
        "term": _TEXT,
        "first": {**_COUNT, "description": "How many comments of the first group hold it."},
        "second": {**_COUNT, "description": "How many of the second."},
        "log_odds": {"type": "number"},
        "z": {"type": "number", "x-formula": contrast.FORMULA},
        "example": {"type": "string", "description": "The newest comment of its group with it."},
    }
)
_GROUP = _object({"comments": _COUNT, "words": {"type": "array", "items": ref("Word")}})
SCHEMAS: dict[str, Schema] = {
    "CommentsMeta": _META,
    "Comment": _COMMENT,
    "Word": _WORD,
    "Comments": _object(
        {
            "meta": ref("CommentsMeta"),
            "count": {**_COUNT, "description": "How many there are, over all pages."},
            "comments": {
                "type": "array",
                "maxItems": comments_query.MOST_SHOWN,
                "items": ref("Comment"),
            },
            "next_cursor": _MAY_LACK,
        }
    ),
    "Words": _object(
        {
            "meta": ref("CommentsMeta"),
            "contrast": {"enum": list(comments_query.CONTRASTS)},
            "formula": {"const": contrast.FORMULA},
            "before": {
                **_object({"start_date": DATE, "end_date": DATE}),
                "type": ["object", "null"],
                "description": "The days before, where the contrast is period.",
            },
            "first": {**_GROUP, "description": "Bad answers, these days, or those of `against`."},
            "second": {**_GROUP, "description": "Good answers, the days before, or the rest."},
        }
    ),
}
