"""reports: from daily rows to one object per tenant and year, and what may be asked of them.

`metrics` holds the formulas, `registry` declares the dimensions, metrics and reports that exist.
"""
