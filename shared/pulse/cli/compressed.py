"""Opens files, and decompresses those that are compressed by gzip."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from pulse.cli.exits import WrongUseError

_GZIP = b"\x1f\x8b"


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Within the block the file's bytes can be read, decompressed. Raises WrongUseError if not."""
    if path.is_fifo():  # as /dev/stdin is, too
        raise WrongUseError(
            f"{path} is a pipe, and a file is read more than once: save what it gives, and import "
            "that."
        )
    try:
        with path.open("rb") as file:
            packed = file.read(len(_GZIP)) == _GZIP
            file.seek(0)
            if not packed:
                yield file
                return
            with gzip.open(file) as unpacked:
                yield cast("IO[bytes]", unpacked)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise WrongUseError(f"{path} is no whole gzip file: {error}.") from error
    except OSError as error:
        raise WrongUseError(f"{path} cannot be read: {error.strerror or error}.") from error
