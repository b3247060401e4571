"""Customers' comments: stored by tenant and month, searched by words, compared by their terms.

build_daily stores them (keep.py); serve/comments has the routes that read them.
"""
