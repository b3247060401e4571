"""What customers wrote: kept by month of each tenant, searched by words, told apart by terms.

build_daily keeps it (keep); what is asked of it is read in serve/comments.
"""
