"""docs/recipes.md as tests read it: its blocks, by the section that they stand in."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "recipes.md"


def section(title: str) -> str:
    """The text below a heading, up to the next one of its rank or above."""
    marks, text = re.findall(rf"(?ms)^(#+) {title}$\n(.*)", PAGE.read_text())[0]
    return re.split(rf"(?m)^#{{1,{len(marks)}}} ", text)[0]


def blocks(title: str, language: str) -> list[str]:
    """The section's blocks of one language, as somebody would copy them."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", section(title))


def views() -> dict[str, str]:
    """The SELECT of each view by the view's name; one that reads another has it within."""
    selects: dict[str, str] = {}
    for statement in blocks("Athena", "sql"):
        name, select = re.findall(r"(?s)^CREATE OR REPLACE VIEW (\w+) AS\n(.*)", statement)[0]
        for other, inner in selects.items():
            select = select.replace(f"FROM {other}\n", f"FROM (\n{inner}) AS {other}\n")
        selects[name] = select
    return selects
