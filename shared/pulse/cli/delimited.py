"""Reads delimited text, such as CSV, as rows with the numbers of their lines.

Cells in quotes may hold delimiters and line breaks. A first line such as `sep=;`, which tells Excel
the delimiter, is not a row. If a row cannot be read (there is text after a quote, a quote has no
end, or bytes are no characters), only its first line is lost: reading goes on with the next line.
"""

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pulse.cli.compressed import opened
from pulse.cli.encoding import Encoding, UnknownEncodingError, find_encoding, named_encoding
from pulse.cli.exits import WrongUseError
from pulse.cli.table import Opened, Reading, Row

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_LONGEST_CELL = 1 << 24
_MOST_LINES = 1_000
"""A row of more lines has a quote without an end."""
_SHOWN = 100
"""The number of lines from which the delimiter is guessed."""
_FOR_EXCEL = re.compile("sep=(.?)[\r\n]*")
_NO_CHARACTER = re.compile("[\udc80-\udcff]")


def open_text(path: Path, reading: Reading) -> Opened:
    """Find the file's encoding and delimiter, and open it. Raises WrongUseError."""
    csv.field_size_limit(_LONGEST_CELL)
    encoding = _encoding(path, reading)
    shown = list(islice(_lines(path, encoding), _SHOWN + (reading.header_row or 0)))
    delimiter = reading.delimiter or _delimiter(shown, reading)

    def rows() -> Iterator[Row]:
        return read_rows(_lines(path, encoding), delimiter)

    between = DELIMITERS.get(delimiter, repr(delimiter))
    guess = " (a guess: --encoding names another)" if encoding.guessed else ""
    return Opened(rows, f"{encoding.name}{guess}, cells between {between}", delimiter)


def _encoding(path: Path, reading: Reading) -> Encoding:
    if reading.encoding is not None:
        try:
            return named_encoding(reading.encoding)
        except ValueError as error:
            raise WrongUseError(f"--encoding: {error}.") from error
    with opened(path) as file:
        head = file.read(4096)
        file.seek(0)
        try:
            return find_encoding(head, file)
        except UnknownEncodingError as error:
            raise WrongUseError(
                f"{path} is {error}. Name its encoding, for example --encoding windows-1250 or "
                "--encoding gb18030."
            ) from error


def _lines(path: Path, encoding: Encoding) -> Iterator[str]:
    with opened(path) as file:
        text = io.TextIOWrapper(file, encoding.codec, encoding.errors, newline="")
        try:
            yield from text
        except UnicodeError as error:
            raise WrongUseError(f"{path} is not {encoding.name}: {error}.") from error


def _delimiter(lines: list[str], reading: Reading) -> str:
    """The delimiter by which most rows are as wide as the header, and the header is widest."""
    if lines and (said := _FOR_EXCEL.fullmatch(lines[0])) and said[1]:
        return said[1]

    def rank(delimiter: str) -> tuple[bool, bool, int]:
        rows = [row for row in read_rows(iter(lines), delimiter) if not row.is_blank]
        rows = [row for row in rows if row.line >= (reading.header_row or 1)]
        if not rows:
            return False, False, 0
        top = rows[0]
        width = len(top.cells[0].split(delimiter)) if top.fault else len(top.cells)
        below = rows[1 + reading.skip :]
        fits = sum(len(row.cells) == width or row.fault is not None for row in below)
        return width > 1, fits * 2 >= len(below), width

    return max(DELIMITERS, key=rank)


class _Lines:
    """The lines of a file. Those of the last row can be given back, to be read again."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._back: deque[str] = deque()
        self.taken: list[str] = []
        """The lines that were read since the last row."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.taken) == _MOST_LINES:
            raise csv.Error(f"a quoted cell goes on for more than {_MOST_LINES:,} lines")
        line = self._back.popleft() if self._back else next(self._lines)
        self.taken.append(line)
        return line

    def give_back(self) -> str:
        """Return the first of the taken lines; the others will be read again."""
        first, *others = self.taken
        self._back.extendleft(reversed(others))
        self.taken = [first]
        return first


def read_rows(lines: Iterator[str], delimiter: str) -> Iterator[Row]:
    """The rows in these lines, including blank ones."""
    feed = _Lines(lines)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    end = 0
    while True:
        feed.taken = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            text = feed.give_back().rstrip("\r\n")
            yield Row(end + 1, (_plain(text),), f"{error}")
        else:
            begins_for_excel = end == 0 and _FOR_EXCEL.fullmatch("".join(feed.taken))
            if any(map(_NO_CHARACTER.search, cells)):
                fault = "it holds bytes that are no characters in the file's encoding"
                yield Row(end + 1, tuple(map(_plain, cells)), fault)
            elif not begins_for_excel:
                yield Row(end + 1, tuple(cells))
        end += len(feed.taken)


def _plain(text: str) -> str:
    return _NO_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text)
