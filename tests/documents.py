"""The documents as tests read them: their blocks of code, each of a kind.

A block's kind is what stands behind its fence, such as `sh` or `sh on-aws`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

DOCS = Path(__file__).parents[1] / "docs"
FOLLOWED = ("api.md", "asking.md")
"""The pages whose blocks of the kind `sh` a shell runs as they stand, one after another."""


@dataclass(frozen=True)
class Block:
    """A block of code as somebody would copy it."""

    kind: str
    text: str


def blocks_of(page: Path) -> list[Block]:
    """A page's blocks, in order; one in a list has the list's indentation no more."""
    found = re.findall(r"(?ms)^( *)```([^\n]+)\n(.*?)^\1```$", page.read_text())
    return [Block(kind, dedent(text)) for _, kind, text in found]


def texts(page: Path, kind: str) -> list[str]:
    """The page's blocks of a kind."""
    return [block.text for block in blocks_of(page) if block.kind == kind]
