"""The benchmark, `make bench`: how fast Pulse is, beside alternatives measured in the same run.

    __main__     which parts, at which scale; each part in a process of its own
    measure      timing in turns; what a part found
    page         the goals and tables of a run as RESULTS.md
    data         made-up responses, deterministic, as they lie in raw
    messages     made-up messages, deterministic, as ingest sends them
    account      an AWS account on this machine, with the template deployed
    slow_s3      S3 with a delay before the first byte; main module of a process of its own
    engines      what else could answer from raw: DuckDB, ClickHouse, PostgreSQL
    imports, ingest, write_raw, build_daily, statements, read, insights      the parts

It imports Pulse and the embedded stack; nothing imports it but its test.
"""
