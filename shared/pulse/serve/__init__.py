"""serve: report objects of the lake as answers to GET /v1/reports.

    call → query (one value or one error) → years (objects, kept warm) → cells (filter, group)
         → figures (rows, totals, breakdown) → formats (a page as JSON or CSV)

Nothing here runs a query engine: a reply is made from whole objects whose keys are computed.
"""
