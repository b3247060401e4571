"""The statements that Athena runs, a file each, in the subset that Trino and DuckDB share.

What two statements have in common stands once, in a file of its own: `{counted/responses}` in a
statement is the query of counted/responses.sql. `:name` stands for a parameter, and `IN
(:name)` for several of them (`spread`).
"""

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

_QUERY = re.compile(r"\{(\w+)/(\w+)\}")
_COMMENT = re.compile(r"^ *--.*\n", re.MULTILINE)


def statement(folder: str, name: str) -> str:
    """The text of `folder/name.sql`, with the queries that it names in their places.

    Comments are left out: Athena takes one statement at a time, and they have semicolons.
    """
    text = files(__package__).joinpath(folder, f"{name}.sql").read_text("utf-8")
    code = _COMMENT.sub("", text)
    return _QUERY.sub(lambda named: statement(named[1], named[2]).rstrip(), code)


def spread(text: str, params: Mapping[str, Any], name: str) -> tuple[str, dict[str, Any]]:
    """A statement and its parameters with the one of that name, a list, as values of an IN.

    A list is an array otherwise, and Athena takes the values of an injected partition key from
    conditions of equality alone.
    """
    values: Sequence[Any] = params[name]
    each = {f"{name}_{place}": value for place, value in enumerate(values)}
    listed = ", ".join(f":{one}" for one in each)
    return text.replace(f"IN (:{name})", f"IN ({listed})"), {**params, **each}
