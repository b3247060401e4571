"""What is written from the code and kept in the repository: `make docs` writes it, tests compare.

No function imports any of it: serve_reports reads the OpenAPI document as a file (decision 0059).
"""
