"""Customers' comments: stored by tenant and month, searched by words, compared by their terms.

build_daily stores them (daily/comments.py); serve/comments has the routes that read them.
"""
