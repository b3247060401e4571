"""Sorts more records than memory can hold.

Records are kept in memory up to a limit; then they are sorted and written to a temporary file, a
run. Reading merges the runs. The files have no names, so nobody else can open them, and they are
removed when the spool is closed or its process ends.
"""

import heapq
import struct
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import IO, Self

from pulse.cli.exits import FailedError

Record = tuple[int, int, bytes]
"""The first and the second sort key, and the content."""

MOST_BYTES = 32 << 20
"""The most bytes of records in memory, without Python's own overhead."""
MOST_RUNS = 64
"""The most files that are open at a time: so many are merged into one."""

_HEAD = struct.Struct(">qqI")


class Spool:
    """Takes records in any order and returns them sorted; two readings must not overlap."""

    def __init__(self, most_bytes: int = MOST_BYTES, most_runs: int = MOST_RUNS) -> None:
        self._most_bytes, self._most_runs = most_bytes, most_runs
        self._recent: list[Record] = []
        self._recent_bytes = 0
        self._runs: list[IO[bytes]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove all records."""
        for run in self._runs:
            run.close()
        self._runs, self._recent, self._recent_bytes, self._count = [], [], 0, 0

    def add(self, first: int, second: int, body: bytes) -> None:
        """Add one record. Raises FailedError if the disk for temporary files is full."""
        self._recent.append((first, second, body))
        self._recent_bytes += len(body) + _HEAD.size
        self._count += 1
        if self._recent_bytes >= self._most_bytes:
            self._flush()

    def __iter__(self) -> Iterator[Record]:
        """All records, by `first` and then by `second`."""
        self._recent.sort()
        return heapq.merge(*map(_read, self._runs), self._recent)

    def _flush(self) -> None:
        self._recent.sort()
        self._runs.append(_written(self._recent))
        self._recent, self._recent_bytes = [], 0
        if len(self._runs) >= self._most_runs:
            merged = _written(heapq.merge(*map(_read, self._runs)))
            for run in self._runs:
                run.close()
            self._runs = [merged]


def _written(records: Iterable[Record]) -> IO[bytes]:
    run = None
    try:
        run = tempfile.TemporaryFile(prefix="pulse-")  # noqa: SIM115 # whoever reads closes it
        for first, second, body in records:
            run.write(_HEAD.pack(first, second, len(body)))
            run.write(body)
        run.flush()
    except OSError as error:
        if run is not None:
            with suppress(OSError):  # closing writes the rest, which may fail again
                run.close()
        raise FailedError(
            f"Temporary files cannot be written to {tempfile.gettempdir()}: {error.strerror}. "
            "Make room there, or name another folder by the environment variable TMPDIR."
        ) from error
    return run


def _read(run: IO[bytes]) -> Iterator[Record]:
    run.seek(0)
    while head := run.read(_HEAD.size):
        first, second, length = _HEAD.unpack(head)
        yield first, second, run.read(length)
