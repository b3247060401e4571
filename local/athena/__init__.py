"""moto's Athena, executed: SELECT and UNLOAD of a portable subset, by DuckDB over S3 and Glue.

    moto_hook    StartQueryExecution and the other calls, in moto's process
    engine       one execution: statement → an executor → objects on S3
    duck         the executor DuckDB: tables → DuckDB text → rows
    trino        the executor Trino, Athena's own engine, where PULSE_ENGINE=trino (trino_server,
                 trino_window)
    statement    SELECT or UNLOAD, parameters put in
    queries      → DuckDB text, by the rules of expressions, aggregates, casts (core: compiler)
    tables       Glue tables as DuckDB views; pruning and projection say which partitions are read
    objects      S3 objects, listed, fetched as the caller, kept on disk
    clock        the present moment, which a program may set
    results      rows as Athena writes them
    faults       for tests: the next executions fail, hang or come back empty

The rule of the subset: a statement is run only if Athena and DuckDB agree on what it means. What
Athena would refuse is FAILED in its words; what only this emulation cannot do is FAILED with
NOT_EMULATED and why. Nothing ever succeeds with a guess.
"""


def install(endpoint_url: str | None = None) -> None:
    """From now on moto's Athena in this process executes what it is given; idempotent.

    `endpoint_url` is where moto's server answers, None for in-process mocks. The executions' own
    calls to S3 and Glue go there, as the caller of StartQueryExecution.
    """
    from local.athena import moto_hook  # moto is heavy, and the dialect alone does not need it

    moto_hook.install(endpoint_url)


def close() -> None:
    """Remove what the executions left on local disk, in a process that ends without atexit."""
    from local.athena import moto_hook

    moto_hook.close()
