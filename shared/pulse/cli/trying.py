"""`pulse import --dry-run`: prints what an import would do. It sends, stores and writes nothing.

The interface's own readers judge every row here, as they do when it is received.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulse import days
from pulse.cli.plan import Kind
from pulse.cli.preparing import Prepared
from pulse.cli.table import Row, TableFile
from pulse.errors import FieldError
from pulse.ingest.fields import RejectedError
from pulse.ingest.reader import ItemReader
from pulse.store.tenants import Tenants
from pulse.tenants.access import Directory
from pulse.tenants.keys import Key

_SHOWN = 5
_LOCAL = ("threshold_us", "by_day")
"""The endings of stored columns that do not come from the row."""


@dataclass
class Trial:
    """The results of a file's rows if it were imported."""

    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    examples: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By code, the first row that would be rejected: its line, and why."""
    first: list[dict[str, Any]] = field(default_factory=list)
    """The first rows as they would be stored, times as ISO 8601 in UTC."""

    def reject(self, row: Row, fault: FieldError) -> None:
        """Count a row that would be rejected."""
        self.rejected[fault.code] += 1
        line, _ = self.examples.get(fault.code, (row.line, ""))
        if row.line <= line:
            self.examples[fault.code] = row.line, fault.message


def judge(trial: Trial, kind: Kind, prepared: Prepared, tenants: Tenants, tenant: str) -> None:
    """Let the interface's reader judge all events, as if sent with a secret key of the tenant."""
    now_us = days.now_us()
    reader = kind.reader(Directory(tenants), Key("", "secret", tenant, now_us), tenant, now_us)
    shown: dict[int, dict[str, Any]] = {}
    for ready in prepared.ready():
        try:
            event: Any = _read(reader, ready.body)
        except RejectedError as error:
            trial.reject(ready.row, error.fault)
            continue
        trial.accepted += 1
        if len(shown) < _SHOWN or ready.row.line < max(shown):
            shown[ready.row.line] = {"line": ready.row.line, **_stored(event.values)}
            if len(shown) > _SHOWN:
                del shown[max(shown)]
    trial.first = [shown[line] for line in sorted(shown)]


def _read(reader: ItemReader, body: bytes) -> Any:
    return reader.read(json.loads(body))


def _stored(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item with its times in ISO 8601."""
    told: dict[str, Any] = {}
    for name, value in item.items():
        if name.endswith(_LOCAL):
            continue
        if name.endswith("_us"):
            name, value = name.removesuffix("_us") + "_at", days.iso(value)
        told[name] = dict(value) if isinstance(value, Mapping) else value
    return told


@dataclass(frozen=True)
class FileColumn:
    """A column of the file: the field that it becomes, and its first cell that is not empty."""

    name: str
    fields: tuple[str, ...]
    example: str

    @classmethod
    def all(cls, source: TableFile, columns: Mapping[str, str]) -> "list[FileColumn]":
        """The file's columns, in order."""
        mapped: dict[int, list[str]] = {}
        for name, column in columns.items():
            mapped.setdefault(source.column(column), []).append(name)
        examples = _examples(source)
        return [
            cls(name, tuple(mapped.get(n, ())), examples.get(n, ""))
            for n, name in enumerate(source.header)
        ]


def _examples(source: TableFile) -> dict[int, str]:
    found: dict[int, str] = {}
    for row in source.rows():
        for n, cell in enumerate(row.cells if row.fault is None else ()):
            if cell.strip():
                found.setdefault(n, cell)
        if len(found) >= len(source.header) or row.line > 1_000:
            break
    return found


def show_columns(columns: list[FileColumn], fixed: Mapping[str, str]) -> str:
    """The columns for people, and the fields that are the same in all rows."""
    lines = [f"  {one.name or '(no name)'} → {_become(one)}" for one in columns]
    lines += [f"  (all rows) → {name}: {value}" for name, value in fixed.items()]
    return "\n".join(["Columns:", *lines])


def _become(column: FileColumn) -> str:
    becomes = ", ".join(column.fields) or "not imported"
    return f"{becomes}, such as {_short(column.example)!r}" if column.example else becomes


def show_rows(rows: list[dict[str, Any]]) -> str:
    """The first rows for people."""
    return "\n".join(["First rows, as they would be stored:", *map(_row, rows)])


def _row(row: Mapping[str, Any]) -> str:
    told = ", ".join(f"{name}={_short(str(v))}" for name, v in row.items() if name != "line")
    return f"  line {row['line']}: {told}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:59] + "…"


def show_rejected(trial: Trial) -> Iterator[str]:
    """For each reason, how many rows it has and the first of them."""
    for code, count in trial.rejected.most_common():
        line, message = trial.examples[code]
        yield f"  {count:,} {code}, first in line {line}: {message}"
