"""Writes rows as Athena does: as CSV objects, and as pages of GetQueryResults."""

import datetime as dt
import decimal
from collections.abc import Iterable, Mapping, Sequence

from local.athena.queries import Output
from local.athena.trino_types import column_info

PAGE_ROWS = 1000

TextRow = list[str | None]


def text_of(value: object) -> str | None:
    """A value as Athena's CSV and GetQueryResults print it; None for NULL."""
    match value:
        case None:
            return None
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return _java_double(value)
        case decimal.Decimal():
            return format(value, "f")
        case dt.date():
            return value.isoformat()
        case list():
            return f"[{', '.join(_inside(item) for item in value)}]"
        case dict():
            pairs = (f"{text_of(k)}={_inside(v)}" for k, v in value.items())
            return f"{{{', '.join(pairs)}}}"
        case _:
            return str(value)


def _inside(value: object) -> str:
    """A value within a list or a map; NULL is written as null, and an empty text as nothing."""
    text = text_of(value)
    return "null" if text is None else text


def _java_double(value: float) -> str:
    """Java's Double.toString: plain between 10^-3 and 10^7, else 1.5E10."""
    special = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(value))
    if special:
        return special
    sign, digits, exponent = decimal.Decimal(repr(value)).normalize().as_tuple()
    if value == 0:
        return "-0.0" if sign else "0.0"
    assert isinstance(exponent, int)  # noqa: S101 - not special: narrows for the type checker
    text = "".join(map(str, digits))
    point = len(text) + exponent  # the number of digits before the point
    minus = "-" if sign else ""
    if -3 < point <= 7:
        whole, fraction = text[: max(point, 0)].ljust(point, "0"), text[max(point, 0) :]
        return f"{minus}{whole or '0'}.{'0' * -min(point, 0)}{fraction or '0'}"
    return f"{minus}{text[0]}.{text[1:] or '0'}E{point - 1}"


def csv_of(rows: Iterable[TextRow]) -> bytes:
    """The rows as Athena's CSV: every value quoted, NULL an empty field without quotes."""
    lines = (",".join("" if cell is None else _quoted(cell) for cell in row) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def results_page(
    outputs: Sequence[Output], rows: Sequence[TextRow], token: str | None, size: int | None
) -> Mapping[str, object]:
    """The reply of GetQueryResults. The first row of the first page is the header."""
    start = int(token or 0)
    end = start + (size or PAGE_ROWS)
    header: TextRow = [output.name for output in outputs]
    lines = [header, *rows] if outputs else []
    page = [
        {"Data": [{} if cell is None else {"VarCharValue": cell} for cell in line]}
        for line in lines[start:end]
    ]
    columns = [column_info(output.name, output.type) for output in outputs]
    body: dict[str, object] = {
        "UpdateCount": 0,
        "ResultSet": {"Rows": page, "ResultSetMetadata": {"ColumnInfo": columns}},
    }
    return body | ({"NextToken": str(end)} if end < len(lines) else {})
