"""The stage export_revenue: it writes each tenant's revenue by month, as files for bookkeeping.

    tenant-year object → figures → files → month (in its folder) → manifest

export finds the months whose files are older than the reports, and writes them under the tenant's
lease. check compares files and reports.
"""
