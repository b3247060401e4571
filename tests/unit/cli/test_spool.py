"""Sorting more records than fit into memory: they come back complete and in order."""

import errno
import tempfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse.cli.exits import FailedError
from pulse.cli.spool import Spool

records = st.tuples(st.integers(-3, 3), st.integers(0, 1 << 40), st.binary(max_size=20))


@given(st.lists(records, max_size=60), st.sampled_from([1, 60, 1 << 20]), st.sampled_from([1, 3]))
def test_what_was_added_comes_back_sorted(
    added: list[tuple[int, int, bytes]], most_bytes: int, most_runs: int
) -> None:
    with Spool(most_bytes, most_runs) as spool:
        for one in added:
            spool.add(*one)
        assert len(spool) == len(added)
        assert list(spool) == sorted(added)
        assert list(spool) == sorted(added)


def test_a_closed_spool_is_empty_and_keeps_no_file() -> None:
    with Spool(1) as spool:
        spool.add(1, 2, b"x")
    assert (len(spool), list(spool)) == (0, [])


def test_a_full_disk_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: Any, **named: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(FailedError, match=r"No space left on device\. .*TMPDIR"):
        Spool(1).add(1, 2, b"x")
