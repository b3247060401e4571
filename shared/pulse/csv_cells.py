"""Writes and reads CSV cells that no spreadsheet takes for a formula. All CSV is made here.

The form is that of RFC 4180: commas, CRLF, texts always in quotes, other values without quotes. In
the form for locales with decimal commas, semicolons separate cells.

A spreadsheet takes a cell for a formula if it begins with one of =, +, -, @, or in a Japanese
environment with their wide forms (OWASP, "CSV Injection"). With another locale's separator it may
begin a cell where the file does not: a spreadsheet that separates by semicolons reads
`"a","b;=1+1"` as the cells `a,"b` and `=1+1"`. So a text is *guarded* wherever a cell could begin
in it: at its beginning, and after a semicolon, a tab or the end of a line, each with blanks and
quotes after it. If one of these characters is there, with any number of apostrophes before it, one
more apostrophe is put before it; `unguard` removes one. Nothing else is changed, so that
unguard(guard(text)) is the text for every text.

The dashboard has the same rule for what it saves itself (web/src/dashboard/csv.ts).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_BLANK = '\\x00-\\x20"\\x7f-\\xa0\\u1680\\u2000-\\u200f\\u2028-\\u202f\\u205f\\u2060\\u3000\\ufeff'
"""The characters that may precede a formula: spaces, control and invisible characters, quotes."""
# The quantifier is possessive, and a match begins only at the first of such characters: so the time
# is linear in the length even of a text of blanks.
_PLACE = re.compile(f"(?<![{_BLANK};])([{_BLANK};]*+)('*+)([=+\\-@＝＋－ー＠])")  # meant
_BEGINS_A_CELL = re.compile(r"[;\t\r\n]")


def guard(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula."""
    return _PLACE.sub(lambda found: _told(found, f"'{found[2]}"), text)


def unguard(text: str) -> str:
    """The text that `guard` was given; a text without guarded places stays as it is."""
    return _PLACE.sub(lambda found: _told(found, found[2][1:]), text)


def _told(found: re.Match[str], apostrophes: str) -> str:
    """The match with these apostrophes, if a cell could begin there; else the match unchanged."""
    if found.start() == 0 or _BEGINS_A_CELL.search(found[1]):
        return found[1] + apostrophes + found[3]
    return found[0]


def csv_line(cells: Sequence[Any]) -> str:
    """One line, its CRLF included; None is an empty cell."""
    return ",".join(map(_cell, cells)) + "\r\n"


@dataclass(frozen=True)
class CsvForm:
    """The form of a CSV file; by default that of RFC 4180."""

    excel: bool = False
    """Whether it begins with a byte order mark, without which Excel does not recognise UTF-8."""
    semicolon: bool = False
    """Whether it has semicolons between cells and decimal commas, as Excel in much of Europe."""

    @property
    def start(self) -> str:
        """The text before the first line."""
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
