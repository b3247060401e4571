"""The statements that Athena runs, a file each, in the subset that Trino and DuckDB share.

What two statements have in common stands once, in a file of its own: `{counted/responses}` in a
statement is the query of counted/responses.sql. `:name` stands for a parameter.
"""

import re
from importlib.resources import files

_QUERY = re.compile(r"\{(\w+)/(\w+)\}")
_COMMENT = re.compile(r"^ *--.*\n", re.MULTILINE)


def statement(folder: str, name: str) -> str:
    """The text of `folder/name.sql`, with the queries that it names in their places.

    Comments are left out: Athena takes one statement at a time, and they have semicolons.
    """
    text = files(__package__).joinpath(folder, f"{name}.sql").read_text("utf-8")
    code = _COMMENT.sub("", text)
    return _QUERY.sub(lambda named: statement(named[1], named[2]).rstrip(), code)
