"""Reads the cases of statements below tests/tables: rows in, rows out.

It replaces days, moments and hashes. tests/tables/README.md says how such a file is written.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pulse import days, lake

FOLDER = Path(__file__).parent / "tables"
TENANT = "acme"
"""The tenant of rows that name none."""

_FIRST, _APART = date(2020, 1, 1), timedelta(days=5)
_DAY = re.compile(r"\{day([+-]\d+)?\}")
_HASHED = re.compile(r"sha256\((.*)\)", re.DOTALL)
_MOMENT = re.compile(r"(?:(?P<day>\d{4}-\d\d-\d\d) )?(?P<time>\d\d:\d\d:\d\d(?:\.\d{1,6})?)")
_DURATION = re.compile(r"(-?\d+(?:\.\d{1,6})?) s")
_MEASURES = frozenset(name for table in lake.DAILY_TABLES for name in table.measures)
_MARKED = ("customer", "interaction", "response")
_DECIMALS = ("satisfaction", "revenue")
_DIMENSIONS = {*lake.SCORE_DIMENSIONS, *lake.INTERACTION_DIMENSIONS, *lake.TAG_SLOTS}

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Laid:
    """Rows of one day that are in the lake before a statement is run."""

    dataset: lake.DailyTable
    kind: str
    """`raw`, `daily` for published rows, `runs` for those of a run."""
    run: str
    day: date
    rows: Sequence[Row]


@dataclass(frozen=True, eq=False)
class Case:
    """The result of a statement for some rows, on days that no other case uses."""

    folder: str
    statement: str
    name: str
    why: str
    day: date
    laid: Sequence[Laid]
    parameters: Row
    usual: bool
    """Whether the case names no parameters."""
    expected: Sequence[Row]

    @property
    def id(self) -> str:
        """The case's id in pytest."""
        return f"{self.folder}.{self.statement}-{self.name}"

    @property
    def company(self) -> Sequence[Any]:
        """Cases with the same company are run in one statement, all others alone.

        They are usual ones of a statement over days whose rows have a day.
        """
        by_day = self.folder in ("daily", "exports", "large", "reports")
        by_day |= self.statement.endswith(("_in_raw", "_in_run", "_backwards"))
        # these look at days before, too
        by_day &= self.folder != "daily" or self.statement not in ("comments", "experience")
        if self.usual and by_day:
            return self.folder, self.statement, *self.parameters["runs"]
        return (self.id,)

    def default(self, column: str) -> Any:
        """The value of a result's column that the case does not name."""
        if column in ("dt", "day"):
            return self.day.isoformat()
        if column == "tenant":
            return TENANT
        if self.folder not in ("daily", "large", "reports") or column not in _MEASURES:
            return None
        return "0.0000" if column in _DECIMALS else 0


def read_cases(folder: Path = FOLDER) -> list[Case]:
    """All cases, in the order of their statements and names."""
    paths = sorted(folder.glob("*/*.json"))
    return [_read(path, _FIRST + place * _APART) for place, path in enumerate(paths)]


def _read(path: Path, day: date) -> Case:
    content = json.loads(path.read_text())
    day = date.fromisoformat(content.pop("day", day.isoformat()))
    why = content.pop("why")
    folder, statement = path.parent.name.split(".")
    told = _Told(day)
    laid = [one for table, rows in content.pop("tables").items() for one in told.laid(table, rows)]
    given = told.values(content.pop("parameters", {}))
    expected = [told.values(row) for row in content.pop("rows")]
    if content:
        raise ValueError(f"{path}: what is {', '.join(content)}?")
    return Case(
        folder=folder,
        statement=statement,
        name=path.stem,
        why=why,
        day=day,
        laid=laid,
        parameters=_defaults(day, laid, given) | given,
        usual=not given,
        expected=expected,
    )


@dataclass(frozen=True)
class _Told:
    """Reads the values of a case, for the day that it has."""

    day: date

    def values(self, row: Row) -> dict[str, Any]:
        """The row with its texts replaced by the values that they stand for."""
        return {name: self._value(name, value) for name, value in row.items()}

    def laid(self, table: str, rows: Any) -> Iterator[Laid]:
        """The rows of a table, day by day."""
        (dataset, kind) = _TABLES[table]
        by_run: Mapping[str, Sequence[Row]] = rows if kind == "runs" else {"": rows}
        for run, told in by_run.items():
            by_day: dict[date, list[Row]] = {self.day: []}
            for row in map(self.values, told):
                day = date.fromisoformat(row.get("dt", self.day.isoformat()))
                by_day.setdefault(day, []).append(_complete(dataset, kind, row))
            for day, found in by_day.items():
                yield Laid(dataset, kind, run, day, found)

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._value(name, one) for one in value]
        if not isinstance(value, str):
            return value
        text = _DAY.sub(lambda found: str(self._days_later(found[1])), value)
        if hashed := _HASHED.fullmatch(text):
            return hashlib.sha256(hashed[1].encode()).hexdigest()
        return self._us(text) if name.endswith("_us") else text

    def _days_later(self, how_many: str | None) -> date:
        return self.day + timedelta(days=int(how_many or 0))

    def _us(self, text: str) -> int:
        if lasted := _DURATION.fullmatch(text):
            return int(Decimal(lasted[1]) * days.SECOND)
        if moment := _MOMENT.fullmatch(text):
            day, time = moment["day"] or self.day.isoformat(), moment["time"]
            return days.to_us(datetime.fromisoformat(f"{day} {time}").replace(tzinfo=UTC))
        raise ValueError(f"{text!r} is neither a moment nor a duration")


_TABLES: Mapping[str, tuple[lake.DailyTable, str]] = {
    **{dataset.raw_table: (dataset, "raw") for dataset in lake.DATASETS},
    **{table.daily_table: (table, "daily") for table in lake.DAILY_TABLES},
    **{table.runs_table: (table, "runs") for table in lake.DAILY_TABLES},
}


def columns_of(table: lake.DailyTable, kind: str) -> Mapping[str, str]:
    """The columns of raw events, or of daily rows, with their types."""
    if kind != "raw":
        return table.daily_columns
    assert isinstance(table, lake.Dataset)
    return table.raw_columns


def _complete(dataset: lake.DailyTable, kind: str, told: Row) -> Row:
    """A row with all columns of its table: measures are 0 and all others null if not named."""
    columns = columns_of(dataset, kind)
    if unknown := told.keys() - {*columns, "dt"}:
        raise ValueError(f"{dataset.name} has no {', '.join(unknown)}")
    counts = () if kind == "raw" else dataset.measures
    row = {name: told.get(name, 0 if name in counts else None) for name in columns}
    decimals = {name: Decimal(row[name]) for name in _DECIMALS if row.get(name) is not None}
    return row | decimals | {"tenant": told.get("tenant", TENANT)}


def _defaults(day: date, laid: Sequence[Laid], given: Row) -> dict[str, Any]:
    """The parameters of any statement by which it reads all rows of the case."""
    dates = sorted({str(day), *(str(one.day) for one in laid)})
    runs = given.get("runs") or list(dict.fromkeys(one.run for one in laid if one.run)) or ["first"]
    tenant = given.get("tenant", TENANT)
    midnight_us = days.to_us(datetime(day.year, day.month, day.day, tzinfo=UTC))
    return {
        "first_day": dates[0],
        "last_day": dates[-1],
        "days": dates,
        "answered": dates,
        "link_us": 35 * days.DAY,
        "public_values": 1000,
        "tenant": tenant,
        "tenants": [tenant],
        "everybody": True,
        "synchronous": ["voice", "chat"],
        "run": runs[0],
        "runs": runs,
        "pairs": [f"{run}/{one}" for run in runs for one in dates],
        "newest": [f"{runs[-1]}/{one}" for one in dates],
        "compared": len(runs),
        "without": [""],
        "from_us": midnight_us,
        "to_us": midnight_us + days.DAY,
        "received_us": midnight_us + days.DAY,
        "width_us": 0,
        "key_id": "",
        "customers": [""],
        "hashes": [""],
        **{f"{kind}_prefix": f"{kind}|{tenant}|" for kind in _MARKED},
        **{name: [""] for name in _DIMENSIONS},
        **{f"{name}_negated": True for name in _DIMENSIONS},
    }


def together(cases: Sequence[Case]) -> Row:
    """The parameters of one statement for all cases of a company."""
    first = cases[0].parameters
    dates = sorted(day for case in cases for day in case.parameters["days"])
    pairs, newest = (
        [pair for case in cases for pair in case.parameters[name]] for name in ("pairs", "newest")
    )
    span = {"first_day": dates[0], "last_day": dates[-1], "days": dates}
    return {**first, **span, "pairs": pairs, "newest": newest}
