"""Reads the blocks of docs/recipes.md, by section."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "recipes.md"


def section(title: str) -> str:
    """The text below a heading, up to the next one of its level or above."""
    marks, text = re.findall(rf"(?ms)^(#+) {title}$\n(.*)", PAGE.read_text())[0]
    return re.split(rf"(?m)^#{{1,{len(marks)}}} ", text)[0]


def blocks(title: str, language: str) -> list[str]:
    """The section's blocks of one language, as a reader copies them."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", section(title))


def views() -> dict[str, str]:
    """The SELECT of each view, by name; one that reads another view contains that one's."""
    selects: dict[str, str] = {}
    for statement in blocks("Athena", "sql"):
        name, select = re.findall(r"(?s)^CREATE OR REPLACE VIEW (\w+) AS\n(.*)", statement)[0]
        for other, inner in selects.items():
            select = select.replace(f"FROM {other}\n", f"FROM (\n{inner}) AS {other}\n")
        selects[name] = select
    return selects
