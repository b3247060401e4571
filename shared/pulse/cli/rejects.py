"""The file of rejected rows: as they stood, with the line and the reason, made when needed."""

import csv
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from pulse.cli.csv_file import CsvFile, Row
from pulse.cli.exits import FailedError, WrongUseError
from pulse.errors import FieldError

COLUMNS = ("rejected_line", "rejected_field", "rejected_code", "rejected_message")


class RejectsFile:
    """Rows of `source` that were rejected. Opened by the first one; none: no file is left."""

    def __init__(self, source: CsvFile, path: Path | None = None) -> None:
        """Raises WrongUseError where `path` is the source itself."""
        self.path = path or source.path.with_name(source.path.name + ".rejects.csv")
        self._source = source
        self._file: TextIO | None = None
        if self.path.resolve() == source.path.resolve():
            raise WrongUseError("--rejects must not be the file that is imported.")

    def __enter__(self) -> Self:
        """From here on, what an earlier import left under the name is gone."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise WrongUseError(f"{self.path} cannot be written: {error.strerror}.") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()

    def add(self, row: Row, fault: FieldError) -> None:
        """Write one row: its cells, then line, field, code and message, then cells too many."""
        width = len(self._source.header)
        cells = [*row.cells[:width], *[""] * (width - len(row.cells))]
        self._write([*cells, row.line, fault.field, fault.code, fault.message, *row.cells[width:]])

    def _write(self, cells: list[str | int]) -> None:
        try:
            if self._file is None:
                self._file = self.path.open("w", encoding="utf-8", newline="")
                self._write([*self._source.header, *COLUMNS])
            csv.writer(self._file, delimiter=self._source.delimiter).writerow(cells)
        except OSError as error:
            raise FailedError(f"{self.path} cannot be written: {error.strerror}.") from error
