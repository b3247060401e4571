"""Files, headings and decisions that documents and code refer to exist."""

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_NOT_OURS = {"node_modules", "dist", "__pycache__"}
_KINDS = {".md", ".py", ".ts", ".tsx", ".sql", ".yaml", ".toml", ".in", ".html", ".css"}


def _sources() -> Iterator[Path]:
    """Every text of ours, generated and installed ones aside."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [one for one in folders if one not in _NOT_OURS and not one.startswith(".")]
        for name in sorted(files):
            if name == "Makefile" or Path(name).suffix in _KINDS:
                yield Path(folder, name)


SOURCES = [path for path in _sources() if path != Path(__file__)]
PAGES = [path for path in SOURCES if path.suffix == ".md"]


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def headings(page: Path) -> list[str]:
    """A page's headings, outside of its blocks of code."""
    text = re.sub(r"(?ms)^```.*?^```$", "", page.read_text())
    return [title.strip() for title in re.findall(r"(?m)^#{1,6} (.+)$", text)]


@cache
def anchors(page: Path) -> list[str]:
    """What a link may have behind its #: each heading as GitHub writes it, numbered if repeated."""
    found: list[str] = []
    for title in headings(page):
        plain = re.sub(r"\]\([^)]*\)", "", title).lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        again = sum(re.fullmatch(rf"{re.escape(anchor)}(-\d+)?", one) is not None for one in found)
        found.append(f"{anchor}-{again}" if again else anchor)
    return found


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue  # another site
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.resolve()), target


_CITED = re.compile(
    r"""(?<![\w/.-])(?P<path>(?:[\w-]+/)*[\w-]+\.md)\b
    (?:\#(?P<anchor>[\w-]+)|,?\s\(?"(?P<heading>[^"\n]+)")?""",
    re.VERBOSE,
)
_OF_OTHERS = {"web-default-userAgent.md"}
"""A page of another project, whose repository stands beside it."""


@pytest.mark.parametrize("source", SOURCES, ids=shown)
def test_every_page_that_is_cited_exists_with_its_heading(source: Path) -> None:
    for cited in _CITED.finditer(_without_links(source.read_text())):
        if cited["path"] in _OF_OTHERS or "NNNN" in cited["path"]:
            continue
        page = _page(cited["path"], source)
        assert page is not None, cited[0]
        if cited["anchor"]:
            assert cited["anchor"] in anchors(page), cited[0]
        if cited["heading"]:
            assert cited["heading"] in headings(page), cited[0]


def _without_links(text: str) -> str:
    """The text, of whose links only what is read is left."""
    return re.sub(r"\]\([^)\s]+\)", "]", text)


def _page(path: str, source: Path) -> Path | None:
    """The page that a text means: by its way from the root or, if it is a mere name, by that."""
    around = [ROOT / path, source.parent / path]
    named = [page for page in PAGES if "/" not in path and page.name == path]
    return next((page.resolve() for page in (*around, *named) if page.exists()), None)


@pytest.mark.parametrize("source", SOURCES, ids=shown)
def test_every_decision_that_is_cited_exists(source: Path) -> None:
    made = {page.name[:4] for page in (ROOT / "docs" / "decisions").glob("*.md")}
    assert set(re.findall(r"\bdecisions?[ /](\d{4})\b", source.read_text())) <= made


def test_the_checks_find_what_is_missing() -> None:
    page = ROOT / "docs" / "http.md"
    assert {"keys", "post-v1responses", "codes-of-errors"} <= set(anchors(page))
    [missing] = _CITED.finditer('(NOWHERE.md, "Keys")')
    assert (missing["path"], missing["heading"]) == ("NOWHERE.md", "Keys")
    assert _page(missing["path"], page) is None
    [cited] = _CITED.finditer("docs/http.md#keys is the contract")
    assert (cited["path"], cited["anchor"]) == ("docs/http.md", "keys")
