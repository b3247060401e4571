"""Examples are the same at each run, or follow from the seed that `make explore` prints."""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis.core
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.internal.constants_ast import is_local_module_file

from tests import drawing

ROOT = Path(__file__).parents[2]
MODULES = sorted(path for folder in ("tests", "bench") for path in (ROOT / folder).rglob("*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def drawn(name: str) -> list[tuple[int, str]]:
    """The examples of a property test, by one of the profiles."""
    examples = []

    @settings(settings.get_profile(name), max_examples=300)
    @given(st.integers(), st.text())
    def draw(number: int, text: str) -> None:
        examples.append((number, text))

    draw()
    return examples


def test_examples_are_the_same_each_time() -> None:
    assert drawn("same") == drawn("same")


def test_examples_are_the_same_whatever_has_been_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hypothesis would draw literals of the modules that other tests have imported."""
    before = drawn("same")
    file = tmp_path / "literals.py"
    file.write_text(f"NUMBERS = {list(range(10**9, 10**9 + 500))}")
    assert is_local_module_file(str(file))
    spec = importlib.util.spec_from_file_location("literals", file)
    assert spec is not None
    monkeypatch.setitem(sys.modules, "literals", importlib.util.module_from_spec(spec))
    assert drawn("same") == before


def test_exploring_draws_others_each_time_but_the_same_with_the_same_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert drawn("explore") != drawn("explore")
    monkeypatch.setattr(hypothesis.core, "global_force_seed", 7)  # what --hypothesis-seed sets
    assert drawn("explore") == drawn("explore") != drawn("same")


@pytest.mark.parametrize(("asked", "drawn"), [(90, 30), (12, 10), (4, 4)])
def test_a_third_is_drawn_but_ten_if_there_are_as_many(asked: int, drawn: int) -> None:
    examples = []

    @settings(settings.get_profile("same"), max_examples=asked)
    @given(st.integers())
    def draw(number: int) -> None:
        examples.append(number)

    with profile("same"):
        drawing.spare([draw, draw, len, None])
    draw()
    assert len(examples) == drawn


def test_exploring_draws_all() -> None:
    examples = []

    @settings(settings.get_profile("same"), max_examples=90)
    @given(st.integers())
    def draw(number: int) -> None:
        examples.append(number)

    with profile("explore"):
        drawing.spare([draw])
    draw()
    assert len(examples) == 90


@contextmanager
def profile(name: str) -> Iterator[None]:
    """Profiles are Hypothesis' own for the whole process."""
    before = settings.get_current_profile_name()
    settings.load_profile(name)
    try:
        yield
    finally:
        settings.load_profile(before)


@settings(max_examples=60)
@given(st.integers())
def test_property_tests_draw_by_their_profile(number: int) -> None:
    of_all = settings.get_current_profile_name() == "explore"
    assert settings.default is not None
    assert settings.default.max_examples == (60 if of_all else 20)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_what_is_random_in_a_test_has_a_seed(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "random":
            assert node.attr == "Random", f"{ast.unparse(node)} is everybody's, without a seed"
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Random", "random.Random"):
            assert node.args, "Random() starts somewhere else at each run"
        if isinstance(node, ast.keyword) and node.arg == "use_true_random":
            assert ast.unparse(node.value) == "False"
