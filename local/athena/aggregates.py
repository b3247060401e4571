"""The rules for aggregates, with FILTER and OVER, and for row_number and dense_rank."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from local.athena.compiler import (
    Surroundings,
    Typed,
    check_arguments,
    compiled,
    expect,
    expect_operand,
    rule,
    shown,
)
from local.athena.errors import NotEmulatedError, StatementError
from local.athena.expressions import as_type, comparable, condition, is_orderable
from local.athena.trino_types import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    MAX_PRECISION,
    TrinoType,
    decimal,
    is_decimal,
    is_integer,
    is_numeric,
    is_open,
    to_duckdb,
)


@dataclass(frozen=True, slots=True)
class Call:
    """An aggregate or window function before FILTER and OVER; `type` is what Athena returns."""

    sql: str
    type: TrinoType

    def ending(self, suffix: str) -> Typed:
        """The call with its FILTER or OVER. The cast undoes DuckDB's HUGEINT."""
        sql = f"{self.sql}{suffix}"
        if is_open(self.type):
            return Typed(sql, self.type)
        return Typed(f"CAST({sql} AS {to_duckdb(self.type)})", self.type)


_Maker = Callable[[exp.Expr, Surroundings], Call]

# ---- aggregates


def _count(node: exp.Expr, around: Surroundings) -> Call:
    if isinstance(node.this, exp.Star):
        return Call("count(*)", BIGINT)
    return Call(f"count({_argument(node, around)[0]})", BIGINT)


def _sum(node: exp.Expr, around: Surroundings) -> Call:
    sql, kind = _argument(node, around)
    expect(Typed(sql, kind), is_numeric, "sum")
    if is_decimal(kind):
        return Call(f"sum({sql})", decimal(MAX_PRECISION, kind.scale))
    return Call(f"sum({sql})", BIGINT if is_integer(kind) else kind)


def _average(node: exp.Expr, around: Surroundings) -> Call:
    value = compiled(node.this, around)
    if is_decimal(value.type):
        raise NotEmulatedError(shown(node), "DuckDB averages decimals as doubles")
    expect(value, is_numeric, "avg")
    return Call(f"avg({as_type(value, DOUBLE)})", DOUBLE)


def _extreme(node: exp.Expr, around: Surroundings) -> Call:
    name = "max" if isinstance(node, exp.Max) else "min"
    value = expect(compiled(node.this, around), is_orderable, name)
    return Call(f"{name}({value.sql})", value.type)


def _minimum_by(node: exp.Expr, around: Surroundings) -> Call:
    # This keeps the winner's NULL, as Athena does; DuckDB's min_by would take the runner-up.
    value = compiled(node.this, around)
    key = expect(compiled(node.expression, around), is_orderable, "min_by")
    return Call(f"arg_min_null({value.sql}, {key.sql})", value.type)


def _count_if(node: exp.Expr, around: Surroundings) -> Call:
    # DuckDB's own count_if is NULL where the condition is NULL in every row; Athena's is 0.
    return Call(f"count(CASE WHEN {condition(node.this, around, 'count_if')} THEN 1 END)", BIGINT)


def _all_or_any(node: exp.Expr, around: Surroundings) -> Call:
    name = "bool_and" if isinstance(node, exp.LogicalAnd) else "bool_or"
    return Call(f"{name}({condition(node.this, around, name)})", BOOLEAN)


def _argument(node: exp.Expr, around: Surroundings) -> tuple[str, TrinoType]:
    """The argument of count and sum, which may be DISTINCT."""
    inner, word = node.this, ""
    if isinstance(inner, exp.Distinct):
        check_arguments(inner, frozenset({"expressions"}))
        if len(inner.expressions) != 1:
            raise StatementError(
                "FUNCTION_NOT_FOUND: Unexpected parameters after DISTINCT, which takes one here"
            )
        inner, word = inner.expressions[0], "DISTINCT "
    value = compiled(inner, around)
    if word:
        comparable(value, "DISTINCT")
    return f"{word}{value.sql}", value.type


_AGGREGATES: dict[type[exp.Expr], tuple[_Maker, frozenset[str]]] = {
    exp.Count: (_count, frozenset({"this", "big_int"})),
    exp.Sum: (_sum, frozenset({"this"})),
    exp.Avg: (_average, frozenset({"this"})),
    exp.Max: (_extreme, frozenset({"this"})),
    exp.Min: (_extreme, frozenset({"this"})),
    exp.ArgMin: (_minimum_by, frozenset({"this", "expression"})),
    exp.CountIf: (_count_if, frozenset({"this"})),
    exp.LogicalAnd: (_all_or_any, frozenset({"this"})),
    exp.LogicalOr: (_all_or_any, frozenset({"this"})),
}


def _call(
    node: exp.Expr,
    around: Surroundings,
    makers: dict[type[exp.Expr], tuple[_Maker, frozenset[str]]],
) -> Call:
    if type(node) not in makers:
        raise NotEmulatedError(shown(node), "it is no aggregate or window function of the subset")
    make, known = makers[type(node)]
    check_arguments(node, known)
    return make(node, around)


@rule(*_AGGREGATES, args="this expression big_int")
def _aggregate(node: exp.Expr, around: Surroundings) -> Typed:
    return _call(node, around, _AGGREGATES).ending("")


@rule(exp.Filter, args="this expression")
def _filtered(node: exp.Expr, around: Surroundings) -> Typed:
    call = _call(node.this, around, _AGGREGATES)
    return call.ending(f" FILTER (WHERE {condition(node.expression.this, around)})")


# ---- window functions


_RANKS: dict[type[exp.Expr], str] = {exp.RowNumber: "row_number", exp.DenseRank: "dense_rank"}


def _rank(node: exp.Expr, around: Surroundings) -> Call:
    return Call(f"{_RANKS[type(node)]}()", BIGINT)


_WINDOWED: dict[type[exp.Expr], tuple[_Maker, frozenset[str]]] = {
    **_AGGREGATES,
    **{kind: (_rank, frozenset[str]()) for kind in _RANKS},
}


@rule(exp.Window, args="this partition_by order over")
def _window(node: exp.Expr, around: Surroundings) -> Typed:
    call = _windowed_call(node.this, around)
    clauses = []
    if node.args.get("partition_by"):
        keys = ", ".join(compiled(n, around).sql for n in node.args["partition_by"])
        clauses.append(f"PARTITION BY {keys}")
    if node.args.get("order"):
        clauses.append(f"ORDER BY {ordering(node.args['order'].expressions, around)}")
    return call.ending(f" OVER ({' '.join(clauses)})")


def _windowed_call(node: exp.Expr, around: Surroundings) -> Call:
    if isinstance(node, exp.Filter):
        raise StatementError("NOT_SUPPORTED: FILTER is not yet supported for window functions")
    if isinstance(node.this, exp.Distinct):
        raise NotEmulatedError(shown(node), "not every release of Trino has DISTINCT in a window")
    return _call(node, around, _WINDOWED)


def ordering(nodes: list[exp.Expr], around: Surroundings) -> str:
    """The keys of an ORDER BY. NULLs come last unless the statement says otherwise, as in Trino."""
    return ", ".join(f"{_sort_key(n, around)} {direction(n)}" for n in nodes)


def _sort_key(node: exp.Expr, around: Surroundings) -> str:
    return expect_operand(compiled(node.this, around), is_orderable, "ORDER BY").sql


def direction(node: exp.Expr) -> str:
    """ASC or DESC and the place of NULLs, both written out."""
    nulls = "FIRST" if node.args.get("nulls_first") else "LAST"
    return f"{'DESC' if node.args.get('desc') else 'ASC'} NULLS {nulls}"
