"""What a command says: results on stdout, all else on stderr.

So `pulse … --json | jq` and `KEY=$(pulse key create …)` work whatever is said meanwhile.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import typer
from rich import box
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from pulse.cli.exits import FailedError
from pulse.cli.visible import harmless, visible

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

_WIDE = 1000
"""Columns of a stdout that is no terminal: a file or a pipe must get every cell whole."""


def show(result: Any, text: RenderableType, *, as_json: bool) -> None:
    """Print a command's result: `result` as JSON, or its `text` for people.

    Names in a text come from whoever may write: what a terminal would obey is shown as �.
    """
    if as_json:
        write(json.dumps(result, ensure_ascii=False, indent=2) + "\n")
        return
    console = Console(highlight=False, soft_wrap=isinstance(text, str))
    if not console.is_terminal:
        console.width = _WIDE
    with console.capture() as drawn:
        console.print(_Harmless(text), markup=False)
    _put(drawn.get())


@dataclass(frozen=True)
class _Harmless:
    """The same, drawn without any control character that it did not bring as a style."""

    text: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        drawn = Text(self.text) if isinstance(self.text, str) else self.text
        for segment in console.render(drawn, options):
            yield segment._replace(text=harmless(segment.text))


def write(text: str) -> None:
    """Print data on stdout: exactly what it is, but on a terminal what that would obey as �.

    Raises FailedError where stdout takes no more: a full disk, a closed pipe.
    """
    _put(harmless(text) if sys.stdout.isatty() else text)


def _put(text: str) -> None:
    try:
        typer.echo(text, nl=False, color=True)  # else what looks like a colour is cut out of data
    except OSError as error:
        raise cannot_write(error) from error


def cannot_write(error: OSError) -> FailedError:
    """The error to end with. What stdout still holds is thrown away, or the exit would fail too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FailedError(f"The result cannot be written: {error.strerror}.")


def say(message: str) -> None:
    """Print a message, on stderr; what a terminal would obey is shown as �."""
    typer.echo(harmless(message), err=True)


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    right: Sequence[str] = (),
) -> Table:
    """Rows under their columns. None shows as –, what shows as nothing as an escape.

    The columns named in `right` are aligned to it.
    """
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        justify: JustifyMethod = "right" if column in right else "left"
        drawn.add_column(_cell(column), justify=justify, overflow="fold")
    for row in rows:
        drawn.add_row(*map(_cell, row))
    return drawn


def _cell(value: Any) -> Text:
    """The value as it is, on one line unless it is a Text: brackets in a name are no markup."""
    if isinstance(value, Text):
        return value
    return Text("–" if value is None else visible(str(value)))


def pairs(values: Mapping[str, Any]) -> Table:
    """Names and their values, one a line."""
    drawn = Table.grid(padding=(0, 2))
    for name, value in values.items():
        drawn.add_row(name, _cell(value))
    return drawn


class Step(Protocol):
    """Tells how a work goes on."""

    def __call__(self, steps: int, doing: str | None = None) -> None:
        """So many steps more are done; `doing`, if given, is what is being done now."""


@contextmanager
def progress(doing: str, total: int) -> Iterator[Step]:
    """Within the block, what is given counts steps of `total`: a bar, if stderr is a terminal."""
    if not Console(stderr=True).is_terminal:
        say(f"{doing}: {total:,}")
    with _drawn() as bar:
        task = bar.add_task(doing, total=total)

        def step(steps: int, doing: str | None = None) -> None:
            bar.update(task, advance=steps, description=doing)

        yield step


@contextmanager
def bars() -> Iterator[Callable[[str, int, int], None]]:
    """Within the block progress of several tasks is shown: a bar each, if stderr is a terminal.

    The function that is yielded takes a task's name, how many of its steps are done, and how many
    steps it has.
    """
    tasks: dict[str, TaskID] = {}
    with _drawn() as drawn:

        def show(doing: str, done: int, total: int) -> None:
            if doing not in tasks:
                tasks[doing] = drawn.add_task(doing, total=total)
            drawn.update(tasks[doing], completed=done, total=total)

        yield show


def _drawn() -> Progress:
    """Bars on stderr, which nothing draws where that is no terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
