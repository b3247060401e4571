"""Pulse: customer-experience reporting in a company's own AWS account.

    ingest → queue → raw → daily → reports → serve

One package a stage; docs/decisions/ says why each is as it is.
"""
