"""What `pulse check` says."""

import pytest

from pulse.checks import ids_found
from pulse.sql import statement


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "no ids stand on more than one day"),
        (1, "1 id stands on more than one day"),
        (99, "99 ids stand on more than one day"),
        (100, "at least 100 ids stand on more than one day"),
    ],
)
def test_ids_on_two_days_are_counted_in_plain_words(count: int, expected: str) -> None:
    assert ids_found(count) == expected


@pytest.mark.parametrize("table", ["scores", "interactions", "sessions"])
def test_statements_find_no_more_ids_than_are_said_to_be_counted(table: str) -> None:
    assert statement("checks", f"{table}_on_two_days").rstrip().endswith("LIMIT 100")
