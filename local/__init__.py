"""The embedded stack: template.yaml run on one machine, for development and evaluation.

Never deployed. AWS itself is moto, Athena is DuckDB, Lambda functions are warm subprocesses.
README.md beside this says how it works and what it executes.
"""
