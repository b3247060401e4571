"""Reads numbers as spreadsheets write them, without guessing, and holds how times are read.

12.50       with a decimal point, as programs write it
12,50       an error, until the file is said to have decimal commas (`--decimal-comma`); then:
1.234,50    points stand between thousands, if they stand where they should,
1.234.567   also where there are two of them and no comma
1.234       1234 or 1.234? an error, like 12.50: it may be a number with a decimal point
"""

import re
from dataclasses import dataclass

from pulse.cli.table import NumberCell
from pulse.cli.times import TimeReader

_DECIMAL_COMMA = re.compile(
    r"[+-]?(\d+|[1-9]\d{0,2}(\.\d{3})+(?=,)|[1-9]\d{0,2}(\.\d{3}){2,})(,\d+)?", re.ASCII
)

_LABEL_BEHIND = re.compile(
    r"\s*([+-]?\d{1,18})(?:\.0+)?(?:\s+|\s*[-–—:=.)(\]])\s*\D.*", re.ASCII | re.DOTALL
)
_LABEL_BEFORE = re.compile(
    r".*[^\d\s.,](?:\s+|\s*[-–—:=(\[]\s*)(\d{1,18})\s*[)\]]?\s*", re.ASCII | re.DOTALL
)


@dataclass(frozen=True)
class Notation:
    """How one file writes its times and numbers."""

    times: TimeReader
    decimal_comma: bool = False
    labelled: bool = False

    def without_label(self, text: str) -> str:
        """The number of `5 - Very good` or `Very good - 5`, if the file labels its numbers.

        Any other text is returned as it is, also one with another number at its other end.
        """
        if not self.labelled or isinstance(text, NumberCell):
            return text
        first, last = _LABEL_BEHIND.fullmatch(text), _LABEL_BEFORE.fullmatch(text)
        found = {match[1] for match in (first, last) if match}
        return found.pop() if len(found) == 1 else text

    def number(self, text: str) -> str:
        """A number's text with a decimal point and without anything between thousands.

        Raises ValueError if it could be two numbers. Any other text with a point, or without point
        and comma, is returned, even if it is no number.
        """
        if isinstance(text, NumberCell):
            return str(text)
        text = text.strip()
        if not self.decimal_comma:
            if "," in text:
                raise ValueError(
                    f"{text!r} has a comma: numbers are written as 1234.50, or all of the file's "
                    "as 1234,50 with --decimal-comma"
                )
            return text
        if not _DECIMAL_COMMA.fullmatch(text):
            fault = "may be meant with a decimal point" if "." in text else "is no such number"
            raise ValueError(
                f"{text!r} {fault}: with --decimal-comma, numbers are written as 1234,50 or "
                "1.234,50"
            )
        return text.replace(".", "").replace(",", ".")
