"""Reads a sheet of a workbook (.xlsx, .xlsm, .xlsb, .xls, .ods) as rows with their line numbers.

Cells with numbers, times or booleans become texts with one meaning, whatever options say about the
file's texts.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from pulse.cli.compressed import opened
from pulse.cli.exits import WrongUseError
from pulse.cli.table import MomentCell, NumberCell, Opened, Reading, Row

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

Cell = int | float | str | bool | time | date | datetime | timedelta


def is_workbook(path: Path) -> bool:
    """Whether the file begins like a workbook."""
    with opened(path) as file:
        return file.read(len(_OLE)).startswith((_ZIP, _OLE))


def open_sheet(path: Path, reading: Reading) -> Opened:
    """Open the named sheet, or the first one that is not empty. Raises WrongUseError."""
    from python_calamine import CalamineError, PasswordError, load_workbook  # slow to import

    with opened(path) as file:
        body = file.read()
    try:
        book = load_workbook(io.BytesIO(body))
        name, others = _sheet(path, book, reading.sheet)
        cells: list[list[Cell]] = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except PasswordError as error:
        raise WrongUseError(f"{path} is protected by a password: save it without one.") from error
    except (CalamineError, OSError, ValueError) as error:
        raise WrongUseError(f"{path} is no workbook that can be read: {error}.") from error
    moments = set() if _is_open_document(body) else _moments(cells)

    def rows() -> Iterator[Row]:
        for line, row in enumerate(cells, 1):
            yield Row(line, tuple(_text(cell, n in moments) for n, cell in enumerate(row)))

    told = f"sheet {name!r}"
    if others and reading.sheet is None:
        told += f" (--sheet takes another: {', '.join(others)})"
    return Opened(rows, told)


def _sheet(path: Path, book: "CalamineWorkbook", wanted: str | None) -> tuple[str, list[str]]:
    names = book.sheet_names
    if wanted is not None:
        if wanted not in names and wanted.isdecimal() and 0 < int(wanted) <= len(names):
            wanted = names[int(wanted) - 1]
        if wanted not in names:
            raise WrongUseError(f"{path} has no sheet {wanted!r} (it has: {', '.join(names)}).")
        return wanted, []
    full = [name for name in names if book.get_sheet_by_name(name).height]
    if not full:
        raise WrongUseError(f"{path} has no header line: its sheets are empty.")
    return full[0], full[1:]


def _is_open_document(body: bytes) -> bool:
    if not body.startswith(_ZIP):
        return False
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        return "mimetype" in packed.namelist()


def _moments(rows: Sequence[Sequence[Cell]]) -> set[int]:
    """The columns with times of day: Excel's cells do not distinguish a day from its midnight."""
    return {n for row in rows for n, cell in enumerate(row) if isinstance(cell, datetime)}


def _text(cell: Cell, moment: bool) -> str:
    match cell:
        case str():
            return cell
        case bool():
            return "true" if cell else "false"
        case int() | float():
            return NumberCell(_digits(cell))
        case datetime():
            return MomentCell(cell.isoformat(" "))
        case date():
            return MomentCell(f"{cell.isoformat()} 00:00:00" if moment else cell.isoformat())
    return str(cell)


def _digits(number: float) -> str:
    """All digits of a number, without an exponent, and without a point if it is whole."""
    told = format(Decimal(repr(number)), "f")
    return told.removesuffix(".0")
