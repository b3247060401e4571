"""Prints the results of commands on stdout, and everything else on stderr.

So `pulse … --json | jq` and `KEY=$(pulse key create …)` work whatever else is printed.
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
"""The columns of a stdout that is no terminal: files and pipes must get every cell whole."""


def show(result: Any, text: RenderableType, *, as_json: bool) -> None:
    """Print a command's result: `result` as JSON, or its `text` for people.

    A text may hold names from anybody who may send events, so control characters are shown as �.
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
    """The same text without control characters, except those of its styles."""

    text: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        drawn = Text(self.text) if isinstance(self.text, str) else self.text
        for segment in console.render(drawn, options):
            yield segment._replace(text=harmless(segment.text))


def write(text: str) -> None:
    """Print data on stdout: unchanged, but on a terminal with control characters shown as �.

    Raises FailedError if stdout cannot be written: its disk is full or its pipe closed.
    """
    _put(harmless(text) if sys.stdout.isatty() else text)


def _put(text: str) -> None:
    try:
        typer.echo(text, nl=False, color=True)  # otherwise click removes colours from data
    except OSError as error:
        raise cannot_write(error) from error


def cannot_write(error: OSError) -> FailedError:
    """The error if stdout cannot be written. Drops its buffer, which would make the exit fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FailedError(f"The result cannot be written: {error.strerror}.")


def say(message: str) -> None:
    """Print a message on stderr, with control characters shown as �."""
    typer.echo(harmless(message), err=True)


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    right: Sequence[str] = (),
) -> Table:
    """A table of rows. None is shown as –, invisible characters as escapes.

    The columns named in `right` are aligned to the right.
    """
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        justify: JustifyMethod = "right" if column in right else "left"
        drawn.add_column(_cell(column), justify=justify, overflow="fold")
    for row in rows:
        drawn.add_row(*map(_cell, row))
    return drawn


def _cell(value: Any) -> Text:
    """The value as a cell, on one line unless it is a Text; brackets are not read as markup."""
    if isinstance(value, Text):
        return value
    return Text("–" if value is None else visible(str(value)))


def pairs(values: Mapping[str, Any]) -> Table:
    """A table with a line for each name and value."""
    drawn = Table.grid(padding=(0, 2))
    for name, value in values.items():
        drawn.add_row(name, _cell(value))
    return drawn


class StepCounter(Protocol):
    """Reports the progress of a task."""

    def __call__(self, steps: int, doing: str | None = None) -> None:
        """Report that `steps` more steps are done; `doing` is the new description, if given."""


@contextmanager
def progress(doing: str, total: int) -> Iterator[StepCounter]:
    """Within the block progress is shown: a bar of `total` steps, if stderr is a terminal."""
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
    """Progress bars on stderr, which are not drawn if that is no terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
