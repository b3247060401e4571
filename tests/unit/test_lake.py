"""Names of prefixes and keys in the lake."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse import lake

MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1))


def test_keys_are_where_the_architecture_says() -> None:
    day = date(2026, 11, 5)
    assert lake.raw_key("responses", day, "01ABC") == "raw/responses/dt=2026-11-05/01ABC.parquet"
    assert lake.run_prefix(lake.SCORES, "R") == "daily/scores/run=R/"
    folder = "reports/scores/tenant=acme"
    assert lake.part_prefix(lake.SCORES, "acme", 2026, "R") == f"{folder}/year=2026/run=R/"
    part_key = lake.part_key(lake.SCORES, "acme", 2026, "R", "cube")
    assert part_key == f"{folder}/year=2026/run=R/cube.parquet"
    former_key = lake.part_key(lake.SCORES, "acme", 2026, "", "cube")
    assert former_key == f"{folder}/year=2026.parquet"


@given(MOMENTS, MOMENTS)
def test_ulids_sort_by_their_time(first: datetime, second: datetime) -> None:
    one, two = (lake.ulid(moment.replace(tzinfo=UTC)) for moment in (first, second))
    assert len(one) == 26
    assert abs(lake.ulid_time(one) - first.replace(tzinfo=UTC)) < timedelta(milliseconds=1)
    if second - first >= timedelta(milliseconds=1):
        assert one < two


def test_ulids_of_one_instant_differ(noon: datetime) -> None:
    assert len({lake.ulid() for _ in range(1000)}) == 1000


def test_what_is_no_ulid_is_an_error() -> None:
    for name in ("", "run", "I" * 26, "0" * 25):
        with pytest.raises(ValueError, match="not a ULID"):
            lake.ulid_time(name)


def test_measures_are_what_adds_up() -> None:
    assert lake.SCORES.measures == lake.SCORE_COUNTS
    assert set(lake.SCORES.dimensions) == {*lake.SCORE_DIMENSIONS, *lake.TAG_SLOTS}
