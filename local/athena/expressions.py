"""The rules for literals, operators, conditionals and scalar functions."""

# ruff: noqa: S608 - this module's work is to write SQL; names and texts in it are quoted

import re

from sqlglot import exp

from local.athena import casts
from local.athena.compiler import (
    Surroundings,
    Typed,
    compiled,
    expect,
    expect_operand,
    rule,
    shown,
    unknown_function,
    whole_number,
)
from local.athena.errors import NotEmulatedError, StatementError
from local.athena.trino_types import (
    ANY,
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    MAX_PRECISION,
    NULL,
    VARCHAR,
    TrinoType,
    as_decimal,
    common,
    decimal,
    is_decimal,
    is_integer,
    is_numeric,
    is_open,
    of_number,
    scalar,
    to_duckdb,
)

# ---- building blocks


def quoted(text: str) -> str:
    """A text literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name in quotes, so that it is never a keyword."""
    return '"' + name.replace('"', '""') + '"'


def as_type(value: Typed, target: TrinoType) -> str:
    """DuckDB text of the value cast to a type that `common` returned for it."""
    return casts.coerce(value.sql, value.type, target)


_CLASS = re.compile(r"\[\^(\\[tnr]|[^\\\[\]&^])+\]")
"""A pattern that is one class of characters: ranges, and no escapes but those of white space."""


def unified(values: list[Typed], where: str, *, function: bool = False) -> TrinoType:
    """The common type of several values: a construct's operands, or a function's arguments.

    Raises StatementError if Trino finds none.
    """
    result = values[0].type
    for value in values[1:]:
        found = common(result, value.type)
        if found is None and function:
            raise unknown_function(where, result, value.type)
        if found is None:
            raise StatementError(
                f"TYPE_MISMATCH: {where} mixes {result} and {value.type}, which Athena refuses"
            )
        result = found
    return result


def condition(node: exp.Expr, around: Surroundings, function: str | None = None) -> str:
    """DuckDB text of a clause, operand or argument, which has to be boolean."""
    value = compiled(node, around)
    if not (is_open(value.type) or value.type == BOOLEAN):
        around.refuse(
            unknown_function(function, value.type)
            if function
            else StatementError(
                f"TYPE_MISMATCH: {shown(node)} must be boolean, but is {value.type}"
            )
        )
    return value.sql


def _both(node: exp.Expr, around: Surroundings) -> tuple[Typed, Typed]:
    return compiled(node.this, around), compiled(node.expression, around)


def _all(nodes: list[exp.Expr], around: Surroundings) -> list[Typed]:
    return [compiled(node, around) for node in nodes]


def _is_text(t: TrinoType) -> bool:
    return t == VARCHAR


def is_orderable(t: TrinoType) -> bool:
    """Whether values of the type can be compared: maps and arrays cannot, here."""
    return not t.parts


# ---- literals


@rule(exp.Literal, args="this is_string")
def _literal(node: exp.Expr, around: Surroundings) -> Typed:
    text = str(node.this)
    if node.is_string:
        return Typed(quoted(text), VARCHAR)
    kind = of_number(text)
    # The cast keeps DuckDB from choosing a narrower type, and a number from reading as a position.
    return Typed(f"CAST({text} AS {to_duckdb(kind)})", kind)


@rule(exp.Boolean, args="this")
def _boolean(node: exp.Expr, around: Surroundings) -> Typed:
    return Typed("true" if node.this else "false", BOOLEAN)


@rule(exp.Null, args="")
def _null(node: exp.Expr, around: Surroundings) -> Typed:
    return Typed("NULL", NULL)


@rule(exp.Placeholder, args="this")
def _parameter(node: exp.Expr, around: Surroundings) -> Typed:
    if not around.checking:
        raise StatementError("INVALID_PARAMETER_USAGE: a named parameter was given no value")
    return Typed("NULL", ANY)


# ---- names


@rule(exp.Column, args="this table db catalog")
def _column(node: exp.Expr, around: Surroundings) -> Typed:
    assert isinstance(node, exp.Column)  # noqa: S101 - narrows for the type checker
    return around.column(node)


@rule(exp.Paren, args="this")
def _paren(node: exp.Expr, around: Surroundings) -> Typed:
    value = compiled(node.this, around)
    return Typed(f"({value.sql})", value.type)


# ---- arithmetic


@rule(exp.Neg, args="this")
def _negative(node: exp.Expr, around: Surroundings) -> Typed:
    value = expect_operand(compiled(node.this, around), is_numeric, "-")
    return _cast_to(f"-({value.sql})", value.type)


@rule(exp.Add, exp.Sub, args="this expression")
def _sum(node: exp.Expr, around: Surroundings) -> Typed:
    sign = "+" if isinstance(node, exp.Add) else "-"
    left, right, kind = _operands(node, sign, around)
    if is_decimal(kind):
        kind = decimal(min(MAX_PRECISION, kind.precision + 1), kind.scale)
    return _cast_to(f"{as_type(left, kind)} {sign} {as_type(right, kind)}", kind)


@rule(exp.Mul, args="this expression")
def _product(node: exp.Expr, around: Surroundings) -> Typed:
    left, right, kind = _operands(node, "*", around)
    if not is_decimal(kind):
        return _cast_to(f"{as_type(left, kind)} * {as_type(right, kind)}", kind)
    a, b = as_decimal(left.type), as_decimal(right.type)
    digits = a.precision + b.precision
    if digits > MAX_PRECISION:
        raise NotEmulatedError(
            shown(node), f"{a} * {b} has up to {digits} digits, more than a decimal holds"
        )
    # With the left operand as wide as the result, DuckDB computes in 128 bits if it needs them.
    wide = as_type(left, decimal(digits, a.scale))
    return _cast_to(f"{wide} * {as_type(right, b)}", decimal(digits, a.scale + b.scale))


@rule(exp.Div, args="this expression typed safe")
def _quotient(node: exp.Expr, around: Surroundings) -> Typed:
    left, right, kind = _operands(node, "/", around)
    if is_decimal(kind):
        raise NotEmulatedError(shown(node), "DuckDB divides decimals as doubles")
    a, b = as_type(left, kind), as_type(right, kind)
    if kind == DOUBLE:
        stop = "error('NOT_EMULATED: a double divided by zero, because DuckDB has no NaN here')"
        return Typed(f"CASE WHEN {b} = 0 THEN {stop} ELSE {a} / {b} END", DOUBLE)
    return _cast_to(f"{a} // {b}", kind)


@rule(exp.Mod, args="this expression")
def _remainder(node: exp.Expr, around: Surroundings) -> Typed:
    left, right, kind = _operands(node, "%", around)
    if not (is_open(kind) or is_integer(kind)):
        raise NotEmulatedError(shown(node), f"remainders of {kind} are not known to agree")
    return _cast_to(f"{as_type(left, kind)} % {as_type(right, kind)}", kind)


def comparable(value: Typed, clause: str) -> Typed:
    """Return the value. Raises NotEmulatedError if the emulation cannot compare its type."""
    if not (is_open(value.type) or is_orderable(value.type)):
        raise NotEmulatedError(
            f"{clause} over a {value.type}", "maps and arrays are not compared here"
        )
    return value


def _operands(
    node: exp.Expr, operator: str, around: Surroundings
) -> tuple[Typed, Typed, TrinoType]:
    left, right = _both(node, around)
    for side in (left, right):
        if side.type == DATE:
            raise NotEmulatedError(shown(node), "date arithmetic gives a TIMESTAMP in DuckDB")
    kind = common(left.type, right.type)
    if kind is None or not (is_open(kind) or is_numeric(kind)):
        raise StatementError(
            f"TYPE_MISMATCH: Cannot apply operator: {left.type} {operator} {right.type}"
        )
    return left, right, kind


def _cast_to(sql: str, kind: TrinoType) -> Typed:
    return Typed(f"({sql})" if is_open(kind) else f"CAST({sql} AS {to_duckdb(kind)})", kind)


# ---- comparison and logic

_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}


@rule(*_COMPARISONS, args="this expression")
def _comparison(node: exp.Expr, around: Surroundings) -> Typed:
    left, right = _both(node, around)
    return Typed(f"({compared(left, _COMPARISONS[type(node)], right)})", BOOLEAN)


def compared(left: Typed, operator: str, right: Typed) -> str:
    """DuckDB text of the comparison. Raises StatementError for types that Athena cannot compare."""
    kind = common(left.type, right.type)
    if kind is None:
        raise StatementError(
            f"TYPE_MISMATCH: Cannot apply operator: {left.type} {operator} {right.type}"
        )
    if not is_orderable(kind):
        raise NotEmulatedError(f"{kind} {operator} {kind}", "maps and arrays are not compared here")
    return f"{as_type(left, kind)} {operator} {as_type(right, kind)}"


@rule(exp.Between, args="this low high")
def _between(node: exp.Expr, around: Surroundings) -> Typed:
    value, low, high = _all([node.this, node.args["low"], node.args["high"]], around)
    return Typed(f"({compared(value, '>=', low)} AND {compared(value, '<=', high)})", BOOLEAN)


@rule(exp.In, args="this expressions query")
def _in(node: exp.Expr, around: Surroundings) -> Typed:
    value = compiled(node.this, around)
    if query := node.args.get("query"):
        sql, types = around.subquery(query)
        return Typed(_in_subquery(value, sql, list(types)), BOOLEAN)
    return _member(value, _all(node.expressions, around), "IN")


def _in_subquery(value: Typed, sql: str, types: list[TrinoType]) -> str:
    if len(types) != 1:
        raise StatementError(f"TYPE_MISMATCH: IN takes one column, the subquery has {len(types)}")
    inner = Typed('"v"', types[0])
    kind = unified([value, inner], "IN")
    return f'({as_type(value, kind)} IN (SELECT {as_type(inner, kind)} FROM ({sql}) AS "q"("v")))'


@rule(exp.ArrayContains, args="this expression")
def _contains(node: exp.Expr, around: Surroundings) -> Typed:
    if isinstance(node.this, exp.Placeholder) and around.checking:
        return Typed("NULL", BOOLEAN if compiled(node.expression, around) else ANY)
    if not isinstance(node.this, exp.Array) or not node.this.expressions:
        raise NotEmulatedError(shown(node), "contains() takes a written-out ARRAY[...] only")
    # IN treats NULL as contains does: NULL if the value is NULL, or not there but a NULL is.
    return _member(
        compiled(node.expression, around), _all(node.this.expressions, around), "contains"
    )


def _member(value: Typed, items: list[Typed], where: str) -> Typed:
    kind = unified([value, *items], where, function=where == "contains")
    if not is_orderable(kind):
        raise NotEmulatedError(f"{where} of {kind}", "maps and arrays are not compared here")
    inside = ", ".join(as_type(item, kind) for item in items)
    return Typed(f"({as_type(value, kind)} IN ({inside}))", BOOLEAN)


@rule(exp.Is, args="this expression")
def _is_null(node: exp.Expr, around: Surroundings) -> Typed:
    if not isinstance(node.expression, exp.Null):
        raise StatementError(f"SYNTAX_ERROR: {shown(node)}: only IS [NOT] NULL is known")
    return Typed(f"({compiled(node.this, around).sql} IS NULL)", BOOLEAN)


@rule(exp.And, exp.Or, args="this expression")
def _connector(node: exp.Expr, around: Surroundings) -> Typed:
    word = " AND " if isinstance(node, exp.And) else " OR "
    return Typed("(" + word.join(condition(n, around) for n in node.flatten()) + ")", BOOLEAN)


@rule(exp.Not, args="this")
def _not(node: exp.Expr, around: Surroundings) -> Typed:
    return Typed(f"(NOT {condition(node.this, around)})", BOOLEAN)


@rule(exp.Exists, args="this")
def _exists(node: exp.Expr, around: Surroundings) -> Typed:
    return Typed(f"EXISTS ({around.subquery(node.this)[0]})", BOOLEAN)


@rule(exp.Subquery, args="this")
def _scalar_subquery(node: exp.Expr, around: Surroundings) -> Typed:
    sql, types = around.subquery(node)
    if len(types) != 1:
        raise NotEmulatedError(shown(node), "several columns are one row in Athena")
    return Typed(f"({sql})", types[0])


# ---- conditionals


@rule(exp.Case, args="this ifs default")
def _case(node: exp.Expr, around: Surroundings) -> Typed:
    subject = compiled(node.this, around) if node.this else None
    arms = [
        (_when(subject, arm, around), compiled(arm.args["true"], around))
        for arm in node.args["ifs"]
    ]
    default = node.args.get("default")
    otherwise = compiled(default, around) if default else Typed("NULL", NULL)
    return _choice(arms, otherwise)


def _when(subject: Typed | None, arm: exp.Expr, around: Surroundings) -> str:
    if subject is None:
        return condition(arm.this, around)
    return compared(subject, "=", compiled(arm.this, around))


def _choice(arms: list[tuple[str, Typed]], otherwise: Typed) -> Typed:
    kind = unified([*(value for _, value in arms), otherwise], "CASE")
    whens = " ".join(f"WHEN {when} THEN {as_type(value, kind)}" for when, value in arms)
    return Typed(f"CASE {whens} ELSE {as_type(otherwise, kind)} END", kind)


@rule(exp.If, args="this true false")
def _if(node: exp.Expr, around: Surroundings) -> Typed:
    false = node.args.get("false")
    otherwise = compiled(false, around) if false else Typed("NULL", NULL)
    return _choice([(condition(node.this, around), compiled(node.args["true"], around))], otherwise)


@rule(exp.Coalesce, args="this expressions")
def _coalesce(node: exp.Expr, around: Surroundings) -> Typed:
    values = _all([node.this, *node.expressions], around)
    kind = unified(values, "COALESCE")
    return Typed(f"coalesce({', '.join(as_type(v, kind) for v in values)})", kind)


@rule(exp.Nullif, args="this expression")
def _nullif(node: exp.Expr, around: Surroundings) -> Typed:
    value, other = _both(node, around)
    return Typed(
        f"CASE WHEN {compared(value, '=', other)} THEN NULL ELSE {value.sql} END", value.type
    )


@rule(exp.Greatest, exp.Least, args="this expressions")
def _extreme(node: exp.Expr, around: Surroundings) -> Typed:
    values = _all([node.this, *node.expressions], around)
    name = "greatest" if isinstance(node, exp.Greatest) else "least"
    kind = unified(values, name, function=True)
    if not is_orderable(kind):
        raise NotEmulatedError(shown(node), "maps and arrays are not compared here")
    items = [as_type(value, kind) for value in values]
    missing = " OR ".join(f"{item} IS NULL" for item in items)  # DuckDB would skip a NULL
    return Typed(f"CASE WHEN {missing} THEN NULL ELSE {name}({', '.join(items)}) END", kind)


# ---- casts


@rule(exp.Cast, exp.TryCast, args="this to safe")
def _cast(node: exp.Expr, around: Surroundings) -> Typed:
    target = _target(node.args["to"])
    value = compiled(node.this, around)
    safe = isinstance(node, exp.TryCast)
    return Typed(casts.cast(value.sql, value.type, target, safe=safe), target)


def _target(node: exp.DataType) -> TrinoType:
    parameters = [int(p.name) for p in node.expressions if isinstance(p, exp.DataTypeParam)]
    if node.this == exp.DataType.Type.DECIMAL and len(parameters) == 2:
        return decimal(*parameters)
    if node.this == exp.DataType.Type.DECIMAL:
        raise NotEmulatedError(
            "DECIMAL without precision and scale",
            "a literal and a cast cannot be told apart (write CAST(... AS decimal(p,s)))",
        )
    if node.this == exp.DataType.Type.MAP and len(node.expressions) == 2:
        return TrinoType("map", parts=tuple(map(_target, node.expressions)))
    target = scalar({"INT": "integer"}.get(node.this.value, node.this.value.lower()))
    if target is None or parameters:
        raise NotEmulatedError(f"the type {shown(node)}", "the subset has no rules for it")
    return target


# ---- scalar functions


@rule(exp.DPipe, args="this expression safe")
def _pipes(node: exp.Expr, around: Surroundings) -> Typed:
    return _joined(_both(node, around))


@rule(exp.Concat, args="expressions safe coalesce")
def _concat(node: exp.Expr, around: Surroundings) -> Typed:
    return _joined(tuple(_all(node.expressions, around)))


def _joined(values: tuple[Typed, ...]) -> Typed:
    parts = [expect(value, _is_text, "concat").sql for value in values]
    return Typed(f"({' || '.join(parts)})", VARCHAR)  # NULL if any is; DuckDB's concat skips NULLs


@rule(exp.Like, args="this expression")
def _like(node: exp.Expr, around: Surroundings) -> Typed:
    value, pattern = (expect_operand(side, _is_text, "LIKE") for side in _both(node, around))
    return Typed(f"({value.sql} LIKE {pattern.sql})", BOOLEAN)


@rule(exp.Lower, exp.Upper, args="this")
def _letter_case(node: exp.Expr, around: Surroundings) -> Typed:
    name = "lower" if isinstance(node, exp.Lower) else "upper"
    text = expect(compiled(node.this, around), _is_text, name).sql
    if isinstance(node, exp.Lower):
        return Typed(f"lower({text})", VARCHAR)
    stop = "error('NOT_EMULATED: upper() of a text with ß, which Athena keeps as it is')"
    return Typed(f"CASE WHEN contains({text}, 'ß') THEN {stop} ELSE upper({text}) END", VARCHAR)


@rule(exp.Hex, exp.LowerHex, args="this")
def _sha256(node: exp.Expr, around: Surroundings) -> Typed:
    digest = node.this
    text = digest.this if isinstance(digest, exp.SHA2Digest) else None
    if not (isinstance(text, exp.Encode) and digest.args["length"].name == "256"):
        raise NotEmulatedError(shown(node), "bytes are known as to_hex(sha256(to_utf8(text))) only")
    value = expect(compiled(text.this, around), _is_text, "to_utf8").sql
    hexadecimal = f"sha256({value})"  # DuckDB's is a text already, in small letters
    return Typed(
        hexadecimal if isinstance(node, exp.LowerHex) else f"upper({hexadecimal})", VARCHAR
    )


@rule(exp.Length, args="this")
def _length(node: exp.Expr, around: Surroundings) -> Typed:
    text = expect(compiled(node.this, around), _is_text, "length").sql
    return Typed(f"length({text})", BIGINT)


@rule(exp.Substring, args="this start length")
def _substring(node: exp.Expr, around: Surroundings) -> Typed:
    text = expect(compiled(node.this, around), _is_text, "substr").sql
    start, length = whole_number(node.args["start"]), whole_number(node.args.get("length"))
    if not start or (node.args.get("length") and length is None):
        raise NotEmulatedError(
            shown(node), "a start below 1 is counted differently (write substr(text, 1, 10))"
        )
    tail = "" if length is None else f", {length}"
    return Typed(f"substring({text}, {start}{tail})", VARCHAR)


@rule(exp.Bracket, args="this expressions offset safe")
def _element(node: exp.Expr, around: Surroundings) -> Typed:
    if not node.args.get("safe"):
        reason = "a missing key is an error in Athena, NULL in DuckDB (write element_at(map, key))"
        raise NotEmulatedError(shown(node), reason)
    value, (key,) = compiled(node.this, around), node.expressions
    if not isinstance(key, exp.Literal) or value.type.parts not in ((), (VARCHAR, VARCHAR)):
        raise NotEmulatedError("element_at", "only texts of a map are known, by a written-out key")
    return Typed(f"map_extract_value({value.sql}, {compiled(key, around).sql})", VARCHAR)


@rule(exp.StrPosition, args="this substr")
def _position(node: exp.Expr, around: Surroundings) -> Typed:
    text, part = (
        expect(compiled(one, around), _is_text, "strpos").sql
        for one in (node.this, node.args["substr"])
    )
    return Typed(f"strpos({text}, {part})", BIGINT)


@rule(exp.Translate, args="this from_ to")
def _translated(node: exp.Expr, around: Surroundings) -> Typed:
    text = expect(compiled(node.this, around), _is_text, "translate").sql
    given = node.args["from_"]
    if not isinstance(given, exp.Literal) or len({*given.name}) < len(given.name):
        reason = "the characters are written out, each once: which of two counts may differ"
        raise NotEmulatedError("translate", reason)
    others = (
        expect(compiled(one, around), _is_text, "translate").sql for one in (given, node.args["to"])
    )
    return Typed(f"translate({text}, {', '.join(others)})", VARCHAR)


@rule(exp.RegexpLike, args="this expression")
def _matches(node: exp.Expr, around: Surroundings) -> Typed:
    pattern = node.expression
    if not isinstance(pattern, exp.Literal) or not _CLASS.fullmatch(pattern.name):
        raise NotEmulatedError(
            "regexp_like", "engines read patterns differently: one class [^...] alone is known"
        )
    text = expect(compiled(node.this, around), _is_text, "regexp_like").sql
    return Typed(f"regexp_matches({text}, {quoted(pattern.name)})", BOOLEAN)


@rule(exp.Abs, args="this")
def _absolute(node: exp.Expr, around: Surroundings) -> Typed:
    value = expect(compiled(node.this, around), is_numeric, "abs")
    return _cast_to(f"abs({value.sql})", value.type)
