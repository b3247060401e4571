"""serve: report objects of the lake as answers to GET /v1/reports.

    query      parse: the query string as one value, or one coded error
    plan       plan: tables, each tenant's days, every filter, what is to be read
    identity   ETag and cursor, which the plan alone decides
    years      load: the objects of these days, kept warm (parquet, block)
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

Nothing here runs a query engine: a reply is made from whole objects whose keys are computed.
"""
