"""A row of a CSV file as one response of API.md, with an id that the same row always gets.

The id is made of what the row says and of how many equal rows came before it, and of nothing
else: a file imported again, under another name, or overlapping with the last one, counts nothing
twice, while equal rows within one file stay distinct answers.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulse import days
from pulse.cli.csv_file import CsvFile, Row
from pulse.cli.exits import WrongUseError
from pulse.cli.times import SkippedTimeError, TimeFormatError, TimeReader
from pulse.errors import FieldError, PulseError
from pulse.ingest.responses import FIELDS as WRITTEN

FIELDS = tuple(name for name in WRITTEN if name != "tags")
TAG = "tags."
"""`tags.plan` is the entry `plan` of the map `tags`."""

_REQUIRED = ("survey_id", "score", "answered_at")
_WHOLE = re.compile(r"([+-]?\d{1,18})(\.0+)?")

Source = Callable[[Row], str]
"""Where a field's text comes from."""


class RowError(PulseError):
    """A row that is not worth sending; `fault` says why, in the interface's own codes."""

    def __init__(self, fault: FieldError) -> None:
        super().__init__(fault.message)
        self.fault = fault


@dataclass(frozen=True)
class Plan:
    """How rows of a file become responses: each field's source, and how times are read."""

    width: int
    sources: Mapping[str, Source]
    times: TimeReader

    @classmethod
    def make(
        cls, file: CsvFile, columns: Mapping[str, str], fixed: Mapping[str, str], times: TimeReader
    ) -> "Plan":
        """The plan that takes fields from `columns` and from `fixed` values.

        Raises WrongUseError for a field or column that does not exist, a field given twice, or
        one without which there is no response.
        """
        given = [*columns, *fixed]
        for name in given:
            if name not in FIELDS and not (name.startswith(TAG) and name != TAG):
                raise WrongUseError(
                    f"There is no field {name!r}; the fields are: {', '.join(FIELDS)}, {TAG}NAME"
                )
            if given.count(name) > 1:
                raise WrongUseError(f"The field {name!r} is given by --map and by --set.")
        for name in _REQUIRED:
            if name not in given:
                raise WrongUseError(_missing(name, file))
        sources = {name: _cell(file.column(column)) for name, column in columns.items()}
        sources |= {name: _constant(value) for name, value in fixed.items()}
        return cls(len(file.header), sources, times)

    def response(self, row: Row) -> dict[str, Any]:
        """What the row says, empty cells left out; `response_id` only if the file has it.

        Raises RowError for a row that the interface would reject, TimeFormatError where its time
        cannot be read without guessing.
        """
        if len(row.cells) != self.width:
            raise _fault(
                "", "columns_mismatch", f"{len(row.cells)} cells where the header has {self.width}"
            )
        texts = {name: source(row) for name, source in self.sources.items()}
        response: dict[str, Any] = {
            name: text for name, text in texts.items() if text.strip() and name in FIELDS
        }
        response["score"] = _score(texts["score"].strip())
        response["answered_at"] = self._answered_at(texts["answered_at"].strip())
        tags = {name.removeprefix(TAG): text for name, text in texts.items() if name[:5] == TAG}
        if tags := {name: text for name, text in tags.items() if text.strip()}:
            response["tags"] = tags
        return response

    def _answered_at(self, text: str) -> str:
        if not text:
            raise _fault("answered_at", "answered_at_missing", "The cell is empty.")
        try:
            return days.iso(self.times.read(text))
        except TimeFormatError:
            raise
        except SkippedTimeError as error:
            raise _fault("answered_at", "answered_at_skipped", f"{error}.") from error
        except ValueError as error:
            form = self.times.date_format or "RFC 3339 or ISO 8601; name others by --date-format"
            message = f"{text!r} is not a time ({form})."
            raise _fault("answered_at", "answered_at_invalid", message) from error


@dataclass
class RowIds:
    """Gives every response of one file its id. Feed it the rows in the file's order."""

    _seen: dict[bytes, int] = field(default_factory=dict)

    def identify(self, response: Mapping[str, Any]) -> str:
        """The response's own id if it has one, else one made of what it says."""
        own = response.get("response_id")
        if own is not None:
            return str(own)
        content = json.dumps(response, sort_keys=True, separators=(",", ":")).encode()
        digest = hashlib.sha256(content).digest()
        before = self._seen.get(digest[:16], 0)
        self._seen[digest[:16]] = before + 1
        return "row-" + hashlib.sha256(digest + str(before).encode()).hexdigest()[:40]


def _score(text: str) -> int:
    if not text:
        raise _fault("score", "score_missing", "The cell is empty.")
    match = _WHOLE.fullmatch(text)
    if not match:
        raise _fault("score", "score_not_whole_number", f"{text!r} is not a whole number.")
    return int(match[1])


def _fault(name: str, code: str, message: str) -> RowError:
    return RowError(FieldError(name, code, message))


def _cell(index: int) -> Source:
    return lambda row: row.cells[index]


def _constant(value: str) -> Source:
    return lambda row: value


def _missing(name: str, file: CsvFile) -> str:
    columns = f"the columns are: {', '.join(file.header)}"
    if name == "survey_id":
        return "Name the survey: --survey ID, or --map survey_id=COLUMN."
    if name == "answered_at":
        return (
            "Name the column that says when each response was given, --map answered_at=COLUMN "
            "(or one time for all, --set answered_at=2026-11-20): without it, importing the file "
            f"again would count it again; {columns}"
        )
    return f"Name the column of the scores: --map {name}=COLUMN; {columns}"
