"""The options of `pulse import` about a file: how it is read, and where fields come from.

A layout gives them for the export of a known system; options of the command line override it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pulse import days
from pulse.cli.arguments import assignments
from pulse.cli.exits import WrongUseError
from pulse.cli.layout import FileLayout
from pulse.cli.notation import Notation
from pulse.cli.plan import ImportPlan, Kind, Meanings
from pulse.cli.table import Reading, TableFile
from pulse.cli.time_format import time_format
from pulse.cli.times import TimeReader

_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t"}


@dataclass(frozen=True)
class Options:
    """The options about a file and its fields, as they were typed."""

    layout: str | None = None
    mapping: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    value: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    labelled: bool = False
    decimal_comma: bool = False
    timezone: str | None = None
    date_format: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    skip: int | None = None


@dataclass(frozen=True)
class Given:
    """A file whose header is read, and how its rows become events."""

    source: TableFile
    columns: Mapping[str, str]
    values: Mapping[str, str]
    """The values that are the same in all rows, by field."""
    notation: Notation
    meanings: Meanings = field(default_factory=Meanings)

    @classmethod
    def read(cls, kind: Kind, file: Path, options: Options, timezone: str) -> "Given":
        """Read the options and the file's header; local times are of `timezone` unless they say so.

        Raises WrongUseError if options contradict each other or the file.
        """
        stream = kind.route.name
        layout = FileLayout.load(options.layout, stream) if options.layout else FileLayout()
        mapped = assignments(options.mapping, "--map")
        fixed = assignments(options.fixed, "--set")
        source = TableFile.open(file, _reading(options, layout.reading))
        columns = {n: c for n, c in layout.columns_of(source).items() if n not in fixed} | mapped
        values = {n: v for n, v in layout.fixed.items() if n not in columns} | fixed
        zone = options.timezone or layout.zone or timezone
        _check_times(zone, options.date_format)
        date_format = options.date_format or layout.date_format(
            source, columns.get(kind.moment), zone
        )
        return cls(
            source,
            columns,
            values,
            Notation(
                TimeReader(zone, date_format),
                options.decimal_comma,
                options.labelled or layout.labelled,
            ),
            _meanings(options, layout, source, columns),
        )

    def into(self, kind: Kind) -> str:
        """The survey of all rows, or the column that names the surveys."""
        if "survey_id" not in kind.fields:
            return ""
        return self.values.get("survey_id") or f"column {self.columns.get('survey_id', '')}"

    def plan(self, kind: Kind) -> ImportPlan:
        """How the file's rows become events. Raises WrongUseError as `ImportPlan.make` does."""
        return ImportPlan.make(
            kind, self.source, self.columns, self.values, self.notation, self.meanings
        )


def _reading(options: Options, known: Reading) -> Reading:
    return replace(
        known,
        delimiter=_delimiter(options.delimiter),
        encoding=options.encoding,
        sheet=options.sheet,
        header_row=options.header_row or known.header_row,
        skip=known.skip if options.skip is None else options.skip,
        names=() if options.header_row else known.names,
    )


def _delimiter(name: str | None) -> str | None:
    delimiter = _DELIMITERS.get(name or "", name)
    if delimiter is not None and len(delimiter) != 1:
        raise WrongUseError(f"--delimiter takes one character or tab, not {name!r}.")
    return delimiter


def _check_times(timezone: str, date_format: str | None) -> None:
    try:
        days.zone(timezone)
        if date_format is not None:
            time_format(date_format)
    except ValueError as error:
        option = "--timezone" if "unknown time zone" in str(error) else "--date-format"
        raise WrongUseError(f"{option}: {error}.") from error


def _meanings(
    options: Options, layout: FileLayout, source: TableFile, columns: Mapping[str, str]
) -> Meanings:
    """The meanings of --value, --empty and --leave-out, which override those of the layout."""
    values = {name: dict(known) for name, known in layout.values.items() if name in columns}
    typed: dict[str, dict[str, str]] = {}
    for text in options.value:
        name, colon, rest = text.partition(":")
        found, equals, meaning = rest.rpartition("=")
        if not (name and colon and found.strip() and equals):
            raise WrongUseError(f"--value takes FIELD:FROM=TO, not {text!r}.")
        known = typed.setdefault(name, {}).setdefault(found.strip().casefold(), meaning)
        if known != meaning:
            raise WrongUseError(f"--value gives {found!r} two meanings.")
    for name, meant in typed.items():
        values[name] = values.get(name, {}) | meant
    empty = {one.strip() for text in options.empty for one in text.split(",")} - {""}
    left_out: dict[str, set[str]] = {}
    for name, texts in layout.leave_out.items():
        column = name if name in columns else layout.column_of(source, (name,))
        if column is not None and name not in layout.columns.keys() - columns.keys():
            left_out[column] = set(texts)
    for text in options.leave_out:
        name, equals, unwanted = text.rpartition("=")
        if not (name and equals):
            raise WrongUseError(f"--leave-out takes FIELD=TEXT or COLUMN=TEXT, not {text!r}.")
        left_out.setdefault(name, set()).add(unwanted.strip().casefold())
    return Meanings(
        values,
        layout.empty | frozenset(empty),
        {name: frozenset(texts) for name, texts in left_out.items()},
    )
