"""Figures under the names of their groups, drawn as the terminal's width allows.

A table has a column for each kind of name; in a nested sheet, a name that stands above already is
left blank. Where that is too wide, an outline has all names in one column, each below what it
belongs to and a little to the right. Laid out by hand: rich's own tables take seconds for the
thousands of rows that a month has.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.text import Text

Cell = str | Text | None
Names = tuple[str | None, ...]

_EASY = 160
"""As many columns as the eye follows, however many a file or a wide terminal would have."""
_LEAST = 12
"""As many columns as an outline's names have at least: a day, indented."""
_SHORT = {"response": "resp.", "satisfaction": "satisf.", "interactions": "interact."}


@dataclass(frozen=True)
class Figure:
    """A column of figures; of remarks, if it is not to the right."""

    title: str
    right: bool = True


@dataclass(frozen=True)
class Line:
    """A row: the names of its group, outermost first, and its figures.

    A name is None where the row is over all of them.
    """

    names: Names
    figures: tuple[Cell, ...]


@dataclass(frozen=True)
class Sheet:
    """Rows and their totals; `groups` says what the names are names of.

    A `nested` one has subtotals, each before the rows that it sums up.
    """

    groups: Sequence[str]
    figures: Sequence[Figure]
    lines: Sequence[Line]
    totals: Sequence[Line]
    nested: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """The lines of the first way to draw it that fits, else of the last."""
        room = min(options.max_width, _EASY)
        grid = self._table(str, gap=3)
        if grid.width > room:
            grid = self._table(_broken, gap=2)
        if grid.width > room:
            figures = grid.widths[len(self.groups) :]
            grid = self._outline(max(room - sum(figures) - len(figures), _LEAST))
        return grid.drawn()

    def _table(self, title: Callable[[str], str], gap: int) -> "_Grid":
        grid = self._grid([title(group) for group in self.groups], title, gap)
        above: Names = ()
        for line in self.lines:
            names = _marked(line.names, "total")
            repeated = _agreeing(line.names, above) if self.nested else 0
            grid.add([*[""] * repeated, *names[repeated:]], line)
            above = line.names
        grid.rule()
        for line in self.totals:
            grid.add(_marked(line.names, self._total(line)), line)
        return grid

    def _outline(self, width: int) -> "_Grid":
        groups = [_stepped(group, depth, width) for depth, group in enumerate(self.groups)]
        grid = self._grid(["\n".join(groups)], _broken, gap=1)
        above: Names = ()
        for line in self.lines:
            path = [name for name in line.names if name is not None] or ["total"]
            for depth in range(_agreeing(line.names, above), len(path) - 1):
                grid.add([_stepped(path[depth], depth, width)])
            grid.add([_stepped(path[-1], len(path) - 1, width)], line)
            above = line.names
        grid.rule()
        for line in self.totals:
            names = [name for name in line.names if name is not None]
            grid.add([_stepped(" ".join([*names, self._total(line)]), 0, width)], line)
        return grid

    def _grid(self, labels: list[str], title: Callable[[str], str], gap: int) -> "_Grid":
        titles = [*labels, *(title(figure.title) for figure in self.figures)]
        return _Grid(titles, [*[False] * len(labels), *(f.right for f in self.figures)], gap)

    def _total(self, line: Line) -> str:
        return "total" if any(line.names) or not self.nested else "grand total"


def _marked(names: Names, total: str) -> list[str]:
    """The names; where some are left out, the first of those says that it is a total."""
    first = names.index(None) if None in names else None
    return [total if at == first else name or "" for at, name in enumerate(names)]


def _agreeing(names: Names, others: Names) -> int:
    """How many names two rows have in common, from the outermost on."""
    pairs = enumerate(zip(names, others, strict=False))
    return next((at for at, (one, other) in pairs if one is None or one != other), len(others))


def _stepped(name: str, depth: int, width: int) -> str:
    """The name as far to the right as it lies deep, on as many lines as it takes."""
    room = max(width - depth, _LEAST // 2)
    lines = Text(name).wrap(Console(width=room), room) if cell_len(name) > room else [name]
    return "\n".join(f"{' ' * depth}{line}".rstrip() for line in lines)


def _broken(title: str) -> str:
    """The title with a line for each word, so that its column is as narrow as its figures."""
    words = re.split(r" (?!%)", title)
    return "\n".join(_SHORT.get(word, word) for word in words)


@dataclass
class _Grid:
    """Cells in columns, each of one line or several, as wide as its widest line."""

    titles: Sequence[str]
    right: Sequence[bool]
    gap: int
    _rows: list[list[list[Text]]] = field(default_factory=list)
    """Each row's cells, each cell's lines; a row without cells is a gap."""

    def add(self, names: Sequence[str], line: Line | None = None) -> None:
        """Add a row, bold if it sums up others; one without a line is of names alone."""
        blank = [""] * (len(self.titles) - len(names))
        cells: Sequence[Cell] = [*names, *(line.figures if line else blank)]
        style = "bold" if line and None in line.names else ""
        self._rows.append([_lines(cell, style) for cell in cells])

    def rule(self) -> None:
        """Set what follows apart."""
        self._rows.append([])

    @cached_property
    def widths(self) -> list[int]:
        """Of each column, the widest line's."""
        columns = zip(self._head, *filter(None, self._rows), strict=True)
        return [max(line.cell_len for cell in column for line in cell) for column in columns]

    @property
    def width(self) -> int:
        """Of all columns and what is between them."""
        return sum(self.widths) + self.gap * (len(self.widths) - 1)

    def drawn(self) -> Iterator[Text]:
        """The lines, from the titles on."""
        yield from self._drawn(self._head)
        yield Text("─" * self.width)
        for row in self._rows if self._rows[-1] else self._rows[:-1]:
            yield from self._drawn(row) if row else [Text()]

    @cached_property
    def _head(self) -> list[list[Text]]:
        """The titles' lines: all end on the lowest one."""
        head = [_lines(title, "bold") for title in self.titles]
        height = max(map(len, head))
        return [[*[Text()] * (height - len(cell)), *cell] for cell in head]

    def _drawn(self, row: list[list[Text]]) -> Iterator[Text]:
        for at in range(max(map(len, row))):
            drawn = Text()
            begin = 0
            for cell, width, right in zip(row, self.widths, self.right, strict=True):
                if at < len(cell) and cell[at]:
                    indent = width - cell[at].cell_len if right else 0
                    drawn.append(" " * (begin + indent - drawn.cell_len)).append_text(cell[at])
                begin += width + self.gap
            yield drawn


def _lines(cell: Cell, style: str) -> list[Text]:
    """A cell's lines, as they are: brackets in a name are no markup. None shows as –."""
    text = cell if isinstance(cell, Text) else Text("–" if cell is None else cell)
    lines = text.split("\n", allow_blank=True)
    for line in lines:
        line.stylize(style)
    return list(lines)
