"""Checks by its text alone whether a statement is in the portable subset."""

from local.athena.errors import StatementError
from local.athena.queries import QueryCompiler, TableSchema
from local.athena.statement import MAX_STATEMENT_BYTES, read_query, read_statement


class _AnyTable:
    """A catalog in which every name may be a table with any columns."""

    def table(self, database: str | None, name: str) -> TableSchema | None:
        return None


def check_portable(sql: str) -> list[str]:
    """The reasons why the statement is not in the portable subset; empty if it is.

    `sql` is a statement as in a .sql file: `:name` and `?` may stand for values. The types of
    columns are not known here, so errors of types are found only when the statement is run.
    """
    if len(sql.encode()) > MAX_STATEMENT_BYTES:
        return [f"a statement has at most {MAX_STATEMENT_BYTES} bytes"]
    compiler = QueryCompiler(_AnyTable(), checking=True)
    try:
        compiler.compile(read_query(read_statement(sql, checking=True).text))
    except StatementError as error:
        return [*compiler.problems, str(error)]
    return compiler.problems
