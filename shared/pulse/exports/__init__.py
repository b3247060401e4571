"""exports: the single rows behind the numbers, as one file that a signed link gives out.

    POST /v1/exports → orders (a record, an event) ⇢ write (Athena, day by day) → files → exports/
    GET /v1/exports/{id} → orders (the record, and a link once the file is there)

One function does both halves. Nobody waits for Athena at the API: the order is answered at once,
and the event wakes the function again for the work.
"""
