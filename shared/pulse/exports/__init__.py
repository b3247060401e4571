"""exports: the single rows behind the numbers, as one file that a signed link gives out.

    POST /v1/exports → orders (a record, an event) ⇢ write (Athena, day by day) → files → exports/
    GET /v1/exports/{id} → orders (the record, and a link once the file is there)

Two functions: order_exports answers the API and can read no event, export_rows does the work and
can be asked by nobody. Nobody waits for Athena at the API: the order is answered at once.
"""
