"""The file of rejected rows: each unchanged, with its line and the reason."""

import csv
import json
from pathlib import Path
from types import TracebackType
from typing import Self

from pulse.cli.exits import FailedError, WrongUseError
from pulse.cli.spool import Spool
from pulse.cli.table import Row, TableFile
from pulse.errors import FieldError

COLUMNS = ("rejected_line", "rejected_field", "rejected_code", "rejected_message")


class RejectsFile:
    """Rows of `source` that were rejected, written in the order of its lines.

    Rows may be added in any order. The file is written at the end of the block, even if that ends
    early. Without rejected rows there is no file.
    """

    def __init__(self, source: TableFile, path: Path | None = None) -> None:
        """Raises WrongUseError if `path` is the source itself."""
        self.path = path or source.path.with_name(source.path.name + ".rejects.csv")
        self._source = source
        self._rows = Spool()
        if self.path.resolve() == source.path.resolve():
            raise WrongUseError("--rejects must not be the file that is imported.")

    def __enter__(self) -> Self:
        """Remove the file of an earlier import."""
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
        with self._rows:
            if len(self._rows):
                self._write()

    def add(self, row: Row, fault: FieldError) -> None:
        """Add a row and the reason why it was rejected."""
        told = [row.cells, fault.field, fault.code, fault.message]
        self._rows.add(row.line, len(self._rows), json.dumps(told).encode())

    def _write(self) -> None:
        """Write each row: its cells, line, field, code and message, and cells beyond the header."""
        width = len(self._source.header)
        try:
            with self.path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, delimiter=self._source.delimiter)
                writer.writerow([*self._source.header, *COLUMNS])
                for line, _, told in self._rows:
                    cells, *fault = json.loads(told)
                    missing = [""] * (width - len(cells))
                    writer.writerow([*cells[:width], *missing, line, *fault, *cells[width:]])
        except OSError as error:
            raise FailedError(f"{self.path} cannot be written: {error.strerror}.") from error
