"""The statements that Athena runs, a file each, in the subset that Trino and DuckDB share.

What two statements have in common stands once, in a file of its own: `{counted/responses}` in a
statement is the query of counted/responses.sql. `:name` stands for a parameter.
"""

import re
from importlib.resources import files

_QUERY = re.compile(r"\{(\w+)/(\w+)\}")


def statement(folder: str, name: str) -> str:
    """The text of `folder/name.sql`, with the queries that it names in their places."""
    text = files(__package__).joinpath(folder, f"{name}.sql").read_text("utf-8")
    return _QUERY.sub(lambda named: statement(named[1], named[2]).rstrip(), text)
