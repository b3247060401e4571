"""The whole query string as one frozen value, or one coded error, before anything is read.

A value's raw form matters: a literal comma separates values where %2C belongs to one, and a
literal leading ! negates where %21 is an exclamation mark. So values are split before they are
decoded.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from pulse import days
from pulse.csv_cells import PLAIN, CsvForm
from pulse.days import DateRange
from pulse.errors import BadRequestError, FieldError
from pulse.filters import Condition, among
from pulse.http import decode
from pulse.lake import LONGEST_LINK_DAYS, NOT_GIVEN
from pulse.reports.declarations import CURRENCY, PERIOD, TENANT, Dimension, Report
from pulse.serve.columns import NAMED, Column, name_column, with_names
from pulse.serve.columns import columns as columns_of
from pulse.tenants.tenant import Tenant

FORMATS = ("json", "csv")
SEPARATORS = ("comma", "semicolon")
MOST_ROWS = 10_000
DEFAULT_ROWS: Mapping[str, int] = {"json": 1_000, "csv": MOST_ROWS}
MOST_TENANTS = 20
MOST_DAYS = 18_300
"""Fifty years."""
LAST_DAY = date(9999, 12, 31)

PARAMETERS: Mapping[str, str] = {
    "preset": "A named range of days; the default is last_28_days.",
    "start_date": "The first day, with end_date instead of a preset.",
    "end_date": "The last day, inclusive, with start_date.",
    "granularity": "Adds a period column: the first day of each day, week or month.",
    "group_by": "Dimensions to group by, separated by commas, instead of the report's own.",
    "compare": "previous_period or previous_year: what each metric was then and how it changed. "
    "Each day compared with counts in the period of the day that it stands beside; partial tells "
    "where one side has more days than the other.",
    "fill": "true: with a granularity, each group has its row in every period, also without data.",
    "subtotals": "true: rows over all values of the last dimension, of the last two, and so on. "
    "Their level says how many dimensions they tell; the others are null.",
    "names": "true: behind each agent and survey that is grouped by stands its name, in a column "
    "of its own (agent_name, survey_name).",
    "order_by": "Columns to order by, separated by commas; a leading - turns one around.",
    "limit": "Rows in a page, 1 to 10000; 1000 by default, 10000 in CSV.",
    "cursor": "Where to go on: next_cursor of the page before.",
    "format": "json or csv; else the Accept header decides.",
    "excel": "true: CSV begins with a byte order mark, by which Excel knows its encoding.",
    "separator": "comma, or semicolon: then CSV has commas as decimal marks.",
}
"""What every report takes, besides its family's dimensions as filters."""

DATE_BASIS = "date_basis"
ANSWERED, ENTERED = "answered", "entered"
DATE_BASES = (ANSWERED, ENTERED)
DATE_BASIS_TEXT = (
    "answered: an answer counts on its own day, linked or not. entered: on the day on which its "
    "interaction entered, so that only linked answers count."
)
"""What reports take that know both days."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LIMIT = re.compile(r"\d{1,6}", re.ASCII)


@dataclass(frozen=True)
class Order:
    """One column to order by."""

    column: str
    descending: bool = False


@dataclass(frozen=True)
class Query:
    """What is asked of a report. The days stay a name until a tenant's calendar resolves it."""

    preset: str | None
    dates: DateRange | None
    granularity: str
    group_by: tuple[str, ...]
    """Every grouped column in order: the family's required ones, then those asked for."""
    tenants: tuple[str, ...] | None = None
    """Of which tenants, where the key does not say so."""
    filters: Mapping[str, Condition] = field(default_factory=dict)
    compare: str | None = None
    fill: bool = False
    subtotals: bool = False
    names: bool = False
    order_by: tuple[Order, ...] = ()
    limit: int = DEFAULT_ROWS["json"]
    cursor: str | None = None
    date_basis: str | None = None
    """By which of its days an answer counts; None where a report knows one alone."""
    format: str = "json"
    csv: CsvForm = PLAIN

    def resolve(self, tenant: Tenant, tables: Iterable[str]) -> DateRange:
        """The days it means for a tenant at this moment; `all_time` begins with the tables."""
        if self.dates:
            return self.dates
        found = (tenant.table(table).first_day for table in tables)
        first_day = min((day for day in found if day), default=None)
        if first_day and self.by_entered:
            first_day = max(days.FIRST_DAY, first_day - timedelta(days=LONGEST_LINK_DAYS))
        return days.resolve_preset(
            self.preset or days.DEFAULT_PRESET,
            days.today(tenant.timezone),
            week_start=tenant.week_start,
            first_day=first_day,
        )

    @property
    def by_entered(self) -> bool:
        """True where answers count on the days on which their interactions entered."""
        return self.date_basis == ENTERED


def parse(
    pairs: Iterable[tuple[str, str]],
    report: Report,
    accept: str = "",
    *,
    across_tenants: bool = False,
) -> Query:
    """The query that (name, raw value) pairs ask of a report.

    A query `across_tenants` has to name them, and may group by them. Raises BadRequestError,
    naming the parameter and what it allows, for the first thing wrong.
    """
    own = [TENANT.name] if across_tenants else []
    basis = [DATE_BASIS] if report.entered_on else []
    given = _given(pairs, (*PARAMETERS, *basis, *own), report.filter_names)
    preset, dates = _dates(given)
    granularity, group_by = _grouping(given, report, own)
    compare = _compare(given, preset)
    subtotals = _flag("subtotals", given)
    names = _flag("names", given)
    columns = columns_of(report, group_by, compared=compare is not None, subtotals=subtotals)
    if names:
        columns = with_names(columns, {dimension: {} for dimension in NAMED})
    orders = _order(given, columns, group_by)
    kind = _format(given, accept)
    return Query(
        preset=preset,
        dates=dates,
        granularity=granularity,
        group_by=group_by,
        tenants=_tenants(given) if across_tenants else None,
        filters=_filters(given, report),
        compare=compare,
        fill=_flag("fill", given),
        subtotals=subtotals,
        names=names,
        order_by=orders,
        limit=_limit(given, kind),
        cursor=decode(given["cursor"]) if "cursor" in given else None,
        date_basis=_date_basis(given) if report.entered_on else None,
        format=kind,
        csv=_csv_form(given),
    )


def refusal(parameter: str, code: str, reason: str, allowed: Sequence[str] = ()) -> BadRequestError:
    """The 400 that names the parameter and lists what it allows."""
    message = f"{reason} Allowed: {', '.join(allowed)}." if allowed else reason
    return BadRequestError(
        code, f"{parameter}: {message}", errors=[FieldError(parameter, code, message)]
    )


def once(name: str, pairs: Iterable[tuple[str, str]]) -> str | None:
    """The decoded value of a parameter, None if it is not there. Raises BadRequestError for two."""
    given = [raw for each, raw in pairs if each == name]
    if len(given) > 1:
        raise refusal(name, "repeated_parameter", "Give it once.")
    return decode(given[0]) if given else None


def _given(
    pairs: Iterable[tuple[str, str]], once: Sequence[str], filters: Sequence[str]
) -> dict[str, str]:
    """The raw values by name. Those of a filter that is given several times are one list."""
    allowed = (*once, *filters)
    given: dict[str, str] = {}
    for name, raw in pairs:
        if name not in allowed:
            shown = name if len(name) <= 64 else f"{name[:64]}…"
            raise refusal(shown, "unknown_parameter", "There is no such parameter.", allowed)
        if name not in given:
            given[name] = raw
        elif name in filters:
            given[name] = _both_lists(name, given[name], raw)
        else:
            raise refusal(
                name, "repeated_parameter", "Give it once; commas separate several values."
            )
    return given


def _both_lists(name: str, first: str, second: str) -> str:
    """The raw values of both; either all of them are negated, or none."""
    if first.startswith("!") != second.startswith("!"):
        raise refusal(name, "misplaced_negation", "Negate all of its values, or none.")
    return f"{first},{second.removeprefix('!')}"


def _list(name: str, raw: str) -> list[str]:
    """The values between literal commas, decoded; none may be empty."""
    return _none_empty(name, [decode(part) for part in raw.split(",")])


def _names(name: str, raw: str) -> list[str]:
    """The names between commas, however these are written: no name has one within."""
    return _none_empty(name, decode(raw).split(","))


def _none_empty(name: str, values: list[str]) -> list[str]:
    if "" in values:
        raise refusal(name, "empty_value", "A value is empty.")
    return values


def _choice(name: str, value: str, allowed: Sequence[str], code: str) -> str:
    if value not in allowed:
        raise refusal(name, code, f"{_shown(value)} is not one of its values.", allowed)
    return value


def _flag(name: str, given: Mapping[str, str]) -> bool:
    text = decode(given.get(name, "false"))
    return _choice(name, text, ("true", "false"), "unknown_value") == "true"


def _shown(value: str) -> str:
    return repr(value if len(value) <= 64 else f"{value[:64]}…")


# -- days


def _dates(given: Mapping[str, str]) -> tuple[str | None, DateRange | None]:
    """(preset, None), or (None, the days named); the default preset where neither is given."""
    ends = [name for name in ("start_date", "end_date") if name in given]
    if "preset" in given and ends:
        raise refusal(
            "preset", "preset_with_dates", f"Give a preset or dates, not both ({ends[0]})."
        )
    if not ends:
        preset = decode(given.get("preset", days.DEFAULT_PRESET))
        return _choice("preset", preset, days.PRESETS, "unknown_preset"), None
    if len(ends) == 1:
        missing = "end_date" if ends == ["start_date"] else "start_date"
        raise refusal(missing, "missing_date", f"{ends[0]} needs {missing} beside it.")
    return None, _range(*(_date(name, decode(given[name])) for name in ("start_date", "end_date")))


def _range(start: date, end: date) -> DateRange:
    if start > end:
        raise refusal("start_date", "start_after_end", f"{start} is after end_date, {end}.")
    dates = DateRange(start, end)
    if dates.days > MOST_DAYS:
        raise refusal(
            "end_date", "range_too_long", f"{dates.days} days; at most {MOST_DAYS} (50 years)."
        )
    if start < days.FIRST_DAY:
        raise refusal(
            "start_date", "date_out_of_range", f"Days lie from {days.FIRST_DAY} to {LAST_DAY}."
        )
    return dates


def _date(name: str, text: str) -> date:
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass  # a day that no calendar has: the same answer
    raise refusal(name, "invalid_date", f"{_shown(text)} is no day; write YYYY-MM-DD.")


def _date_basis(given: Mapping[str, str]) -> str:
    return _choice(DATE_BASIS, decode(given.get(DATE_BASIS, ANSWERED)), DATE_BASES, "unknown_value")


def _compare(given: Mapping[str, str], preset: str | None) -> str | None:
    if "compare" not in given:
        return None
    asked = decode(given["compare"])
    _choice("compare", asked, list(days.COMPARISONS), "unknown_comparison")
    if preset == "all_time":
        raise refusal("compare", "compare_with_all_time", "Nothing came before all_time.")
    return asked


# -- tenants


def tenants_named(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """The tenants that a query seems to name, which nothing has judged yet: as many as it may."""
    texts = (raw for name, raw in pairs if name == TENANT.name)
    return [decode(part) for raw in texts for part in raw.split(",")][:MOST_TENANTS]


def _tenants(given: Mapping[str, str]) -> tuple[str, ...]:
    """The tenants that an operator's query names."""
    name = TENANT.name
    if name not in given:
        reason = f"Name the tenants to read, at most {MOST_TENANTS}, separated by commas."
        raise refusal(name, "missing_tenant", reason)
    tenants = _list(name, given[name])
    _refuse_repeated(name, tenants)
    if len(tenants) > MOST_TENANTS:
        raise refusal(name, "too_many_tenants", f"{len(tenants)}; at most {MOST_TENANTS}.")
    return tuple(tenants)


# -- grouping and order


def _grouping(
    given: Mapping[str, str], report: Report, own: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """(granularity, every grouped column in order).

    What the key brings of its `own` may be grouped by too; what the report counts by always is.
    """
    asked = list(report.group_by)
    if "group_by" in given:
        asked = _names("group_by", given["group_by"])
        names = (*own, *(dimension.name for dimension in report.dimensions))
        for name in asked:
            _choice("group_by", name, tuple(dict.fromkeys((PERIOD, *names))), "unknown_dimension")
        _refuse_repeated("group_by", asked)
    if report.by_count and report.by_count.name not in asked:
        asked.append(report.by_count.name)
    granularity = _granularity(given, report, asked)
    return granularity, _in_order(asked, granularity, report.family.required)


def _granularity(given: Mapping[str, str], report: Report, asked: Sequence[str]) -> str:
    """How long the periods of a grouping are; those of days where it does not say.

    The report's own go with what its family requires: a grouping that is asked for instead of
    the report's leaves them out where there is nothing such.
    """
    if "granularity" not in given:
        if PERIOD in asked:
            return "day" if report.granularity == "total" else report.granularity
        return report.granularity if report.family.required else "total"
    granularity = decode(given["granularity"])
    _choice("granularity", granularity, days.GRANULARITIES, "unknown_granularity")
    if PERIOD in asked and granularity == "total" and "group_by" in given:
        reason = "To group by period, name its length."
        lengths = days.GRANULARITIES[1:]
        raise refusal("granularity", "period_without_granularity", reason, lengths)
    return granularity


def _in_order(asked: Sequence[str], granularity: str, required: Sequence[str]) -> tuple[str, ...]:
    """The columns asked for, behind the required ones; `period` before that, if there is any.

    Where nothing is, it stands where it was asked for, and first where granularity alone asks.
    """
    if granularity == "total":
        return (*required, *(name for name in asked if name not in (PERIOD, *required)))
    if PERIOD in asked and not required:
        return tuple(asked)
    return (PERIOD, *required, *(name for name in asked if name not in (PERIOD, *required)))


def _order(
    given: Mapping[str, str], columns: Sequence[Column], group_by: Sequence[str]
) -> tuple[Order, ...]:
    if "order_by" not in given:
        return ()
    orders = []
    by_name = {column.name: column for column in columns}
    for text in _names("order_by", given["order_by"]):
        name = text.removeprefix("-")
        if name not in by_name and name in map(name_column, set(NAMED) & {*group_by}):
            reason = f"{name} is a column where names=true asks for it."
            raise refusal("order_by", "unknown_column", reason)
        _choice("order_by", name, tuple(by_name), "unknown_column")
        if by_name[name].unit == "money" and CURRENCY not in group_by:
            reason = f"{name} has several currencies, which have no order: group by {CURRENCY} too."
            raise refusal("order_by", "order_across_currencies", reason)
        orders.append(Order(name, descending=text.startswith("-")))
    _refuse_repeated("order_by", [order.column for order in orders])
    return tuple(orders)


def _refuse_repeated(parameter: str, values: Sequence[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise refusal(parameter, "repeated_value", f"{value} is named twice.")
        seen.add(value)


# -- filters


def _filters(given: Mapping[str, str], report: Report) -> dict[str, Condition]:
    return {
        dimension.name: _condition(dimension, given[dimension.name])
        for dimension in report.filters
        if dimension.name in given
    }


def _condition(dimension: Dimension, raw: str) -> Condition:
    negated = raw.startswith("!")
    parts = raw.removeprefix("!")
    if any(part.startswith("!") for part in parts.split(",")):
        raise refusal(
            dimension.name,
            "misplaced_negation",
            "A leading ! negates all of the values together; write %21 for one that begins so.",
        )
    values = _list(dimension.name, parts)
    for value in values:
        if dimension.values is not None:
            _choice(dimension.name, value, (*dimension.values, NOT_GIVEN), "unknown_value")
        elif dimension.is_day and value != NOT_GIVEN:
            _date(dimension.name, value)
    return among(values, negated=negated)


# -- form of the reply


def _limit(given: Mapping[str, str], kind: str) -> int:
    if "limit" not in given:
        return DEFAULT_ROWS[kind]
    text = decode(given["limit"])
    if not _LIMIT.fullmatch(text) or not 1 <= int(text) <= MOST_ROWS:
        raise refusal(
            "limit", "invalid_limit", f"{_shown(text)} is not a number from 1 to {MOST_ROWS}."
        )
    return int(text)


def _format(given: Mapping[str, str], accept: str) -> str:
    if "format" in given:
        return _choice("format", decode(given["format"]), FORMATS, "unknown_format")
    return _preferred(accept)


def _csv_form(given: Mapping[str, str]) -> CsvForm:
    separator = decode(given.get("separator", SEPARATORS[0]))
    _choice("separator", separator, SEPARATORS, "unknown_value")
    return CsvForm(excel=_flag("excel", given), semicolon=separator == "semicolon")


_MEDIA: Mapping[str, Callable[[str], bool]] = {
    "json": {"application/json", "application/*", "*/*"}.__contains__,
    "csv": {"text/csv", "text/*"}.__contains__,
}


def _preferred(accept: str) -> str:
    """csv where an Accept header likes it better than JSON, or as well and names it first."""
    liked = {"json": (0.0, 0), "csv": (0.0, 0)}
    for place, part in enumerate(accept.lower().split(",")):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        for kind, matches in _MEDIA.items():
            if matches(media):
                liked[kind] = max(liked[kind], (_quality(parameters), -place))
    return "csv" if liked["csv"] > liked["json"] else "json"


def _quality(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
