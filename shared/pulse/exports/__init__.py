"""exports: the single rows behind the numbers, as one file that a signed link gives out.

    POST /v1/exports → orders (a record, an event) ⇢ write (Athena, day by day) → files → exports/
    GET /v1/exports/{id} → orders (the record, and a link once the file is there)

There are two functions. order_exports answers the API and cannot read events; export_rows does the
work, and no route of the API leads to it. The order is answered at once, before Athena is asked.
"""
