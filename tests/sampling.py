"""What `make test` leaves to `make test-whole`: long stories, and most cases of tests of many.

A long story is marked `only_whole`, and runs with pytest's option --whole alone. A test of many
cases is marked `sampled`: by itself it looks at some of them, the same ones at each run, and with
--whole at all of them. docs/decisions/0084 says why.
"""

from collections.abc import Sequence
from typing import TypeVar

Case = TypeVar("Case")
_whole = False


def install(*, whole: bool) -> None:
    """Tests that are imported from now on look at a sample of their cases, or at the `whole`."""
    global _whole
    _whole = whole


def is_whole() -> bool:
    """True where tests look at all of their cases."""
    return _whole


def some(cases: Sequence[Case], one_in: int) -> list[Case]:
    """All cases if the tests are whole; otherwise the first, one in so many, and the last."""
    if _whole:
        return list(cases)
    last = len(cases) - 1
    return [case for n, case in enumerate(cases) if n % one_in == 0 or n == last]


def either(few: int, whole: int) -> int:
    """How many of something a test goes through: `whole`, or `few` in `make test`."""
    return whole if _whole else few
