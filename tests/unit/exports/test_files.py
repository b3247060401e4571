"""The file of an export: the same rows in both formats, safe to open, valid without rows."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from pulse import days, lake
from pulse.csv_cells import PLAIN, CsvForm
from pulse.days import DateRange
from pulse.export_orders import FORMATS, ExportRequest
from pulse.exports.files import COLUMNS, FILES, columns_of, in_order, with_own
from pulse.raw.parquet import schema

RESPONSES = COLUMNS["responses"]
DAY = date(2026, 11, 20)
MOMENT = datetime(2026, 11, 20, 14, 3, 0, 123456, UTC)
_LEFT_OUT = ("content_hash", "key_id", "linkable")
SELECTED = {name: kind for name, kind in lake.SCORES.raw_columns.items() if name not in _LEFT_OUT}
ROW: dict[str, Any] = {
    **dict.fromkeys(SELECTED),
    "tenant": "acme",
    "survey": "s",
    "metric": "csat",
    "scale": "1-5",
    "response_id": "r-1",
    "key_kind": "secret",
    "answered_us": days.to_us(MOMENT),
    "received_us": days.to_us(MOMENT) + 876_544,
    "score": 4,
    "channel": "chat",
}


def selected(*rows: dict[str, Any]) -> pa.Table:
    """Rows as the statement of sql/exports unloads them."""
    return pa.Table.from_pylist([ROW | row for row in rows], schema=schema(SELECTED))


def read_csv(path: Path) -> list[dict[str, str]]:
    text = io.StringIO(path.read_bytes().decode(), newline="")
    return list(csv.DictReader(text, strict=True))


def test_csv_holds_times_as_text_and_tags_as_json(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with FILES["csv"](path, RESPONSES, PLAIN) as write_day:
        write_day(DAY, selected({"tags": [("b", "ü"), ("a", '"')], "comment": "Gut,\r\nsehr"}))
    (row,) = read_csv(path)
    assert list(row) == RESPONSES.names
    assert row["day"] == "2026-11-20"
    assert row["answered_at"] == "2026-11-20T14:03:00.123456Z"
    assert row["received_at"] == "2026-11-20T14:03:01Z"
    assert row["tags"] == '{"a": "\\"", "b": "ü"}'
    assert row["comment"] == "Gut,\r\nsehr"
    assert (row["score"], row["agent"], row["country"]) == ("4", "", "")


def test_a_tenants_own_dimensions_are_the_last_columns_by_their_keys(tmp_path: Path) -> None:
    own = {"team": "tag2", "sent_at": "tag1", "survey": "tag3"}
    request = ExportRequest("responses", DateRange(DAY, DAY), {}, "csv", own=own)
    rows = selected({"tag1": "noon", "tag2": "north", "tag4": "nobody's"}, {"tag3": "=1"})
    with FILES["csv"](tmp_path / "csv", columns_of(request), PLAIN) as write_day:
        write_day(DAY, with_own(rows, request))
    names = ["tags.team", "tags.sent_at", "tags.survey"]
    found = read_csv(tmp_path / "csv")
    assert [list(row)[-4:] for row in found] == [["device", *names]] * 2
    assert [[row[name] for name in names] for row in found] == [
        ["north", "noon", ""],
        ["", "", "'=1"],
    ]
    with FILES["parquet"](tmp_path / "parquet", columns_of(request), PLAIN) as write_day:
        write_day(DAY, with_own(rows, request))
    table = parquet.ParquetFile(tmp_path / "parquet").read()
    assert table.select(names).to_pylist() == [
        {"tags.team": "north", "tags.sent_at": "noon", "tags.survey": None},
        {"tags.team": None, "tags.sent_at": None, "tags.survey": "=1"},
    ]


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "\t'=1"),
        ("good;=1", "good;'=1"),
    ],
)
def test_no_cell_of_a_csv_is_a_formula(tmp_path: Path, text: str, guarded: str) -> None:
    path = tmp_path / "file"
    with FILES["csv"](path, RESPONSES, PLAIN) as write_day:
        write_day(DAY, selected({"comment": text, "agent": text}))
    (row,) = read_csv(path)
    assert (row["comment"], row["agent"]) == (guarded, guarded)


def test_parquet_holds_values_as_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with FILES["parquet"](path, RESPONSES, PLAIN) as write_day:
        write_day(DAY, selected({"tags": [("a", "1")], "comment": "=1+1"}))
    table = parquet.ParquetFile(path).read()
    assert table.schema.equals(RESPONSES)
    (row,) = table.to_pylist()
    assert (row["day"], row["answered_at"], row["score"]) == (DAY, MOMENT, 4)
    assert (row["tags"], row["comment"], row["agent"]) == ([("a", "1")], "=1+1", None)


def test_parquet_has_the_lakes_codec(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with FILES["parquet"](path, RESPONSES, PLAIN) as write_day:
        write_day(DAY, selected({}))
    codec = parquet.ParquetFile(path).metadata.row_group(0).column(0).compression
    assert codec.lower() == lake.CODEC


def test_a_file_without_rows_has_its_columns(tmp_path: Path) -> None:
    for kind in FORMATS:
        with FILES[kind](tmp_path / kind, RESPONSES, PLAIN):
            pass
    header = ",".join(f'"{name}"' for name in RESPONSES.names)
    assert (tmp_path / "csv").read_bytes() == header.encode() + b"\r\n"
    empty = parquet.ParquetFile(tmp_path / "parquet").read()
    assert (empty.num_rows, empty.schema.equals(RESPONSES)) == (0, True)


def test_the_order_of_a_day_does_not_depend_on_how_its_rows_came() -> None:
    rows = [
        {"response_id": "b", "answered_us": 1},
        {"response_id": "a", "answered_us": 2},
        {"response_id": "a", "answered_us": 1, "key_kind": "publishable"},
        {"response_id": "a", "answered_us": 1, "survey": "r"},
        {"response_id": "a", "answered_us": 1},
    ]
    names = ("answered_us", "survey", "key_kind", "response_id")
    expected = sorted(tuple((ROW | row)[name] for name in names) for row in rows)
    for table in (selected(*rows), selected(*reversed(rows))):
        found = [
            tuple(row[name] for name in names) for row in in_order("responses", table).to_pylist()
        ]
        assert found == expected


# -- interactions

CALL: dict[str, Any] = {
    **dict.fromkeys(name for name in lake.INTERACTIONS.raw_columns if name not in _LEFT_OUT),
    "tenant": "acme",
    "interaction_id": "i-1",
    "media_type": "voice",
    "entered_us": days.to_us(MOMENT),
    "updated_us": days.to_us(MOMENT),
    "received_us": days.to_us(MOMENT),
}


def calls(*rows: dict[str, Any]) -> pa.Table:
    """Merged interactions as the statement of sql/exports unloads them."""
    columns = {name: lake.INTERACTIONS.raw_columns[name] for name in CALL}
    return pa.Table.from_pylist([CALL | row for row in rows], schema=schema(columns))


SOLD = {
    "accepted_us": days.to_us(MOMENT) + days.SECOND,
    "abandoned": False,
    "satisfaction": Decimal("4.5"),
    "revenue": Decimal("-99999999999999.9999"),
    "currency": "EUR",
    "accept_threshold_us": 20 * days.SECOND,
}


def test_csv_holds_money_to_the_last_place_and_thresholds_in_seconds(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with FILES["csv"](path, COLUMNS["interactions"], PLAIN) as write_day:
        write_day(DAY, calls(SOLD, {"revenue": Decimal(0), "currency": "JPY"}))
    sold, free = read_csv(path)
    assert list(sold) == COLUMNS["interactions"].names
    assert (sold["revenue"], sold["satisfaction"]) == ("-99999999999999.9999", "4.5000")
    assert (sold["accept_threshold_seconds"], sold["abandoned"]) == ("20", "false")
    assert (sold["entered_at"], sold["accepted_at"]) == (
        "2026-11-20T14:03:00.123456Z",
        "2026-11-20T14:03:01.123456Z",
    )
    assert (free["revenue"], free["satisfaction"], free["finished_at"]) == ("0.0000", "", "")
    assert (free["abandoned"], free["finish_threshold_seconds"]) == ("", "")


def test_csv_for_a_european_excel_has_a_mark_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with FILES["csv"](path, COLUMNS["interactions"], CsvForm(True, True)) as write_day:
        write_day(DAY, calls(SOLD))
    text = path.read_bytes().decode("utf-8-sig")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    (sold,) = csv.DictReader(io.StringIO(text, newline=""), delimiter=";", strict=True)
    assert (sold["revenue"], sold["satisfaction"]) == ("-99999999999999,9999", "4,5000")
    assert sold["entered_at"] == "2026-11-20T14:03:00.123456Z"


def test_parquet_holds_money_as_decimals(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with FILES["parquet"](path, COLUMNS["interactions"], PLAIN) as write_day:
        write_day(DAY, calls(SOLD))
    table = parquet.ParquetFile(path).read()
    assert table.schema.equals(COLUMNS["interactions"])
    (row,) = table.to_pylist()
    assert (row["revenue"], row["satisfaction"]) == (SOLD["revenue"], SOLD["satisfaction"])
    assert (row["accept_threshold_seconds"], row["finish_threshold_seconds"]) == (20, None)


def test_every_column_of_a_file_comes_from_the_lake() -> None:
    """All but the day; and all of raw's but the hash, the stamp for links and what repeats tags."""
    of_all = [name for name in SELECTED if name not in lake.SCORES.slots]
    for stream, columns in (("responses", of_all), ("interactions", CALL)):
        shown = {
            name.removesuffix("_at").removesuffix("_seconds") for name in COLUMNS[stream].names
        }
        assert shown == {"day", *(name.removesuffix("_us") for name in columns)}
