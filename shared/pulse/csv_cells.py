"""Writes and reads CSV cells that no spreadsheet takes for a formula; nothing else does so.

RFC 4180: commas, CRLF, text always in quotes, all else bare. Where commas are decimal marks,
semicolons stand between cells. A spreadsheet runs what begins with
one of =, +, -, @ (in a Japanese environment also with their wide forms), and with another
locale's separator it begins a cell where we do not: `"a","b;=1+1"` is `a,"b` and `=1+1"` to one
that parts by semicolons. (OWASP, "CSV Injection".) So a text is *guarded* wherever a cell could
begin in it: at its beginning and behind a semicolon, a tab or the end of a line, each with blanks
and quotes after it. If one of these characters stands there, with any number of apostrophes before
it, one more apostrophe is put before it; `unguard` takes one away. Everything else is left alone,
so that unguard(guard(text)) is the text, whatever it is.

The dashboard has the same rule for what it saves itself (web/src/dashboard/csv.ts).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_BLANK = '\\x00-\\x20"\\x7f-\\xa0\\u1680\\u2000-\\u200f\\u2028-\\u202f\\u205f\\u2060\\u3000\\ufeff'
"""May stand before a formula: spaces, control and invisible characters, quotes."""
# possessive, and from a run's first character on alone: a comment of blanks costs no more than its
# length
_PLACE = re.compile(f"(?<![{_BLANK};])([{_BLANK};]*+)('*+)([=+\\-@＝＋－ー＠])")  # meant
_BEGINS_A_CELL = re.compile(r"[;\t\r\n]")


def guard(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula."""
    return _PLACE.sub(lambda found: _told(found, f"'{found[2]}"), text)


def unguard(text: str) -> str:
    """The text that `guard` was given; a text without guarded places stays as it is."""
    return _PLACE.sub(lambda found: _told(found, found[2][1:]), text)


def _told(found: re.Match[str], apostrophes: str) -> str:
    """The place with these apostrophes, if a cell could begin there; else the place as it was."""
    if found.start() == 0 or _BEGINS_A_CELL.search(found[1]):
        return found[1] + apostrophes + found[3]
    return found[0]


def csv_line(cells: Sequence[Any]) -> str:
    """One line, its CRLF included; None is an empty cell."""
    return ",".join(map(_cell, cells)) + "\r\n"


@dataclass(frozen=True)
class CsvForm:
    """How a CSV file is written; as RFC 4180 has it unless it is told otherwise."""

    excel: bool = False
    """With a byte order mark, by which Excel knows UTF-8 in a file that is opened by a click."""
    semicolon: bool = False
    """Semicolons between cells and commas in decimals, as much of Europe's Excel has them."""

    @property
    def start(self) -> str:
        """What stands before the first line."""
        return "\ufeff" if self.excel else ""

    def line(self, cells: Sequence[Any]) -> str:
        """One line, its CRLF included; None is an empty cell."""
        if not self.semicolon:
            return csv_line(cells)
        return ";".join(map(_cell_with_comma, cells)) + "\r\n"


PLAIN = CsvForm()


def _cell_with_comma(value: Any) -> str:
    text = _cell(value)
    return text.replace(".", ",") if isinstance(value, (Decimal, float)) else text


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + guard(value).replace('"', '""') + '"'
    return str(value)
