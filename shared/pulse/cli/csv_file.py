"""A CSV file as rows with their line numbers, read as a stream.

UTF-8 (with or without a byte order mark), quoted cells with commas and line breaks, and commas,
semicolons or tabs between cells, whichever the header shows. A first line such as `sep=;`, which
tells Excel what stands between cells, is none of the file's rows.
"""

import codecs
import csv
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pulse.cli.exits import WrongUseError

DELIMITERS = (",", ";", "\t")
_LONGEST_CELL = 1 << 24
_FOR_EXCEL = re.compile("sep=.?")


@dataclass(frozen=True)
class Row:
    """One row; `line` is where it begins in the file, the first line being 1."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class CsvFile:
    """A file whose header is known."""

    path: Path
    delimiter: str
    header: tuple[str, ...]

    @classmethod
    def open(cls, path: Path, delimiter: str | None = None) -> Self:
        """The file, its header read. Raises WrongUseError where there is none."""
        csv.field_size_limit(_LONGEST_CELL)
        candidates = (delimiter,) if delimiter else DELIMITERS
        headers = {candidate: _header(path, candidate) for candidate in candidates}
        best = max(headers, key=lambda candidate: len(headers[candidate]))
        if not any(headers[best]):
            raise WrongUseError(f"{path} has no header line.")
        return cls(path, best, headers[best])

    def rows(self) -> Iterator[Row]:
        """The rows below the header, blank lines left out.

        Raises WrongUseError, naming the line, where the file is not the CSV it should be.
        """
        rows = _rows(self.path, self.delimiter)
        next(rows, None)
        return rows

    def column(self, name: str) -> int:
        """Where a column stands. Raises WrongUseError if it is missing or there are two."""
        found = [index for index, column in enumerate(self.header) if column == name]
        if len(found) == 1:
            return found[0]
        fault = "no column" if not found else f"{len(found)} columns called"
        raise WrongUseError(
            f"{self.path} has {fault} {name!r}; its columns are: {', '.join(self.header)}"
        )


def _header(path: Path, delimiter: str) -> tuple[str, ...]:
    """The header's names; what they are with the wrong delimiter is no fault of the file's."""
    first = next(_rows(path, delimiter, strict=False), None)
    return tuple(name.strip() for name in first.cells) if first else ()


def _other_encoding(path: Path) -> str:
    """What to do about a file that is not UTF-8, and what it may be instead."""
    with path.open("rb") as file:
        lines = enumerate(file, 1)
        number, line = next((n, line) for n, line in lines if not _is_utf8(line))
    if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        fault, encoding = "is UTF-16", "UTF-16"
    else:
        fault, encoding = f"is not UTF-8 (line {number})", "WINDOWS-1252"
    return (
        f"{path} {fault}: save it as UTF-8, for example with "
        f"`iconv -f {encoding} -t UTF-8 {shlex.quote(str(path))} > utf8.csv`."
    )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _rows(path: Path, delimiter: str, *, strict: bool = True) -> Iterator[Row]:
    end = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=strict)
            for cells in reader:
                begin, end = end + 1, reader.line_num
                if cells and not (begin == 1 and _FOR_EXCEL.fullmatch(delimiter.join(cells))):
                    yield Row(begin, tuple(cells))
    except UnicodeDecodeError as error:
        raise WrongUseError(_other_encoding(path)) from error
    except csv.Error as error:
        raise WrongUseError(f"{path}, from line {end + 1} on: {error}.") from error
    except OSError as error:
        raise WrongUseError(f"{path} cannot be read: {error.strerror or error}.") from error
