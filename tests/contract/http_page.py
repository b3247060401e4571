"""Reads docs/http.md for tests: its sections and the tables in them."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "http.md").read_text()
Table = list[list[str]]


def section(title: str) -> str:
    """The text below a heading, up to the next heading of its rank or above."""
    [(marks, text)] = re.findall(rf"(?ms)^(#+) {re.escape(title)}$\n(.*)", PAGE)
    return str(re.split(rf"(?m)^#{{1,{len(marks)}}} ", text)[0])


def tables(title: str) -> Iterator[Table]:
    """The section's tables, each as its rows of cells, the head first."""
    for block in re.findall(r"(?:^\|.*\n)+", section(title), re.MULTILINE):
        rows = [re.split(r"\s*\|\s*", line)[1:-1] for line in block.splitlines()]
        yield [row for row in rows if not row[0].startswith("---")]


def cells(title: str, *heads: str) -> list[list[str]]:
    """The rows of those of the section's tables whose first column has one of these heads."""
    return [row for table in tables(title) if table[0][0] in heads for row in table[1:]]


def names(title: str, *heads: str) -> list[str]:
    """What the first column of these tables has in backticks."""
    return [name for row in cells(title, *heads) for name in re.findall(r"`([^`]+)`", row[0])]


def known(title: str, *heads: str) -> set[str]:
    found = names(title, *heads)
    return set(found)
