"""Compiles a whole query of the portable subset to DuckDB text.

Names are resolved as Trino does it: a name means a column of the FROM clause, except in ORDER BY,
where an output column comes first. Each mention of a table becomes a Scan: a query that the
engine writes before the text, of the columns that the query reads and the partitions that its WHERE
can need.
"""

# ruff: noqa: S608 - this module's work is to write SQL; names and texts in it are quoted

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlglot import exp

from local.athena.aggregates import direction, ordering
from local.athena.compiler import (
    Typed,
    check_arguments,
    compiled,
    shown,
    touchable,
    whole_number,
)
from local.athena.errors import NotEmulatedError, StatementError
from local.athena.expressions import as_type, comparable, condition, identifier, unified
from local.athena.pruning import KeyFilter, key_filters
from local.athena.trino_types import ANY, NULL, VARCHAR, TrinoType, is_open


class TableSchema(Protocol):
    """A table, as far as a query needs it."""

    @property
    def columns(self) -> Mapping[str, TrinoType]:
        """Every column, partition keys last."""

    @property
    def keys(self) -> Mapping[str, TrinoType]:
        """The partition keys."""


class Catalog(Protocol):
    """Finds tables by name."""

    def table(self, database: str | None, name: str) -> TableSchema | None:
        """The table, or None if it may have any columns. Raises StatementError if there is none."""


@dataclass(slots=True)
class Scan:
    """One mention of a table: a name for its rows, and which columns and partitions it needs."""

    name: str
    table: TableSchema
    columns: set[str] = field(default_factory=set)
    filters: dict[str, KeyFilter] = field(default_factory=dict)


PATH = "$path"
"""The hidden column of every table with the address of the object that a row comes from."""


@dataclass(frozen=True, slots=True)
class Output:
    """One column of a result. `named` is False where the statement gave it no name."""

    name: str
    type: TrinoType
    named: bool = True


@dataclass(frozen=True, slots=True)
class Compiled:
    """A query as DuckDB text, and its columns. `is_open`: it may have more, of unknown tables."""

    sql: str
    outputs: tuple[Output, ...]
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """An item of FROM: its alias, its columns, and its scan if it is a table."""

    alias: str
    sql: str
    columns: tuple[Output, ...]
    is_open: bool = False
    scan: Scan | None = None


class QueryCompiler:
    """Compiles one statement; collects its scans and, when checking, all of its errors."""

    def __init__(self, catalog: Catalog, *, checking: bool = False) -> None:
        self.catalog = catalog
        self.checking = checking
        self.scans: list[Scan] = []
        self.problems: list[str] = []
        self._nameless = 0

    def compile(self, query: exp.Expr) -> Compiled:
        """The query as DuckDB text. Raises StatementError; when checking it fills `problems`."""
        return self.query(query, {})

    def refuse(self, error: StatementError) -> None:
        """Raise the error; when checking, collect it and go on."""
        if not self.checking:
            raise error
        if str(error) not in self.problems:
            self.problems.append(str(error))

    # ---- queries

    def query(self, node: exp.Expr, ctes: Mapping[str, Relation]) -> Compiled:
        """Compile a SELECT, UNION or VALUES, in brackets or not, that sees the outer `ctes`."""
        if isinstance(node, exp.Subquery) and not _own_clauses(node):
            return self.query(node.this, ctes)
        prefix, ctes = self._with(node, ctes)
        if isinstance(node, exp.Select):
            result = _SelectCompiler(self, node, ctes).compile()
        elif isinstance(node, exp.SetOperation):
            result = self._set_operation(node, ctes)
        elif isinstance(node, exp.Subquery):
            result = self._bracketed(node, ctes)
        else:
            raise NotEmulatedError(shown(node), "only SELECT queries are run")
        return Compiled(prefix + result.sql, result.outputs, result.is_open)

    def _with(
        self, node: exp.Expr, ctes: Mapping[str, Relation]
    ) -> tuple[str, Mapping[str, Relation]]:
        clause = node.args.get("with_")
        if not clause:
            return "", ctes
        check_arguments(clause, frozenset({"expressions"}))
        known, parts = dict(ctes), []
        for cte in clause.expressions:
            check_arguments(cte, frozenset({"this", "alias"}))
            relation = self._named(self.query(cte.this, known), cte.args["alias"])
            name = identifier(relation.alias)
            parts.append(f"{name}({_names(relation.columns)}) AS ({relation.sql})")
            known[relation.alias] = Relation(
                relation.alias, name, relation.columns, relation.is_open
            )
        return f"WITH {', '.join(parts)} ", known

    def _set_operation(self, node: exp.SetOperation, ctes: Mapping[str, Relation]) -> Compiled:
        check_arguments(
            node,
            frozenset({"this", "expression", "distinct", "order", "limit", "offset", "with_"}),
        )
        if not isinstance(node, exp.Union):
            raise NotEmulatedError(shown(node), "of set operations only UNION is run")
        left, right = self.query(node.this, ctes), self.query(node.expression, ctes)
        word = "UNION" if node.args.get("distinct") else "UNION ALL"
        outputs, is_open = left.outputs, left.is_open or right.is_open
        if not is_open:
            outputs = _unified_outputs(left, right, word)
            left, right = _brought_to(left, outputs), _brought_to(right, outputs)
        sql = f"({left.sql}) {word} ({right.sql})"
        return Compiled(sql + self._tail(node, outputs), outputs, is_open)

    def _bracketed(self, node: exp.Subquery, ctes: Mapping[str, Relation]) -> Compiled:
        """(query) with an ORDER BY or LIMIT of its own."""
        check_arguments(node, frozenset({"this", "order", "limit", "offset", "with_"}))
        inner = self.query(node.this, ctes)
        sql = f"SELECT * FROM ({inner.sql}) AS {identifier('q')}"
        return Compiled(sql + self._tail(node, inner.outputs), inner.outputs, inner.is_open)

    def _tail(self, node: exp.Expr, outputs: Sequence[Output]) -> str:
        """ORDER BY, OFFSET, LIMIT of a set operation, which sees its output columns only."""
        keys = []
        for term in node.args["order"].expressions if node.args.get("order") else []:
            position = output_position(term.this, outputs)
            if position is None:
                raise NotEmulatedError(shown(term), "a UNION is ordered by its columns only")
            keys.append(f"{position} {direction(term)}")
        order = f" ORDER BY {', '.join(keys)}" if keys else ""
        return order + row_limit(node)

    # ---- FROM

    def relation(self, node: exp.Expr, ctes: Mapping[str, Relation]) -> Relation:
        """A table, a CTE, a subquery or VALUES in a FROM clause."""
        if isinstance(node, exp.Table):
            return self._table(node, ctes)
        if isinstance(node, exp.Subquery):
            if alias := node.args.get("alias"):
                check_arguments(node, frozenset({"this", "alias"}))
                return self._derived(self._named(self.query(node.this, ctes), alias))
            return self._derived(self._unnamed(self.query(node, ctes)))
        if isinstance(node, exp.Values):
            return self._derived(self._named(self._values(node), node.args.get("alias")))
        raise NotEmulatedError(shown(node), "only tables, subqueries and VALUES stand in FROM")

    def _table(self, node: exp.Table, ctes: Mapping[str, Relation]) -> Relation:
        check_arguments(node, frozenset({"this", "db", "catalog", "alias"}))
        if not isinstance(node.this, exp.Identifier):
            raise NotEmulatedError(shown(node), "table functions are not run")
        name, database = node.name.lower(), node.db.lower() or None
        if node.catalog and node.catalog.lower() != "awsdatacatalog":
            raise StatementError(f"CATALOG_NOT_FOUND: Catalog '{node.catalog}' not found")
        alias = node.args.get("alias")
        if alias and alias.columns:
            raise NotEmulatedError(shown(node), "a table's columns are not renamed by its alias")
        label = alias.name.lower() if alias else name
        if database is None and name in ctes:
            cte = ctes[name]
            return Relation(label, f"{cte.sql} AS {identifier(label)}", cte.columns, cte.is_open)
        return self._scan(label, database, name)

    def _scan(self, label: str, database: str | None, name: str) -> Relation:
        table = self.catalog.table(database, name)
        if table is None:
            return Relation(label, identifier(label), (), is_open=True)
        scan = Scan(f"scan_{len(self.scans)}_{name}", table)
        self.scans.append(scan)
        columns = tuple(Output(n, t) for n, t in table.columns.items())
        sql = f"{identifier(scan.name)} AS {identifier(label)}"
        return Relation(label, sql, columns, scan=scan)

    def _values(self, node: exp.Values) -> Compiled:
        check_arguments(node, frozenset({"expressions", "alias"}))
        rows = [
            [compiled(cell, _Constants(self)) for cell in row.expressions]
            for row in node.expressions
        ]
        if len({len(row) for row in rows}) != 1:
            raise StatementError("TYPE_MISMATCH: Values rows have mismatched sizes")
        kinds = [unified(list(column), "VALUES") for column in zip(*rows, strict=True)]
        body = ", ".join(
            f"({', '.join(as_type(c, k) for c, k in zip(row, kinds, strict=True))})" for row in rows
        )
        outputs = tuple(Output(f"_col{i}", kind, named=False) for i, kind in enumerate(kinds))
        return Compiled(f"VALUES {body}", outputs)

    def _named(self, query: Compiled, alias: exp.TableAlias | None) -> Relation:
        if alias is None:
            return self._unnamed(query)
        columns = query.outputs
        if names := [c.name.lower() for c in alias.columns]:
            if len(names) != len(columns) and not query.is_open:
                raise StatementError(
                    f"MISMATCHED_COLUMN_ALIASES: Column alias list has {len(names)} entries but "
                    f"'{alias.name}' has {len(columns)} columns available"
                )
            kinds = [c.type for c in columns] + [ANY] * len(names)
            columns = tuple(Output(n, t) for n, t in zip(names, kinds, strict=False))
        return Relation(alias.name.lower(), query.sql, columns, query.is_open)

    def _unnamed(self, query: Compiled) -> Relation:
        self._nameless += 1
        return Relation(f"_query_{self._nameless}", query.sql, query.outputs, query.is_open)

    def _derived(self, relation: Relation) -> Relation:
        sql = f"({relation.sql}) AS {identifier(relation.alias)}({_names(relation.columns)})"
        return Relation(relation.alias, sql, relation.columns, relation.is_open)


class _Constants:
    """The surroundings of VALUES, which sees no columns."""

    def __init__(self, compiler: QueryCompiler) -> None:
        self.compiler = compiler
        self.checking = compiler.checking

    def column(self, node: exp.Column) -> Typed:
        raise StatementError(f"COLUMN_NOT_FOUND: Column '{shown(node)}' cannot be resolved")

    def subquery(self, node: exp.Expr) -> tuple[str, Sequence[TrinoType]]:
        raise NotEmulatedError(shown(node), "VALUES hold no subqueries")

    def refuse(self, error: StatementError) -> None:
        self.compiler.refuse(error)


_SELECT_ARGUMENTS = frozenset(
    {"with_", "expressions", "distinct", "from_", "joins", "where", "group", "having"}
    | {"order", "limit", "offset"}
)


class _SelectCompiler:
    """One SELECT. It is also the surroundings of the expressions in it."""

    def __init__(
        self, compiler: QueryCompiler, node: exp.Select, ctes: Mapping[str, Relation]
    ) -> None:
        self.compiler = compiler
        self.checking = compiler.checking
        self.node = node
        self.ctes = ctes
        self.relations: list[Relation] = []
        self.items: list[tuple[Typed, Output]] = []
        self.ordering_now = False

    def compile(self) -> Compiled:
        """The SELECT as DuckDB text."""
        node = self.node
        check_arguments(node, _SELECT_ARGUMENTS)
        source = self._from()
        where = self._filter("WHERE", node.args.get("where"))
        self._prune()
        self.items = list(self._select_items())
        items = ", ".join(f"{v.sql} AS {identifier(o.name)}" for v, o in self.items) or "1"
        sql = (
            f"SELECT {self._distinct()}{items}{source}{where}{self._group()}"
            f"{self._filter('HAVING', node.args.get('having'))}{self._order()}{row_limit(node)}"
        )
        return Compiled(sql, tuple(o for _, o in self.items), self._has_open_star())

    # ---- the surroundings of its expressions

    def column(self, node: exp.Column) -> Typed:
        """The column that the name means; an output column first, while ORDER BY is compiled."""
        name = node.name.lower()
        if self.ordering_now and not node.table:
            same = [value for value, output in self.items if output.named and output.name == name]
            if same:
                return same[0]
        found = self._find(node)
        if found is None:
            return Typed(identifier(name), ANY)
        relation, output = found
        if relation.scan:
            relation.scan.columns.add(output.name)
        sql = f"{identifier(relation.alias)}.{identifier(output.name)}"
        return touchable(Typed(sql, output.type), output.name)

    def subquery(self, node: exp.Expr) -> tuple[str, Sequence[TrinoType]]:
        """A query within an expression. It sees the CTEs, not the columns, of this one."""
        result = self.compiler.query(node, self.ctes)
        return result.sql, [output.type for output in result.outputs] or [ANY]

    def refuse(self, error: StatementError) -> None:
        self.compiler.refuse(error)

    def _find(self, node: exp.Column) -> tuple[Relation, Output] | None:
        """Relation and column that the name means; None if only an unknown table can hold it."""
        name, table = node.name.lower(), node.table.lower()
        near = [r for r in self.relations if not table or r.alias == table]
        hits = [(r, output) for r in near for output in r.columns if output.name == name]
        if name == PATH:
            hits = [(r, Output(PATH, VARCHAR)) for r in near if r.scan]
        if len(hits) > 1:
            raise StatementError(f"AMBIGUOUS_NAME: Column '{name}' is ambiguous")
        if not hits and not any(r.is_open for r in near):
            raise StatementError(
                f"COLUMN_NOT_FOUND: Column '{shown(node)}' cannot be resolved (columns of an outer "
                "query and aliases of the same SELECT are out of sight here)"
            )
        return hits[0] if hits else None

    # ---- clauses

    def _from(self) -> str:
        source = self.node.args.get("from_")
        if not source:
            return ""
        check_arguments(source, frozenset({"this"}))
        text = f" FROM {self._add(source.this)}"
        for join in self.node.args.get("joins") or []:
            text += self._join(join)
        return text

    def _add(self, node: exp.Expr) -> str:
        joins = node.args.get("joins")
        if joins:
            raise NotEmulatedError(shown(node), "joins in brackets are not in the subset")
        relation = self.compiler.relation(node, self.ctes)
        if any(r.alias == relation.alias for r in self.relations):
            raise NotEmulatedError(f"two relations named {relation.alias}", "it is ambiguous")
        self.relations.append(relation)
        return relation.sql

    def _join(self, join: exp.Join) -> str:
        if join.args.get("using"):
            raise NotEmulatedError(shown(join), "USING merges columns (write ON)")
        check_arguments(join, frozenset({"this", "side", "kind", "on"}))
        kind, side, on = join.kind, join.side, join.args.get("on")
        right = self._add(join.this)
        if kind == "CROSS" and not side and not on:
            return f" CROSS JOIN {right}"
        if (
            not on
            or kind not in ("", "INNER", "OUTER")
            or side not in ("", "LEFT", "RIGHT", "FULL")
        ):
            raise NotEmulatedError(shown(join), "a join is CROSS, or has a side and ON")
        text = f" {side or 'INNER'} JOIN {right} ON {condition(on, self)}"
        if side in ("", "LEFT"):
            self._prune_scan(self.relations[-1], [on])
        return text

    def _filter(self, word: str, clause: exp.Expr | None) -> str:
        return f" {word} {condition(clause.this, self)}" if clause else ""

    def _prune(self) -> None:
        if where := self.node.args.get("where"):
            for relation in self.relations:
                self._prune_scan(relation, [where.this])

    def _prune_scan(self, relation: Relation, conditions: list[exp.Expr]) -> None:
        scan = relation.scan
        if scan is None:
            return

        def key_type(column: exp.Column) -> tuple[str, TrinoType] | None:
            found = self._find(column)
            if found is None or found[0] is not relation:
                return None
            if found[1].name not in (*scan.table.keys, PATH):
                return None
            return found[1].name, found[1].type

        for key, new in key_filters(conditions, key_type).items():
            scan.filters[key] = scan.filters.get(key, KeyFilter()).and_(new)

    def _select_items(self) -> Iterator[tuple[Typed, Output]]:
        for index, item in enumerate(self.node.expressions):
            if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and item.is_star):
                yield from self._star(item)
                continue
            value = compiled(item.this if isinstance(item, exp.Alias) else item, self)
            name = item.alias_or_name if isinstance(item, exp.Alias | exp.Column) else ""
            yield value, Output(name.lower() or f"_col{index}", value.type, bool(name))

    def _star(self, item: exp.Expr) -> Iterator[tuple[Typed, Output]]:
        star = item if isinstance(item, exp.Star) else item.this
        check_arguments(star, frozenset())
        table = item.table.lower() if isinstance(item, exp.Column) else ""
        for relation in self.relations:
            for output in relation.columns if table in ("", relation.alias) else ():
                yield self._whole_column(relation, output), output

    def _whole_column(self, relation: Relation, output: Output) -> Typed:
        if relation.scan:
            relation.scan.columns.add(output.name)
        sql = f"{identifier(relation.alias)}.{identifier(output.name)}"
        return touchable(Typed(sql, output.type), output.name)

    def _has_open_star(self) -> bool:
        return any(i.is_star for i in self.node.expressions) and any(
            r.is_open for r in self.relations
        )

    def _distinct(self) -> str:
        distinct = self.node.args.get("distinct")
        if not distinct:
            return ""
        check_arguments(distinct, frozenset())
        for value, _ in self.items:
            comparable(value, "DISTINCT")
        return "DISTINCT "

    def _group(self) -> str:
        group = self.node.args.get("group")
        if not group:
            return ""
        check_arguments(group, frozenset({"expressions"}))
        return f" GROUP BY {', '.join(self._group_term(term) for term in group.expressions)}"

    def _group_term(self, term: exp.Expr) -> str:
        if isinstance(term, exp.Literal) and not term.is_string:
            return self._item_at(term).sql
        return comparable(compiled(term, self), "GROUP BY").sql

    def _item_at(self, position: exp.Literal) -> Typed:
        number = whole_number(position)
        if number and number <= len(self.items):
            return self.items[number - 1][0]
        if self._has_open_star():
            return Typed("NULL", NULL)
        raise StatementError(
            f"INVALID_COLUMN_REFERENCE: position {position.name} is not in select list"
        )

    def _order(self) -> str:
        order = self.node.args.get("order")
        if not order:
            return ""
        self.ordering_now = True
        keys = ", ".join(self._sort_key(term) for term in order.expressions)
        self.ordering_now = False
        return f" ORDER BY {keys}"

    def _sort_key(self, term: exp.Expr) -> str:
        outputs = [output for _, output in self.items]
        position = output_position(term.this, outputs, is_open=self._has_open_star())
        if position:
            return f"{position} {direction(term)}"
        if self.node.args.get("distinct"):
            raise StatementError(
                f"EXPRESSION_NOT_IN_DISTINCT: {shown(term)}: with DISTINCT the rows are ordered by "
                "output columns only"
            )
        return ordering([term], self)


def output_position(
    key: exp.Expr, outputs: Sequence[Output], *, is_open: bool = False
) -> int | None:
    """The position of the output column that a sort key names, by position or by name."""
    if isinstance(key, exp.Literal) and not key.is_string:
        number = whole_number(key)
        if number and (is_open or number <= len(outputs)):
            return number
        raise StatementError(f"INVALID_COLUMN_REFERENCE: ORDER BY {key.name} is not in select list")
    if not isinstance(key, exp.Column) or key.table:
        return None
    hits = [
        i for i, output in enumerate(outputs, 1) if output.named and output.name == key.name.lower()
    ]
    return hits[0] if hits else None


def row_limit(node: exp.Expr) -> str:
    """OFFSET and LIMIT, which take written-out numbers."""
    text = ""
    for word in ("limit", "offset"):
        if clause := node.args.get(word):
            check_arguments(clause, frozenset({"expression"}))
            number = whole_number(clause.expression)
            if number is None and not isinstance(clause.expression, exp.Placeholder):
                raise NotEmulatedError(shown(clause), "LIMIT and OFFSET take a number")
            text += f" {word.upper()} {number}"
    return text


def _own_clauses(node: exp.Subquery) -> bool:
    return any(node.args.get(name) for name in ("order", "limit", "offset", "with_"))


def _names(outputs: Sequence[Output]) -> str:
    return ", ".join(identifier(output.name) for output in outputs)


def _unified_outputs(left: Compiled, right: Compiled, word: str) -> tuple[Output, ...]:
    if len(left.outputs) != len(right.outputs):
        raise StatementError(
            f"TYPE_MISMATCH: {word} query has different number of fields: "
            f"{len(left.outputs)}, {len(right.outputs)}"
        )
    kinds = [
        unified([Typed("", a.type), Typed("", b.type)], f"column {i} of the {word}")
        for i, (a, b) in enumerate(zip(left.outputs, right.outputs, strict=True), 1)
    ]
    if "ALL" not in word:
        for kind in kinds:
            comparable(Typed("", kind), word)
    return tuple(Output(o.name, kind, o.named) for o, kind in zip(left.outputs, kinds, strict=True))


def _brought_to(query: Compiled, outputs: Sequence[Output]) -> Compiled:
    """The query with its columns cast to the types of `outputs`, if they differ."""
    if all(
        is_open(o.type) or c.type == o.type for c, o in zip(query.outputs, outputs, strict=True)
    ):
        return query
    inner = [f"c{i}" for i in range(len(outputs))]
    cells = ", ".join(
        as_type(Typed(identifier(name), column.type), output.type)
        for name, column, output in zip(inner, query.outputs, outputs, strict=True)
    )
    names = ", ".join(identifier(name) for name in inner)
    return Compiled(f"SELECT {cells} FROM ({query.sql}) AS q({names})", tuple(outputs))
