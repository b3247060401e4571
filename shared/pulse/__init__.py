"""Pulse: customer-experience reporting in a company's own AWS account.

    ingest → queue → raw → daily → reports → serve

Each stage is a package. CONTRIBUTING.md lists all packages in order; docs/decisions/ says why each
is as it is.
"""
