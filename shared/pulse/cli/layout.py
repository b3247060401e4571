"""How exports of well-known systems are read: `pulse import --layout NAME`.

Each layout is a file of the folder layouts, whose comment says where its columns are documented:

[responses] or [interactions]   what such a file becomes; a layout may have both
zone, formats                   of its times; of several formats the first that reads them
header_row, skip, names         as `Reading` has them
labelled                        true where numbers have labels
columns                         by field the names that its column may have, the first that is there
                                counts; ~ begins a pattern, which has to fit exactly one column
set                             by field one value for all rows
values                          by field and text what a cell means
empty                           texts that mean an empty cell
leave_out                       by field or column the texts of rows that are none, "" being empty

Names of columns are compared without regard to case, and with blanks for underscores.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from pulse.cli.exits import WrongUseError
from pulse.cli.table import MomentCell, Reading, TableFile
from pulse.cli.times import TimeReader
from pulse.csv_cells import unguard

FOLDER = Path(__file__).parent / "layouts"
ISO = "iso"
"""The format of times that can be read without naming a format."""
_LOOKED_AT = 100
"""The number of rows by which a format is chosen."""


@dataclass(frozen=True)
class FileLayout:
    """How the exports of a system are read; without a name it says nothing."""

    name: str = ""
    zone: str | None = None
    formats: tuple[str, ...] = ()
    reading: Reading = field(default_factory=Reading)
    labelled: bool = False
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    empty: frozenset[str] = frozenset()
    leave_out: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def load(cls, name: str, stream: str) -> "FileLayout":
        """The layout of that name. Raises WrongUseError if there is none."""
        if name not in layout_names():
            names = ", ".join(layout_names(stream))
            raise WrongUseError(f"--layout takes {names}, not {name!r}.")
        told: dict[str, Any] = tomllib.loads((FOLDER / f"{name}.toml").read_text())
        if stream not in told:
            raise WrongUseError(f"Files of {name} become {' or '.join(told)}, not {stream}.")
        of = told[stream]
        return cls(
            name=name,
            zone=of.get("zone"),
            formats=tuple(of.get("formats", ())),
            reading=Reading(
                header_row=of.get("header_row"),
                skip=of.get("skip", 0),
                names=tuple(of.get("names", ())),
            ),
            labelled=of.get("labelled", False),
            columns={field: tuple(names) for field, names in of["columns"].items()},
            fixed=of.get("set", {}),
            values={
                field: {text.casefold(): meaning for text, meaning in meanings.items()}
                for field, meanings in of.get("values", {}).items()
            },
            empty=frozenset(of.get("empty", ())),
            leave_out={
                name: frozenset(map(str.casefold, texts))
                for name, texts in of.get("leave_out", {}).items()
            },
        )

    def columns_of(self, source: TableFile) -> dict[str, str]:
        """By field the column of this file, as `TableFile.column` takes it; some may be missing."""
        found = {name: self.column_of(source, names) for name, names in self.columns.items()}
        return {name: column for name, column in found.items() if column is not None}

    def column_of(self, source: TableFile, names: tuple[str, ...]) -> str | None:
        """The first of these columns that the file has."""
        header = [_plain(name) for name in source.header]
        for name in names:
            if name.startswith("~"):
                pattern = re.compile(name[1:], re.IGNORECASE)
                places = [n for n, column in enumerate(source.header) if pattern.search(column)]
                places = places if len(places) == 1 else []
            else:
                places = [n for n, column in enumerate(header) if column == _plain(name)]
            if places:
                return f"#{places[0] + 1}"
        return None

    def date_format(self, source: TableFile, column: str | None, zone: str) -> str | None:
        """The first format that reads the column's first rows, or the first of all."""
        if not self.formats:
            return None
        index = source.column(column) if column else None
        texts = [
            unguard(row.cells[index]).strip()
            for row in islice(source.rows(), _LOOKED_AT)
            if index is not None and index < len(row.cells) and row.fault is None
            if not isinstance(row.cells[index], MomentCell)
        ]
        fitting = (one for one in self.formats if _reads(one, zone, texts))
        chosen = next(fitting, self.formats[0])
        return None if chosen == ISO else chosen


def layout_names(stream: str | None = None) -> list[str]:
    """The layouts there are, of any stream or of one."""
    return sorted(
        file.stem
        for file in FOLDER.glob("*.toml")
        if stream is None or f"\n[{stream}]\n" in file.read_text()
    )


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").casefold().split())


def _reads(date_format: str, zone: str, texts: list[str]) -> bool:
    reader = TimeReader(zone, None if date_format == ISO else date_format)
    try:
        for text in filter(None, texts):
            reader.told(text)
    except ValueError:
        return False
    return True
