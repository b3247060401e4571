"""The second half of an import: it sends the prepared events, one day after the other."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date

from pulse.cli import output
from pulse.cli.exits import CommandError, FailedError
from pulse.cli.plan import Kind
from pulse.cli.posting import Item, Send, post
from pulse.cli.preparing import Prepared
from pulse.cli.rejects import RejectsFile
from pulse.cli.table import Row
from pulse.errors import FieldError

_SO_FAR = "{:,} rows were accepted. Run the same command again: no row counts twice."


@dataclass
class ImportTally:
    """How many rows were accepted and rejected so far."""

    file: RejectsFile
    """The file of rejected rows."""
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    """How many rows were rejected, by the code of the reason."""

    def reject(self, row: Row, fault: FieldError) -> None:
        """Count a rejected row and add it to the file."""
        self.file.add(row, fault)
        self.rejected[fault.code] += 1


def send_all(
    kind: Kind, prepared: Prepared, tally: ImportTally, step: output.StepCounter, send: Send
) -> None:
    """Post all events, and reject rows that the interface rejects; `step` gets rows and days.

    If it ends early, it prints how far it came and that it can be run again.
    """
    try:
        with closing(post(kind.route, _items(prepared, step), send)) as results:
            for posted in results:
                for one in posted.rejected:
                    tally.reject(one.origin, FieldError(one.field, one.code, one.message))
                tally.accepted += posted.accepted
                step(posted.accepted + len(posted.rejected))
    except KeyboardInterrupt as error:
        raise FailedError("Interrupted: " + _SO_FAR.format(tally.accepted)) from error
    except CommandError:
        if tally.accepted:
            output.say(_SO_FAR.format(tally.accepted))
        raise


def _items(prepared: Prepared, step: output.StepCounter) -> Iterator[Item[Row]]:
    number, before, total = 0, date.min, len(prepared.days)
    for ready in prepared.ready():
        if ready.day is not None and ready.day != before:
            number, before = number + 1, ready.day
            step(0, f"Importing {ready.day}, day {number:,} of {total:,}")
        yield Item(ready.body, ready.row)
