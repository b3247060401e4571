"""Makes moto's Athena execute SELECT and UNLOAD of a portable subset, with DuckDB over S3 and Glue.

    moto_hook    StartQueryExecution and the other calls, in moto's process
    engine       one execution: statement → executor → objects on S3
    duck         the executor DuckDB: tables → DuckDB text → rows
    trino        the executor Trino, Athena's own engine, where PULSE_ENGINE=trino (trino_server,
                 trino_window)
    statement    reads SELECT or UNLOAD, and replaces parameters
    queries      → DuckDB text, by the rules of expressions, aggregates, casts (core: compiler)
    tables       Glue tables as queries; pruning and projection say which partitions are read
    objects      lists and fetches S3 objects as the caller, and keeps copies on disk
    clock        the present moment, which a program may set
    results      writes rows as Athena does
    faults       for tests: lets the next executions fail, hang or return no rows

A statement is run only if Athena and DuckDB agree on what it means. What Athena would refuse is
FAILED with Athena's message; what only this emulation cannot do is FAILED with NOT_EMULATED and the
reason. Nothing ever succeeds by a guess.
"""


def install(endpoint_url: str | None = None) -> None:
    """Make moto's Athena in this process execute statements. To call it again changes nothing.

    `endpoint_url` is the address of moto's server; None for mocks in this process. Executions call
    S3 and Glue there, with the credentials of the caller of StartQueryExecution.
    """
    from local.athena import moto_hook  # moto is heavy, and the dialect alone does not need it

    moto_hook.install(endpoint_url)


def close() -> None:
    """Remove the executions' local files; for a process that ends without running atexit."""
    from local.athena import moto_hook

    moto_hook.close()
