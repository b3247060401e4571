"""Draws figures beside the names of their groups, in the form that fits the terminal's width.

The first form is a table with a column for each kind of name; in a nested sheet, a name that is the
same as above is left blank. If that is too wide, an outline has all names in one column, indented
by their depth. If that is too wide as well, there are several outlines below one another, each with
some of the figures.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, JustifyMethod, RenderableType
from rich.padding import Padding, PaddingDimensions
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from pulse.cli.visible import visible

Cell = str | Text | None
Names = tuple[str | None, ...]

_EASY = 160
"""The most columns of characters: no more are easy to read, however wide the terminal is."""
_LEAST = 12
"""The least columns of characters for an outline's names: those of an indented day."""
_ENDLESS = 10_000
"""A width in which no cell has to be broken."""
_SHORT = {"response": "resp.", "satisfaction": "satisf.", "interactions": "interact."}


@dataclass(frozen=True)
class FigureColumn:
    """A column of figures, or of remarks if it is not aligned to the right."""

    title: str
    right: bool = True


@dataclass(frozen=True)
class SheetRow:
    """A row: the names of its group, the outermost first, and its figures.

    A name is None if the row sums up all of its values.
    """

    names: Names
    figures: tuple[Cell, ...]

    @property
    def style(self) -> str:
        """The style: bold if the row sums up others."""
        return "bold" if None in self.names else ""


@dataclass(frozen=True)
class Sheet:
    """Rows and their totals; `groups` says what the names are names of.

    A `nested` one has subtotals, each before the rows that it sums up.
    """

    groups: Sequence[str]
    figures: Sequence[FigureColumn]
    lines: Sequence[SheetRow]
    totals: Sequence[SheetRow]
    nested: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[Segment]:
        """Draw the first form that fits, else the last one; all cells are whole."""
        room = min(options.max_width, _EASY)
        return console.render(self._fitting(room), options.update_width(_ENDLESS))

    def _fitting(self, room: int) -> RenderableType:
        rows, totals = list(self._rows()), list(self._total_rows())
        widths: list[int] = []
        for title, padding in ((str, 1), (_broken, 0)):
            titles = [*map(title, self.groups), *(title(one.title) for one in self.figures)]
            columns = zip(titles, *rows, *totals, strict=True)
            widths = [max(map(_width, column)) for column in columns]
            if sum(widths) + (2 + padding) * (len(widths) - 1) <= room:
                return self._table(titles, rows, totals, (0, 1, 0, padding))
        return Group(*self._outlines(widths[len(self.groups) :], room))

    def _rows(self) -> Iterator[Sequence[Cell]]:
        """The names and figures of each line, for a table."""
        above: Names = ()
        for line in self.lines:
            repeated = _agreeing(line.names, above) if self.nested else 0
            names = _marked(line.names, "total")
            yield *[""] * repeated, *names[repeated:], *line.figures
            above = line.names

    def _total_rows(self) -> Iterator[Sequence[Cell]]:
        """The names and figures of the totals, for a table."""
        for line in self.totals:
            yield *_marked(line.names, self._total(line)), *line.figures

    def _table(
        self,
        titles: Sequence[str],
        rows: Sequence[Sequence[Cell]],
        totals: Sequence[Sequence[Cell]],
        padding: PaddingDimensions,
    ) -> Table:
        table = _empty(padding)
        for title in titles[: len(self.groups)]:
            table.add_column(Text(title))
        self._add_figures(table, titles[len(self.groups) :])
        for line, row in zip(self.lines, rows, strict=True):
            table.add_row(*map(_shown, row), style=line.style)
        table.add_section()
        for line, row in zip(self.totals, totals, strict=True):
            table.add_row(*map(_shown, row), style=line.style)
        return table

    def _outlines(self, widths: Sequence[int], room: int) -> Iterator[RenderableType]:
        """One outline or several, each with as many figures of these widths as fit."""
        begin = 0
        while begin < len(widths):
            end, left = begin, room - _LEAST
            while end < len(widths) and (end == begin or left > widths[end]):
                left -= widths[end] + 1
                end += 1
            if begin:
                yield ""
            yield self._outline(range(begin, end), _LEAST + max(left, 0))
            begin = end

    def _outline(self, chosen: range, width: int) -> Table:
        """An outline with names of at most that width, and the chosen figures."""
        table = _empty(padding=0)
        groups = (_stepped(group, depth) for depth, group in enumerate(self.groups))
        table.add_column(Group(*groups), max_width=width, overflow="fold")
        self._add_figures(table, [_broken(self.figures[at].title) for at in chosen], chosen.start)
        above: Names = ()
        for line in self.lines:
            path = [name for name in line.names if name is not None] or ["total"]
            for depth in range(_agreeing(line.names, above), len(path) - 1):
                table.add_row(_stepped(path[depth], depth))
            figures = (_shown(line.figures[at]) for at in chosen)
            table.add_row(_stepped(path[-1], len(path) - 1), *figures, style=line.style)
            above = line.names
        table.add_section()
        for line in self.totals:
            names = [name for name in line.names if name is not None]
            figures = (_shown(line.figures[at]) for at in chosen)
            name = _stepped(" ".join([*names, self._total(line)]), 0)
            table.add_row(name, *figures, style=line.style)
        return table

    def _add_figures(self, table: Table, titles: Sequence[str], begin: int = 0) -> None:
        """Add a column for each title, for the figures from `begin` on."""
        for figure, title in zip(self.figures[begin:], titles, strict=False):
            justify: JustifyMethod = "right" if figure.right else "left"
            table.add_column(Text(title), justify=justify, no_wrap=True)

    def _total(self, line: SheetRow) -> str:
        return "total" if any(line.names) or not self.nested else "grand total"


def _empty(padding: PaddingDimensions) -> Table:
    return Table(box=box.SIMPLE_HEAD, padding=padding, pad_edge=False, show_edge=False)


def _shown(cell: Cell) -> Text:
    """A cell's text, in which brackets are not read as markup; None is shown as –."""
    return cell if isinstance(cell, Text) else Text("–" if cell is None else cell)


def _width(cell: Cell) -> int:
    """The width of the cell's widest line, in columns of the terminal."""
    return max(map(cell_len, _shown(cell).plain.split("\n")))


def _marked(names: Names, total: str) -> list[str]:
    """The names; if some are None, the first of these is `total`."""
    first = names.index(None) if None in names else None
    return [total if at == first else visible(name or "") for at, name in enumerate(names)]


def _agreeing(names: Names, others: Names) -> int:
    """How many names two rows have in common, from the outermost on."""
    pairs = enumerate(zip(names, others, strict=False))
    return next((at for at, (one, other) in pairs if one is None or one != other), len(others))


def _stepped(name: str, depth: int) -> Padding:
    """The name, indented by its depth."""
    return Padding(Text(visible(name)), (0, 0, 0, depth))


def _broken(title: str) -> str:
    """The title with a line for each word, so that its column can be as narrow as its figures."""
    words = re.split(r" (?!%)", title)
    return "\n".join(_SHORT.get(word, word) for word in words)
