"""The core of the compiler, which applies one rule for each kind of node.

The portable subset *is* the set of registered rules (expressions.py, aggregates.py, queries.py). A
rule takes a node of sqlglot's tree of the Athena statement and returns DuckDB text and the Trino
type. A node without a rule, or with an argument that its rule does not know, is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlglot import exp
from sqlglot.errors import ErrorLevel

from local.athena.errors import NotEmulatedError, StatementError
from local.athena.trino_types import ANY, TrinoType, is_open, is_supported


@dataclass(frozen=True, slots=True)
class Typed:
    """An expression as DuckDB text, with the type that it has in Athena."""

    sql: str
    type: TrinoType


class Surroundings(Protocol):
    """The query around an expression, as far as the expression needs it."""

    def column(self, node: exp.Column) -> Typed:
        """The column that the name means; raises StatementError if none or several."""

    def subquery(self, node: exp.Expr) -> tuple[str, Sequence[TrinoType]]:
        """A query within the expression: its DuckDB text and the types of its columns."""

    def refuse(self, error: StatementError) -> None:
        """Raise the error, or collect it if all errors are wanted (check_portable)."""

    @property
    def checking(self) -> bool:
        """Whether types and parameters are not known, as in check_portable."""


Rule = Callable[[exp.Expr, Surroundings], Typed]

_RULES: dict[type[exp.Expr], tuple[Rule, frozenset[str]]] = {}

# Why well-known constructs are not in the subset.
_TRAPS: dict[type[exp.Expr], str] = {
    exp.DateAdd: "date arithmetic gives a TIMESTAMP in DuckDB (compute days before the statement)",
    exp.DateSub: "date arithmetic gives a TIMESTAMP in DuckDB (compute days before the statement)",
    exp.DateDiff: "Athena counts whole units, DuckDB counts boundaries",
    exp.TimestampTrunc: "DuckDB turns a date into a timestamp",
    exp.DateTrunc: "DuckDB turns a date into a timestamp",
    exp.Interval: "date arithmetic gives a TIMESTAMP in DuckDB (compute days before the statement)",
    exp.AtTimeZone: "a timestamp is read as UTC by Athena, as local time by DuckDB",
    exp.RegexpExtract: "without a match Athena gives NULL, DuckDB an empty text",
    exp.RegexpReplace: "the two number groups differently",
    exp.Extract: "Sunday is 7 in Athena, 0 in DuckDB",
    exp.ApproxQuantile: "approximate answers differ between the two",
    exp.ApproxDistinct: "approximate answers differ between the two",
    exp.Round: "a double's half is not rounded alike",
    exp.CurrentDate: "a statement with a clock in it never gives the same answer twice",
    exp.CurrentTimestamp: "a statement with a clock in it never gives the same answer twice",
}


def rule(*kinds: type[exp.Expr], args: str) -> Callable[[Rule], Rule]:
    """Register the rule of these kinds of nodes; `args` are the arguments that it knows."""

    def register(function: Rule) -> Rule:
        for kind in kinds:
            _RULES[kind] = (function, frozenset(args.split()))
        return function

    return register


def compiled(node: exp.Expr, around: Surroundings) -> Typed:
    """The expression as DuckDB text with its Athena type.

    Raises StatementError through `around.refuse`; where that returns, the type is ANY.
    """
    try:
        function, known = _RULES.get(type(node), (_no_rule, frozenset(node.args)))
        check_arguments(node, known)
        return function(node, around)
    except StatementError as error:
        around.refuse(error)
        return Typed("NULL", ANY)


def check_arguments(node: exp.Expr, known: frozenset[str]) -> None:
    """Raise NotEmulatedError if the node has other arguments than these."""
    for name, value in node.args.items():
        if value and name not in known:
            raise NotEmulatedError(
                f"{name} in {shown(node)}", "only what means the same in Athena and DuckDB is run"
            )


def _no_rule(node: exp.Expr, around: Surroundings) -> Typed:
    because = _TRAPS.get(type(node), "only what means the same in Athena and DuckDB is run")
    raise NotEmulatedError(shown(node), because)


def whole_number(node: exp.Expr | None) -> int | None:
    """The value of a literal whole number without a sign; None for any other node."""
    plain = isinstance(node, exp.Literal) and not node.is_string and node.name.isdecimal()
    return int(node.name) if plain and node else None


def shown(node: exp.Expr) -> str:
    """The node as Athena SQL, short enough for a message."""
    text: str = node.sql("athena", comments=False, unsupported_level=ErrorLevel.IGNORE)
    return text if len(text) <= 100 else f"{text[:97]}..."


def expect(value: Typed, fits: Callable[[TrinoType], bool], function: str) -> Typed:
    """A function's argument, if its type fits (an open type always does); else StatementError."""
    if not (is_open(value.type) or fits(value.type)):
        raise unknown_function(function, value.type)
    return value


def unknown_function(name: str, *parameters: TrinoType) -> StatementError:
    """Trino's error for arguments of wrong types: there is no such function."""
    given = ", ".join(map(str, parameters))
    return StatementError(
        f"FUNCTION_NOT_FOUND: Unexpected parameters ({given}) for function {name}"
    )


def expect_operand(value: Typed, fits: Callable[[TrinoType], bool], operator: str) -> Typed:
    """An operator's or a clause's operand, if its type fits; else raises StatementError."""
    if not (is_open(value.type) or fits(value.type)):
        raise StatementError(f"TYPE_MISMATCH: Cannot apply {operator} to {value.type}")
    return value


def touchable(value: Typed, name: str) -> Typed:
    """`value`, if the subset handles its type; else raises NotEmulatedError."""
    if not is_supported(value.type):
        raise NotEmulatedError(
            f"column {name} of type {value.type}", "the subset has no rules for this type"
        )
    return value
