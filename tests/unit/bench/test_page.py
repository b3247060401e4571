"""The bench's page and the arithmetic in it."""

import pytest

from bench.measure import SCALES, Goal, Section, Times, in_turns, milliseconds
from bench.page import page


def test_things_are_measured_in_turns() -> None:
    done: list[str] = []
    times = in_turns(3, {"a": lambda: done.append("a"), "b": lambda: done.append("b")})
    assert done == ["a", "b"] * 3
    assert [len(times[name].seconds) for name in ("a", "b")] == [3, 3]


def test_a_median_stands_beside_its_spread() -> None:
    times = Times(tuple(second / 1000 for second in range(1, 101)))
    assert times.median == pytest.approx(0.0505)
    assert times.quantile(0.99) == 0.1
    assert times.text == "50.5 ms (6.0 ms-96.0 ms)"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.000123, "0.12 ms"), (0.0123, "12.3 ms"), (12.3456, "12,346 ms")]
)
def test_times_have_the_digits_that_tell_something(seconds: float, text: str) -> None:
    assert milliseconds(seconds) == text


def test_the_page_says_which_goals_were_missed() -> None:
    part = Section(
        "reading",
        "How it was done.",
        ("what", "ms"),
        (("ours", "1"),),
        (Goal("fast", "1", True), Goal("faster", "2", False), Goal("big", "3", None)),
    )
    written = page(SCALES["quick"], [part], 90)
    assert "| reading | fast | 1 | held |" in written
    assert "| reading | faster | 2 | **missed** |" in written
    assert "| reading | big | 3 | not judged at this scale |" in written
    assert "## reading\n\nHow it was done.\n\n| what | ms |\n| --- | --- |\n| ours | 1 |" in written
    assert "scale quick" in written
