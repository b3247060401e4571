"""What a build of the reports records: which tenants are at fault where a statement fails."""

from collections import deque
from datetime import date

import pytest

from pulse import lake
from pulse.errors import AthenaError
from pulse.store.catalog import Partition
from pulse.store.held import Builds, Held
from pulse.tenant_years.work import Table

LAST_YEAR = date(2025, 12, 31)


def table() -> Table:
    held = Held(Builds("scores"))
    return Table(
        lake.SCORES, held, partitions={}, among=None, tenants={}, as_of_us=0, impatient=False
    )


@pytest.mark.parametrize("number", [1, 2, 3, 100, 101, 2_400, 10_000])
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_whoever_is_at_fault_is_found_before_athena_is_taken_to_be_out_of_order(
    number: int, place: float
) -> None:
    tenants = [f"t{at}" for at in range(number)]
    culprit = tenants[round(place * (number - 1))]
    built = table()
    left, statements = deque([tenants]), 0
    while left:
        assert not built.is_hopeless
        some = left.popleft()
        statements += 1
        if culprit in some:
            failed = AthenaError("FAILED: a row that nobody can read")
            left.extendleft(reversed(built.note_failure(some, 2026, failed)))
        else:
            built.rewritten += [(tenant, 2026) for tenant in some]
    assert {*built.failed} == {(culprit, 2026)}
    assert {tenant for tenant, _ in built.rewritten} == {*tenants} - {culprit}
    assert statements <= 1 + number / 100 + 2 * 8


def test_where_everything_fails_the_last_error_is_told() -> None:
    built = table()
    tenants = [f"t{at}" for at in range(64)]
    for _ in range(3):
        (tenants, _) = built.note_failure(tenants, 2026, AthenaError(f"of {len(tenants)}"))
    assert str(built.last_error) == "of 16"


def test_a_day_that_a_round_does_not_look_at_is_as_it_was_built_last() -> None:
    """But where it has looked and found nothing published, nothing is."""
    first, second, third = (date(2026, 1, day) for day in (1, 2, 3))
    built = table()
    built.held = Held(
        Builds("scores"), {first: ("R1",), second: ("R1", "R2"), third: ("R1",), LAST_YEAR: ("R0",)}
    )
    built.partitions = {second: Partition(second, "R2", 1, 1)}
    assert built.run_of(2026) == {second: "R2"}
    built.among = frozenset({second, third})
    assert built.run_of(2026) == {first: "R1", second: "R2"}
    assert built.years == [2025, 2026]
    assert built.unsettled == {second}
