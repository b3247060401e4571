"""reports: what may be asked, how it is computed, and the form of the objects it is read from.

`metrics` holds the formulas. `declarations` says what a dimension, a metric and a report are;
`surveys`, `interactions` and `experiences` declare a family each, and `registry` has all reports.
`tenant_year` and `rollups` say what the objects of a tenant and year hold, which pulse.tenant_years
makes of daily rows; `reading` reads them whole. `adjusting`, `moving`, `driving` and `worst_run`
compute over many groups at once what a row's own sums do not tell.
"""
