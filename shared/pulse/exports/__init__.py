"""exports: the single rows behind the figures as one file, which is fetched by a signed link.

    POST /v1/exports → orders (a record, an event) ⇢ write (Athena, day by day) → files → exports/
    GET /v1/exports/{id} → orders (the record, and a link once the file is there)

There are two functions. order_exports replies to the API and has no right to read events;
export_rows makes the files, and no route of the API leads to it. So an order has its reply before
Athena is asked.
"""
