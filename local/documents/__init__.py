"""What is written from the code and kept in the repository: `make docs` writes it, tests compare.

None of it is imported by a function: serve_reports reads the OpenAPI document as a file (decision 0059).
"""
