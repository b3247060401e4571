"""Writes web/src/interface.ts: TypeScript's types of those replies that the pages read.

They are made from the schemas of the OpenAPI document. The package openapi-typescript does the
same, but needs the compiler's interface of TypeScript 5 (decision 0059).
"""

import json
import re
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

Schema = Mapping[str, Any]

READ_BY_PAGES = (
    "Catalogue",
    "Reply",
    "Dimension",
    "Insights",
    "Drivers",
    "Comments",
    "Words",
    "Survey",
    "Accepted",
    "Problem",
)

_HEAD = """// What the API replies, written from docs/openapi.json by `make docs`; do not edit.
"""
_PLAIN = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}
_MOST_COLUMNS = 100


def reply_types(document: Schema) -> str:
    """The TypeScript of the schemas that pages read, each as an interface or a type."""
    schemas = document["components"]["schemas"]
    found = [_declared(name, schemas[name]) for name in sorted(_needed(schemas))]
    return "\n".join([_HEAD, *found])


def _needed(schemas: Mapping[str, Schema]) -> set[str]:
    """The names of the schemas that pages read, and of all that these refer to."""
    needed: set[str] = set()
    waiting = list(READ_BY_PAGES)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += re.findall(r"#/components/schemas/(\w+)", json.dumps(schemas[name]))
    return needed


def _declared(name: str, schema: Schema) -> str:
    """The declaration of one schema."""
    comment = "".join(_comment(schema, ""))
    if "properties" in schema:
        return f"{comment}export interface {name} {_object(schema, '')}\n"
    return f"{comment}export type {name} = {_type(schema, '')};\n"


def _type(schema: Schema, indent: str) -> str:
    """The type of a value of the schema. Its lines after the first begin with `indent`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema or "enum" in schema:
        values = schema.get("enum") or [schema["const"]]
        return " | ".join(json.dumps(value) for value in values)
    kinds = schema["type"]
    each = [kinds] if isinstance(kinds, str) else kinds
    return " | ".join(_of_kind(kind, schema, indent) for kind in each)


def _of_kind(kind: str, schema: Schema, indent: str) -> str:
    """The type of a value of the schema that is of the JSON type `kind`."""
    if kind == "array":
        item = _type(schema["items"], indent)
        if "minItems" in schema and schema["minItems"] == schema.get("maxItems"):
            return f"readonly [{', '.join([item] * schema['minItems'])}]"
        is_union = " | " in item.splitlines()[-1]
        return f"readonly ({item})[]" if is_union else f"readonly {item}[]"
    if kind != "object":
        return _PLAIN[kind]
    if "properties" in schema:
        return _object(schema, indent)
    values = schema.get("additionalProperties")
    return f"Readonly<Record<string, {_type(values, indent) if values else 'unknown'}>>"


def _object(schema: Schema, indent: str) -> str:
    """The type of an object, a line for each member."""
    inner = f"{indent}  "
    lines: list[str] = []
    for name, member in schema["properties"].items():
        mark = "" if name in schema.get("required", ()) else "?"
        lines += _comment(member, inner)
        lines.append(f"{inner}readonly {name}{mark}: {_type(member, inner)};\n")
    return f"{{\n{''.join(lines)}{indent}}}"


def _comment(schema: Schema, indent: str) -> Iterator[str]:
    """The description as a comment, on as many lines as it needs."""
    if text := schema.get("description"):
        room = _MOST_COLUMNS - len(indent) - len("/**  */")
        if len(text) <= room:
            yield f"{indent}/** {text} */\n"
        else:
            yield f"{indent}/**\n"
            yield from (f"{indent} * {line}\n" for line in wrap(text, room))
            yield f"{indent} */\n"
