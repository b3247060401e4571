"""CAST and TRY_CAST with Trino's meaning, written for DuckDB.

DuckDB's own casts accept more ('12.7' becomes 13 as an integer, ' 1 ' and '1_0' are numbers) and
round halves of doubles to even. So text is first compared with the form that Trino accepts. Text
that only one of the two reads ends the statement.
"""

from collections.abc import Callable

from local.athena.errors import NotEmulatedError
from local.athena.trino_types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    MAX_PRECISION,
    VARCHAR,
    TrinoType,
    is_decimal,
    is_integer,
    is_numeric,
    is_open,
    to_duckdb,
)

_WHOLE = r"[+-]?[0-9]+"
_DECIMAL = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)"
_DOUBLE = _DECIMAL + r"([eE][+-]?[0-9]+)?"
_DAY = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
# Java reads these as numbers or days; DuckDB does not, or reads others. (?s): . matches a newline.
_ODD_WHOLE = r"(?s)[\x00-\x20].*|.*[\x00-\x20]|.*[^\x00-\x7f].*"
_ODD_DECIMAL = _DECIMAL + r"[eE][+-]?[0-9]+"
_ODD_DOUBLE = r"(?si)\s.*|.*\s|[+-]?(nan|infinity)|.*[0-9.][fd]|[+-]?0x.*"
_ODD_DAY = r"(?s)\s.*|.*\s|[+-].*|[0-9]{5,}-.*"

_Cast = Callable[[str, TrinoType, bool], str]


def cast(sql: str, source: TrinoType, target: TrinoType, *, safe: bool) -> str:
    """DuckDB's text for CAST(sql AS target), or TRY_CAST if `safe`.

    Raises NotEmulatedError for a pair of types outside of the subset.
    """
    if is_open(source) or source == target:
        return _plain(sql, target, safe)
    rule = _rule(source, target)
    if rule is None:
        word = "TRY_CAST" if safe else "CAST"
        raise NotEmulatedError(
            f"{word}({source} AS {target})", "its result is not the same in DuckDB for every value"
        )
    return rule(sql, target, safe)


def coerce(sql: str, source: TrinoType, target: TrinoType) -> str:
    """DuckDB's text of `sql` cast to `target`, a type that trino_types.common returned for it."""
    if source == target or is_open(target):
        return sql
    if target.precision > MAX_PRECISION:
        raise NotEmulatedError(f"a {target}", "it has more digits than Trino's widest decimal")
    if is_decimal(source) and target == DOUBLE:
        return _decimal_to_double(sql, target, safe=False)
    return _plain(sql, target, safe=False)


def _rule(source: TrinoType, target: TrinoType) -> _Cast | None:
    if source == VARCHAR:
        return _from_text(target)
    if target == VARCHAR:
        return _to_text(source)
    if source == BOOLEAN or target == BOOLEAN:
        return _plain if BOOLEAN in (source, target) and _is_whole(source, target) else None
    if not (is_numeric(source) and is_numeric(target)):
        return None
    if source == DOUBLE:
        return _double_to_whole if is_integer(target) else None
    return _decimal_to_double if is_decimal(source) and target == DOUBLE else _plain


def _is_whole(source: TrinoType, target: TrinoType) -> bool:
    return is_integer(source) or is_integer(target)


def _plain(sql: str, target: TrinoType, safe: bool) -> str:
    return f"{'TRY_CAST' if safe else 'CAST'}({sql} AS {to_duckdb(target)})"


def _decimal_to_double(sql: str, target: TrinoType, safe: bool) -> str:
    # By way of text the result is rounded correctly; DuckDB's own cast divides two rounded numbers.
    return _plain(f"CAST({sql} AS VARCHAR)", target, safe)


def _double_to_whole(sql: str, target: TrinoType, safe: bool) -> str:
    return _plain(f"round({sql})", target, safe)  # halves away from zero; DuckDB's cast: to even


def _to_text(source: TrinoType) -> _Cast | None:
    if is_decimal(source):
        # One more whole digit: DuckDB prints a decimal(2,2) as .05, Trino as 0.05.
        digits = min(MAX_PRECISION, source.precision + (source.precision == source.scale))
        wide = f"DECIMAL({digits},{source.scale})"
        return lambda sql, target, safe: _plain(f"CAST({sql} AS {wide})", target, safe)
    return _plain if source in (BOOLEAN, INTEGER, BIGINT, DATE) else None


def _from_text(target: TrinoType) -> _Cast | None:
    if target == BOOLEAN:
        return _text_to_boolean
    if is_integer(target):
        return _guarded(_WHOLE, odd=_ODD_WHOLE)
    if is_decimal(target):
        return _guarded(_DECIMAL, odd=_ODD_DECIMAL)
    return {DOUBLE: _guarded(_DOUBLE, odd=_ODD_DOUBLE), DATE: _guarded(_DAY, odd=_ODD_DAY)}.get(
        target
    )


def _guarded(pattern: str, odd: str) -> _Cast:
    """A cast of the text that matches `pattern`; `odd` text ends the statement, TRY_CAST or not."""

    def guarded(sql: str, target: TrinoType, safe: bool) -> str:
        reason = f"NOT_EMULATED: text cast to {target} in a form that only Trino reads"
        return (
            f"CASE WHEN regexp_full_match({sql}, '{pattern}') THEN {_plain(sql, target, safe)} "
            f"WHEN regexp_full_match({sql}, '{odd}') THEN error('{reason}') "
            f"WHEN {sql} IS NOT NULL THEN {_bad_text(sql, target, safe)} END"
        )

    return guarded


def _text_to_boolean(sql: str, target: TrinoType, safe: bool) -> str:
    return (
        f"CASE WHEN lower({sql}) IN ('true', 't', '1') THEN true "
        f"WHEN lower({sql}) IN ('false', 'f', '0') THEN false "
        f"WHEN {sql} IS NOT NULL THEN {_bad_text(sql, target, safe)} END"
    )


def _bad_text(sql: str, target: TrinoType, safe: bool) -> str:
    if safe:
        return "NULL"
    return f"error('INVALID_CAST_ARGUMENT: Cannot cast ''' || {sql} || ''' to {target}')"
