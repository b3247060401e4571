"""reports → finance: each tenant's revenue by month, as files that a bookkeeper can rely on.

    tenant-year object → figures → files → month (in its folder) → manifest

export decides what is behind and does it under the tenant's lease; check compares in the end.
"""
