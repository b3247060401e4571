"""The files of a month: the same bytes for the same figures, read back without loss."""

import csv
import io
from datetime import date
from decimal import Decimal
from random import Random

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st
from pyarrow import parquet

from pulse.finance.figures import Figure, FigureKey, Figures
from pulse.finance.files import (
    COLUMNS,
    adjustment_file,
    csv_file,
    parquet_file,
    read_adjustment,
    read_parquet,
)

DAY = date(2026, 10, 31)
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
keys = st.builds(
    FigureKey,
    st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    st.sampled_from(["voice", "email"]),
    st.none() | texts,
    st.none() | texts,
    st.sampled_from(["EUR", "JPY"]),
)
amounts = st.integers(-(10**37), 10**37).map(lambda n: Decimal(f"{n}E-4"))
figures = st.dictionaries(keys, st.builds(Figure, st.integers(-(2**63), 2**63 - 1), amounts))


def key(segment: str | None = None, service: str | None = None, currency: str = "EUR") -> FigureKey:
    return FigureKey(DAY, "voice", segment, service, currency)


def test_a_month_as_csv() -> None:
    month: Figures = {
        key("gold", "returns, damaged"): Figure(2, Decimal("-7.0000")),
        key("=1+1"): Figure(3, Decimal("10.0000")),
        key(): Figure(0, Decimal("0.0000")),
        key("'t"): Figure(1, Decimal("0.3000")),
    }
    assert csv_file(month).decode() == (
        '"day","media_type","customer_segment","service_type","currency",'
        '"interactions_with_revenue","revenue","avg_revenue"\r\n'
        '2026-10-31,"voice","\'t",,"EUR",1,0.3000,0.3000\r\n'
        '2026-10-31,"voice","\'=1+1",,"EUR",3,10.0000,3.3333\r\n'
        '2026-10-31,"voice","gold","returns, damaged","EUR",2,-7.0000,-3.5000\r\n'
        '2026-10-31,"voice",,,"EUR",0,0.0000,\r\n'
    )


def test_a_month_without_revenue_is_a_header_and_an_empty_table() -> None:
    assert csv_file({}).count(b"\r\n") == 1
    assert parquet.read_table(io.BytesIO(parquet_file({}))).num_rows == 0


def test_the_parquet_file_has_the_types_that_finance_was_promised() -> None:
    file = parquet.ParquetFile(io.BytesIO(parquet_file({key(): Figure(1, Decimal("0.3000"))})))
    assert file.schema_arrow == COLUMNS
    assert file.schema_arrow.field("revenue").type == pa.decimal128(38, 4)
    assert file.metadata.row_group(0).column(0).compression == "SNAPPY"


@given(figures)
def test_parquet_gives_back_what_was_written(month: Figures) -> None:
    assert read_parquet(parquet_file(month)) == month


@given(figures)
@example({key("'", "''=x"): Figure(1, Decimal("-1.0000"))})
@example({key("\r\n", '"\x00,'): Figure(1, Decimal("1.0000"))})
def test_an_adjustment_gives_back_what_was_written(changes: Figures) -> None:
    assert read_adjustment(adjustment_file(changes)) == changes


@given(figures)
def test_no_text_of_a_csv_can_be_taken_for_a_formula(month: Figures) -> None:
    for row in csv.reader(io.StringIO(csv_file(month).decode(), newline="")):
        assert not any(cell.strip().startswith(("=", "+", "-", "@")) for cell in row[:5])


@given(figures, st.randoms(use_true_random=False))
def test_the_same_figures_give_the_same_bytes_in_whatever_order(
    month: Figures, chance: Random
) -> None:
    shuffled = list(month.items())
    chance.shuffle(shuffled)
    assert csv_file(dict(shuffled)) == csv_file(month)
    assert parquet_file(dict(shuffled)) == parquet_file(month)


def test_adjustments_from_before_text_was_quoted_read_as_they_were_meant() -> None:
    """In those files the first apostrophe was always removed."""
    old = (
        "day,media_type,customer_segment,service_type,currency,"
        "interactions_with_revenue,revenue\r\n"
        "2026-10-31,voice,''t,'=1+1,EUR,1,0.3000\r\n"
        "2026-10-31,voice,'\tx,,EUR,-1,-2.0000\r\n"
    )
    assert read_adjustment(old.encode()) == {
        key("'t", "=1+1"): Figure(1, Decimal("0.3000")),
        key("\tx"): Figure(-1, Decimal("-2.0000")),
    }
