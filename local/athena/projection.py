"""Partition projection: computes a table's partitions from its properties instead of Glue's list.

As in Athena, rows of a partition outside of the projected range are not found even if its objects
exist, and the WHERE has to name the values of an `injected` key.
"""

import datetime as dt
import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence

from local.athena.errors import NotEmulatedError, StatementError
from local.athena.pruning import KeyFilter, parse_value
from local.athena.trino_types import TrinoType

MAX_PARTITIONS = 1_000_000
_UNIT_DAYS = {"DAY": 1, "WEEK": 7}


def is_projected(properties: Mapping[str, str]) -> bool:
    """Whether the table's properties switch projection on."""
    return properties.get("projection.enabled", "").lower() == "true"


def projected_partitions(
    keys: Mapping[str, TrinoType],
    location: str,
    properties: Mapping[str, str],
    filters: Mapping[str, KeyFilter],
    now: dt.datetime,
) -> list[tuple[tuple[str, ...], str]]:
    """Values and location of every projected partition that the filters admit.

    Raises StatementError for properties that Athena refuses and for an injected key without values.
    """
    candidates = [
        _candidates(name, kind, properties, filters.get(name, KeyFilter()), now)
        for name, kind in keys.items()
    ]
    if math.prod(map(len, candidates)) > MAX_PARTITIONS:
        raise NotEmulatedError(
            f"a projection of more than {MAX_PARTITIONS} partitions", "they are enumerated here"
        )
    template = properties.get("storage.location.template") or _default_template(location, keys)
    for name in keys:
        if f"${{{name}}}" not in template:
            raise StatementError(f"INVALID_TABLE_PROPERTY: {name} is not in the location template")
    return [(values, _filled(template, keys, values)) for values in itertools.product(*candidates)]


def _default_template(location: str, keys: Mapping[str, TrinoType]) -> str:
    return "/".join([location.rstrip("/"), *(f"{name}=${{{name}}}" for name in keys)])


def _filled(template: str, keys: Mapping[str, TrinoType], values: Sequence[str]) -> str:
    for name, value in zip(keys, values, strict=True):
        template = template.replace(f"${{{name}}}", value)
    return template


def _candidates(
    name: str,
    kind: TrinoType,
    properties: Mapping[str, str],
    wanted: KeyFilter,
    now: dt.datetime,
) -> list[str]:
    given = {
        key.removeprefix(f"projection.{name}."): value
        for key, value in properties.items()
        if key.startswith(f"projection.{name}.")
    }
    make = _KINDS.get(given.get("type", "").lower())
    if make is None:
        raise StatementError(
            f"INVALID_TABLE_PROPERTY: projection.{name}.type is {given.get('type')!r}, not one of "
            f"{', '.join(_KINDS)}"
        )
    admitted = []
    for text in make(name, given, wanted, now):
        value = parse_value(text, kind)
        if value is not None and wanted.admits(value):
            admitted.append(text)
    return admitted


def _days(name: str, given: Mapping[str, str], wanted: KeyFilter, now: dt.datetime) -> list[str]:
    if given.get("format") != "yyyy-MM-dd" or given.get("interval", "1") != "1":
        raise NotEmulatedError(
            f"projection.{name}.format or .interval", "only single days are known"
        )
    first, last = (day_of(end, now) for end in _range(name, given))
    first = max(first, _known_day(wanted.low) or first)
    last = min(last, _known_day(wanted.high) or last)
    return [(first + dt.timedelta(i)).isoformat() for i in range((last - first).days + 1)]


def _known_day(bound: object) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(bound))
    except ValueError:
        return None


def day_of(text: str, now: dt.datetime) -> dt.date:
    """The day of one end of a projected range.

    Raises NotEmulatedError unless it is a day, or NOW with a number of days or weeks.
    """
    text = text.replace(" ", "").upper()
    if match := re.fullmatch(r"NOW(?:([+-]\d+)(DAY|WEEK)S?)?", text):
        steps = int(match[1] or 0) * _UNIT_DAYS.get(match[2] or "DAY", 1)
        return now.date() + dt.timedelta(steps)
    day = _known_day(text)
    if day is None:
        raise NotEmulatedError(
            f"{text} in a projected range of days", "only NOW±nDAYS|WEEKS is known"
        )
    return day


def _range(name: str, given: Mapping[str, str]) -> tuple[str, str]:
    first, comma, last = given.get("range", "").partition(",")
    if not comma:
        raise StatementError(f"INVALID_TABLE_PROPERTY: projection.{name}.range takes two values")
    return first.strip(), last.strip()


def _enumerated(
    name: str, given: Mapping[str, str], wanted: KeyFilter, now: dt.datetime
) -> list[str]:
    return [value.strip() for value in given.get("values", "").split(",")]


def _integers(
    name: str, given: Mapping[str, str], wanted: KeyFilter, now: dt.datetime
) -> list[str]:
    first, last = (int(end) for end in _range(name, given))
    step, digits = int(given.get("interval", "1")), int(given.get("digits", "0"))
    if (last - first) // step > MAX_PARTITIONS:
        raise NotEmulatedError(f"projection.{name}.range", "its values are enumerated here")
    return [str(value).zfill(digits) for value in range(first, last + 1, step)]


def _injected(
    name: str, given: Mapping[str, str], wanted: KeyFilter, now: dt.datetime
) -> list[str]:
    if wanted.values is None:
        raise StatementError(
            f"CONSTRAINT_VIOLATION: For the injected projected partition column {name}, the WHERE "
            "clause must contain only static equality conditions, and at least one such condition "
            "must be present."
        )
    return sorted(map(str, wanted.values))


_KINDS: dict[str, Callable[[str, Mapping[str, str], KeyFilter, dt.datetime], list[str]]] = {
    "date": _days,
    "enum": _enumerated,
    "integer": _integers,
    "injected": _injected,
}
