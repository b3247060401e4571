"""The portable subset, asked about a statement's text alone: no schema, no data, no values."""

from local.athena.errors import StatementError
from local.athena.queries import QueryCompiler, TableSchema
from local.athena.statement import MAX_STATEMENT_BYTES, read_query, read_statement


class _AnyTable:
    """A catalog in which every name may be a table with any columns."""

    def table(self, database: str | None, name: str) -> TableSchema | None:
        return None


def check_portable(sql: str) -> list[str]:
    """The reasons why the statement is outside of the portable subset; none if it is inside.

    `sql` is a statement as it stands in a .sql file: `:name` and `?` may stand for values. Types of
    columns are not known here, so what depends on them shows only when the statement is run.
    """
    if len(sql.encode()) > MAX_STATEMENT_BYTES:
        return [f"a statement has at most {MAX_STATEMENT_BYTES} bytes"]
    compiler = QueryCompiler(_AnyTable(), checking=True)
    try:
        compiler.compile(read_query(read_statement(sql, checking=True).text))
    except StatementError as error:
        return [*compiler.problems, str(error)]
    return compiler.problems
