"""A file as a table: a header, and below it rows with the numbers of their lines.

The file may be CSV in any usual encoding and with any usual delimiter (delimited.py) or a workbook
(workbook.py), and either may be compressed by gzip. What is not told by an option is taken from
what the file shows, and `told` says what was taken.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Self

from pulse.cli.exits import WrongUseError

_BY_POSITION = re.compile(r"(.*)#([1-9]\d{0,4})", re.DOTALL)


class NumberCell(str):
    """A number's digits, from a cell that holds a number and not its text: 12.5 is never 12,5."""

    __slots__ = ()


class MomentCell(str):
    """A day or a local time as ISO 8601, from a cell that holds a time and not its text."""

    __slots__ = ()


@dataclass(frozen=True)
class Row:
    """One row; `line` is where it begins in the file, the first line being 1."""

    line: int
    cells: tuple[str, ...]
    fault: str | None = None
    """Why it cannot be read; then its text is its only cell."""

    @property
    def is_blank(self) -> bool:
        """Whether all cells are empty."""
        return not any(cell.strip() for cell in self.cells)


@dataclass(frozen=True)
class Reading:
    """How a file is to be read, as far as options say it."""

    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    """The line of the header; None for the first line that is not blank."""
    skip: int = 0
    """How many rows below the header, without blank ones, are to be skipped."""
    names: tuple[str, ...] = ()
    """The columns of a file that has no header."""


Rows = Callable[[], Iterator[Row]]
"""Reads all rows of a file, from its first line on."""


@dataclass(frozen=True)
class TableFile:
    """A file whose header is known."""

    path: Path
    header: tuple[str, ...]
    told: str = ""
    """How the file was read, for people."""
    delimiter: str = ","
    """The text between two cells, also in the file of rejected rows."""
    all_rows: Rows = field(default=lambda: iter(()), repr=False)
    first_line: int = 1
    """The first line of the table's rows."""
    skip: int = 0

    @classmethod
    def open(cls, path: Path, reading: Reading = Reading()) -> Self:  # it is frozen
        """The file, its header read. Raises WrongUseError where there is none."""
        from pulse.cli import delimited, workbook

        if workbook.is_workbook(path):
            opened = workbook.open_sheet(path, reading)
        else:
            opened = delimited.open_text(path, reading)
        if reading.names:
            first = next(opened.rows(), None)
            width = len(first.cells) if first else 0
            header = reading.names[: max(width, 1)]
            told = f"{opened.told}, without a header"
            return cls(path, header, told, opened.delimiter, opened.rows, 1, reading.skip)
        top = _header(opened.rows(), reading)
        if top is None or not any(map(str.isalnum, "".join(top.cells))):
            below = f" from line {reading.header_row} on" if reading.header_row else ""
            raise WrongUseError(f"{path} has no header line{below}.")
        if top.fault:
            raise WrongUseError(f"{path}, line {top.line}: the header cannot be read: {top.fault}.")
        header = tuple(name.strip() for name in top.cells)
        told = f"{opened.told}, the header in line {top.line}"
        return cls(path, header, told, opened.delimiter, opened.rows, top.line + 1, reading.skip)

    def rows(self) -> Iterator[Row]:
        """The rows below the header, blank ones left out.

        Empty cells beyond the header are left out, too. A row that cannot be read says so in its
        `fault`. Raises WrongUseError where the file cannot be read further.
        """
        mine = (row for row in self.all_rows() if row.line >= self.first_line and not row.is_blank)
        return map(self._fitted, islice(mine, self.skip, None))

    def _fitted(self, row: Row) -> Row:
        width = len(self.header)
        if len(row.cells) > width and not any(cell.strip() for cell in row.cells[width:]):
            return Row(row.line, row.cells[:width], row.fault)
        return row

    def column(self, name: str) -> int:
        """The index of a column, by its name; Name#2 is the second column of that name, and so on.

        Raises WrongUseError if it is missing, or there are several of its name.
        """
        found = [index for index, column in enumerate(self.header) if column == name]
        if len(found) == 1:
            return found[0]
        if not found and (match := _BY_POSITION.fullmatch(name)):
            of_name = [i for i, column in enumerate(self.header) if match[1] in ("", column)]
            if int(match[2]) <= len(of_name):
                return of_name[int(match[2]) - 1]
        columns = ", ".join(self.header)
        if found:
            raise WrongUseError(
                f"{self.path} has {len(found)} columns called {name!r}: take one of them by its "
                f"position, as {name}#1 or {name}#2; its columns are: {columns}"
            )
        raise WrongUseError(f"{self.path} has no column {name!r}; its columns are: {columns}")


@dataclass(frozen=True)
class Opened:
    """A file that can be read."""

    rows: Rows
    told: str
    delimiter: str = ","


def _header(rows: Iterator[Row], reading: Reading) -> Row | None:
    if reading.header_row is None:
        return next((row for row in rows if not row.is_blank), None)
    return next((row for row in rows if row.line >= reading.header_row), None)
