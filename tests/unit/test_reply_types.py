"""The pages' types say what the schemas say."""

from typing import Any

import pytest

from pulse.documents.reply_types import READ_BY_PAGES, reply_types

TEXT = {"type": "string"}


def written(schema: dict[str, Any]) -> str:
    """The TypeScript of the schema Catalogue, where all others are texts."""
    schemas: dict[str, Any] = {name: TEXT for name in READ_BY_PAGES}
    document = {"components": {"schemas": schemas | {"Catalogue": schema, "Unread": TEXT}}}
    [text] = [block for block in reply_types(document).split("\n\n") if "Catalogue" in block]
    return text.strip()


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer"}, "number"),
        ({"type": ["string", "null"]}, "string | null"),
        ({"enum": ["a", "b"]}, '"a" | "b"'),
        ({"const": "a"}, '"a"'),
        ({"$ref": "#/components/schemas/Reply"}, "Reply"),
        ({"type": "array", "items": {"type": "boolean"}}, "readonly boolean[]"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, 'readonly ("a" | "b")[]'),
        (
            {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2},
            "readonly [string, string]",
        ),
        ({"type": "object"}, "Readonly<Record<string, unknown>>"),
        ({"type": "object", "additionalProperties": TEXT}, "Readonly<Record<string, string>>"),
    ],
    ids=str,
)
def test_a_type_says_what_its_schema_says(schema: dict[str, Any], expected: str) -> None:
    assert written(schema) == f"export type Catalogue = {expected};"


def test_an_object_becomes_an_interface_with_what_may_be_missing_and_comments() -> None:
    schema = {
        "type": "object",
        "description": "What there is.",
        "required": ["all"],
        "properties": {
            "all": {"type": "array", "items": {"type": "object", "properties": {"one": TEXT}}},
            "some": TEXT | {"description": "word " * 30},
        },
    }
    assert written(schema) == "\n".join(
        [
            "/** What there is. */",
            "export interface Catalogue {",
            "  readonly all: readonly {",
            "    readonly one?: string;",
            "  }[];",
            "  /**",
            f"   * {('word ' * 18).strip()}",
            f"   * {('word ' * 12).strip()}",
            "   */",
            "  readonly some?: string;",
            "}",
        ]
    )


def test_what_pages_do_not_read_has_no_type() -> None:
    document = {"components": {"schemas": {name: TEXT for name in (*READ_BY_PAGES, "Unread")}}}
    assert "Unread" not in reply_types(document)


def test_what_it_cannot_say_is_an_error() -> None:
    with pytest.raises(KeyError):
        written({"anyOf": [TEXT, {"type": "integer"}]})
