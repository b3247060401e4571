"""reports: from daily rows to one object per tenant and year, and what may be asked of them.

`metrics` holds the formulas. `declarations` says what a dimension, a metric and a report are;
`surveys` and `interactions` declare a family each, and `registry` has all that there is.
"""
