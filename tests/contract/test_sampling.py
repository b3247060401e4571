"""Tests of very many cases look at some of them, and with --whole at all."""

import pytest

from tests import sampling


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "_whole", True)


@pytest.fixture
def in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "_whole", False)


@pytest.mark.usefixtures("in_part")
@pytest.mark.parametrize(
    ("number", "one_in", "expected"),
    [(0, 3, []), (1, 3, [0]), (2, 3, [0, 1]), (7, 3, [0, 3, 6]), (9, 3, [0, 3, 6, 8])],
)
def test_the_first_one_in_so_many_and_the_last(
    number: int, one_in: int, expected: list[int]
) -> None:
    assert sampling.some(range(number), one_in) == expected
    assert sampling.either(2, 9) == 2


@pytest.mark.usefixtures("whole")
def test_with_whole_no_case_is_left_out() -> None:
    assert sampling.some("abcdefg", 3) == list("abcdefg")
    assert sampling.either(2, 9) == 9
