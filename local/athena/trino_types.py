"""Trino's types in the portable subset.

They are read from Glue's column types, and the compiler uses them. From them follow DuckDB's names
of types, Athena's ColumnInfo and Trino's rules of coercion.
"""

import re
from dataclasses import dataclass

MAX_PRECISION = 38


@dataclass(frozen=True, slots=True)
class TrinoType:
    """One type. `parts` is an array's element, or a map's key and value."""

    name: str
    precision: int = 0
    scale: int = 0
    parts: tuple["TrinoType", ...] = ()

    def __str__(self) -> str:
        if self.name == "decimal":
            return f"decimal({self.precision},{self.scale})"
        if self.parts:
            return f"{self.name}({', '.join(map(str, self.parts))})"
        return self.name


BOOLEAN = TrinoType("boolean")
INTEGER = TrinoType("integer")
BIGINT = TrinoType("bigint")
DOUBLE = TrinoType("double")
VARCHAR = TrinoType("varchar")
DATE = TrinoType("date")
NULL = TrinoType("unknown")
"""The type of a literal NULL; it takes the type of what it is combined with."""
ANY = TrinoType("any")
"""The type of check_portable's columns and parameters, whose types are not known."""


def decimal(precision: int, scale: int) -> TrinoType:
    """The type decimal(precision,scale)."""
    return TrinoType("decimal", precision, scale)


_INTEGERS = {INTEGER: decimal(10, 0), BIGINT: decimal(19, 0)}
_SCALARS = {t.name: t for t in (BOOLEAN, INTEGER, BIGINT, DOUBLE, VARCHAR, DATE)}
_GLUE_NAMES = {"string": "varchar", "int": "integer"}
_COLUMN_INFO_PRECISION = {"integer": 10, "bigint": 19, "double": 17, "varchar": 2147483647}


def is_integer(t: TrinoType) -> bool:
    """Whether the type is integer or bigint."""
    return t in _INTEGERS


def is_decimal(t: TrinoType) -> bool:
    """Whether the type is a decimal of any precision."""
    return t.name == "decimal"


def is_numeric(t: TrinoType) -> bool:
    """Whether the type is one that can be computed with: an integer, a decimal or a double."""
    return is_integer(t) or is_decimal(t) or t == DOUBLE


def is_open(t: TrinoType) -> bool:
    """Whether the type is NULL or ANY, which fit everywhere."""
    return t in (NULL, ANY)


def is_supported(t: TrinoType) -> bool:
    """Whether the subset has operations on the type; it has none on timestamps and structs."""
    if t.parts:
        return all(is_supported(part) for part in t.parts)
    return t.name in _SCALARS or is_decimal(t) or is_open(t)


def scalar(name: str) -> TrinoType | None:
    """The type of that name, without decimals; None if it is not in the subset."""
    return _SCALARS.get(name)


def from_glue(text: str) -> TrinoType:
    """The type of a Glue column. A type outside of the subset has its name and is unsupported."""
    text = text.strip().lower()
    if match := re.fullmatch(r"decimal\((\d+),\s*(\d+)\)", text):
        return decimal(int(match[1]), int(match[2]))
    if match := re.fullmatch(r"(array|map)<(.*)>", text):
        return TrinoType(match[1], parts=tuple(from_glue(p) for p in _split_top(match[2])))
    if re.fullmatch(r"varchar\(\d+\)", text):
        return VARCHAR
    name = _GLUE_NAMES.get(text, text)
    return _SCALARS.get(name) or TrinoType(name)


def from_trino(text: str) -> TrinoType:
    """The type of a result's column in Trino. Others have their name and are unsupported."""
    if match := re.fullmatch(r"decimal\((\d+),\s*(\d+)\)", text):
        return decimal(int(match[1]), int(match[2]))
    if match := re.fullmatch(r"(array|map)\((.*)\)", text):
        return TrinoType(match[1], parts=tuple(from_trino(p.strip()) for p in _split_top(match[2])))
    name = text.partition("(")[0]
    return NULL if name == "unknown" else _SCALARS.get(name) or TrinoType(name)


def _split_top(text: str) -> list[str]:
    """The text split at its commas outside of brackets."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "<(") - (char in ">)")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def to_duckdb(t: TrinoType) -> str:
    """DuckDB's name of the type."""
    if is_decimal(t):
        return f"DECIMAL({t.precision},{t.scale})"
    if t.name == "array":
        return f"{to_duckdb(t.parts[0])}[]"
    if t.name == "map":
        return f"MAP({to_duckdb(t.parts[0])}, {to_duckdb(t.parts[1])})"
    return t.name.upper()


def of_number(text: str) -> TrinoType:
    """The type of a number: 7 integer, 3000000000 bigint, 1.50 decimal(3,2), 1e0 double."""
    if "e" in text.lower():
        return DOUBLE
    whole, point, fraction = text.partition(".")
    if not point:
        return INTEGER if int(text) < 2**31 else BIGINT
    return decimal(max(1, len(whole.lstrip("0")) + len(fraction)), len(fraction))


def common(left: TrinoType, right: TrinoType) -> TrinoType | None:
    """The type to which Trino casts both for a comparison, a CASE or a UNION; None if it refuses.

    Text has no common type with numbers or dates: Trino fails with TYPE_MISMATCH.
    """
    if left == right or right == NULL:
        return left
    if left == NULL:
        return right
    if ANY in (left, right):
        return ANY
    if not (is_numeric(left) and is_numeric(right)):
        return None
    if DOUBLE in (left, right):
        return DOUBLE
    if is_integer(left) and is_integer(right):
        return BIGINT
    a, b = as_decimal(left), as_decimal(right)
    scale = max(a.scale, b.scale)
    return decimal(max(a.precision - a.scale, b.precision - b.scale) + scale, scale)


def as_decimal(t: TrinoType) -> TrinoType:
    """The decimal that holds every value of an integer type; a decimal is itself."""
    return _INTEGERS.get(t, t)


def column_info(name: str, t: TrinoType) -> dict[str, object]:
    """The column as GetQueryResults describes it."""
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": t.name,
        "Precision": t.precision or _COLUMN_INFO_PRECISION.get(t.name, 0),
        "Scale": t.scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": t == VARCHAR,
    }
