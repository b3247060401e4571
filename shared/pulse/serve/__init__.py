"""The stage serve_reports: it makes replies to GET /v1/reports out of report objects of the lake.

    query      parse: the query string as one value, or one coded error
    plan       plan: tables, each tenant's days, every filter, what is to be read (needs)
    identity   ETag and cursor, which the plan alone decides
    years      load: the objects of these days, kept in memory (reading, parquet, block)
    aggregate  aggregate: rows of objects, tables and tenants as one table of groups
    compare    compare: both ranges of days beside each other, subtotals and totals
    figures    render: the metrics of rows, in order
    reply      render: a page as JSON or CSV (formats, meta, warnings)

`answer` has the last four in order, `service` all of them as a route. What has too many groups is
aggregated once more, folded (folding, tally). Groups are columns of codes with a matrix of sums
(encoding, groups) until a page's rows are made.

`dimensions` goes the same way to the values that a filter offers; `comments` reads what customers
wrote, which needs none of this but the query's days and filters; `feeds` is what a feed key's
address means.

A reply is made from whole objects whose keys are computed, without a query engine. Only what no
object of a large tenant covers is asked of Athena (distributed, distributed_sql, statements), and
so are searches in more comments than a process holds (comments/elsewhere.py).

Two questions go by another day than the rows': answers by the day on which their interaction
entered, and scores that stand for satisfactions which interactions lack (satisfaction).
"""
