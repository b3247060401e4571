"""The schemas of events, made from the declarations of their fields (pulse.streams)."""

from collections.abc import Mapping
from typing import Any

from pulse import days
from pulse.ingest.fields import (
    ID_PATTERN,
    MOST_COUNTED,
    TAG_KEY_LIMIT,
    TAG_VALUE_LIMIT,
    TAGS_LIMIT,
)
from pulse.ingest.routes import BATCH_ITEMS
from pulse.streams import INTERACTIONS, RESPONSES, SESSIONS, Stream
from pulse.streams.fields import Kind, Sent
from pulse.streams.sessions import LONGEST_US

Schema = dict[str, Any]

_NUMBER_PATTERN = r"^(-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?)?$"
_AS_WRITTEN = "A number or its text; more decimals are refused, never rounded."
_DECIMAL: Schema = {"type": ["number", "string"], "pattern": _NUMBER_PATTERN}
_AMOUNT_TEXT = "At most four decimals and 14 digits before them; negative: a refund."
_MONEY: Schema = {
    "type": ["object"],
    "required": ["amount", "currency"],
    "additionalProperties": False,
    "properties": {
        "amount": {**_DECIMAL, "description": f"{_AMOUNT_TEXT} {_AS_WRITTEN}", "minLength": 1},
        "currency": {
            "type": "string",
            "pattern": "^[A-Za-z]{3}$",
            "description": "An active code of ISO 4217.",
        },
    },
}
_TAGS: Schema = {
    "type": ["object"],
    "maxProperties": TAGS_LIMIT,
    "propertyNames": {"minLength": 1, "maxLength": TAG_KEY_LIMIT},
    "additionalProperties": {"type": "string", "maxLength": TAG_VALUE_LIMIT},
}
_TEXT: Schema = {"type": ["string"]}
_BOUNDED: tuple[Kind, ...] = ("text", "name", "id", "word", "survey", "user_agent")
_OF_KIND: Mapping[Kind, Schema] = {
    **dict.fromkeys(_BOUNDED, _TEXT),
    "signature": _TEXT,
    "address": _TEXT,
    "response_id": {**_TEXT, "pattern": f"^{ID_PATTERN}$"},
    "country": {**_TEXT, "pattern": "^([A-Za-z]{2})?$"},
    "moment": {**_TEXT, "format": "date-time"},
    "day": {**_TEXT, "format": "date"},
    "boolean": {"type": ["boolean"]},
    "score": {"type": ["integer"], "minimum": 0, "maximum": 10},
    "count": {"type": ["integer"], "minimum": 0, "maximum": MOST_COUNTED},
    "milliseconds": {"type": ["integer"], "minimum": 0, "maximum": 2**53},
    "decimal": _DECIMAL,
    "seconds": {**_DECIMAL, "minimum": 0, "maximum": LONGEST_US // days.SECOND},
    "money": _MONEY,
    "tags": _TAGS,
}
_ALSO_SAID: Mapping[Kind, str] = {
    "decimal": f" {_AS_WRITTEN}",
    "seconds": f" Seconds, at most six decimals. {_AS_WRITTEN}",
}


def _field(sent: Sent) -> Schema:
    """The schema of one field. A field that is not required may also be null."""
    schema = _OF_KIND[sent.kind]
    types = schema["type"] if sent.required else [*schema["type"], "null"]
    found = {**schema, "type": types if len(types) > 1 else types[0]}
    if sent.required and "string" in types and "format" not in schema:
        found["minLength"] = 1
    if sent.kind in _BOUNDED:
        found["maxLength"] = sent.limit
    if sent.default is not None:
        found["default"] = sent.default
    return found | {"description": f"{sent.text}{_ALSO_SAID.get(sent.kind, '')}"}


def _event(stream: Stream) -> Schema:
    """The schema of one event of a stream."""
    description = {"description": stream.text} if stream.text else {}
    return {
        "type": "object",
        **description,
        "required": [name for name, sent in stream.sent.items() if sent.required],
        "additionalProperties": False,
        "properties": {name: _field(sent) for name, sent in stream.sent.items()},
    }


def _batch(stream: Stream, event: str) -> Schema:
    """The schema of a request with many events, each of the schema that is called `event`."""
    item = {"$ref": f"#/components/schemas/{event}"}
    return {
        "type": "object",
        "required": [stream.name],
        "additionalProperties": False,
        "properties": {stream.name: {"type": "array", "maxItems": BATCH_ITEMS, "items": item}},
    }


_NAMES = {"Response": RESPONSES, "Interaction": INTERACTIONS, "AgentSession": SESSIONS}

SCHEMAS: dict[str, Schema] = {
    schema_name: schema
    for name, stream in _NAMES.items()
    for schema_name, schema in ((name, _event(stream)), (f"{name}Batch", _batch(stream, name)))
}
