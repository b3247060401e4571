"""Documents that `make docs` writes from the code and that are kept in the repository.

Tests fail where one of them is not up to date. No Lambda function imports this package:
serve_reports reads the OpenAPI document as a file (decision 0059).
"""
