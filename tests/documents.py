"""Reads the blocks of code of documents, each with its kind.

A block's kind is the text after its fence, such as `sh` or `sh on-aws`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

DOCS = Path(__file__).parents[1] / "docs"
FOLLOWED = ("api.md", "asking.md")
"""The pages whose blocks of the kind `sh` a shell runs unchanged, one after another."""


@dataclass(frozen=True)
class Block:
    """A block of code as a reader copies it."""

    kind: str
    text: str


def blocks_of(page: Path) -> list[Block]:
    """A page's blocks, in order, without the indentation of a list around them."""
    found = re.findall(r"(?ms)^( *)```([^\n]+)\n(.*?)^\1```$", page.read_text())
    return [Block(kind, dedent(text)) for _, kind, text in found]


def texts(page: Path, kind: str) -> list[str]:
    """The page's blocks of a kind."""
    return [block.text for block in blocks_of(page) if block.kind == kind]
