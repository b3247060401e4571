"""serve: report objects of the lake as answers to GET /v1/reports.

    call → query (one value or one error) → spans (each tenant's days) → years (objects, kept warm)
         → cells (filter, group) → groups (split, filled, rolled up) → figures (rows of columns,
         totals, breakdown) → formats (a page as JSON or CSV)

`dimensions` goes the same way to the values that a filter offers; `feeds` is what a feed key's
address means.

Nothing here runs a query engine: a reply is made from whole objects whose keys are computed.
"""
