"""Filters combine as sets do."""

from hypothesis import given
from hypothesis import strategies as st

from pulse.filters import Condition, among, both

values = st.sampled_from([None, "a", "b", "c", "d"])
conditions = st.builds(Condition, st.frozensets(values), st.booleans())


@given(conditions, conditions, values)
def test_and_holds_where_both_hold(first: Condition, second: Condition, value: str | None) -> None:
    assert (first & second).holds(value) == (first.holds(value) and second.holds(value))


@given(
    st.dictionaries(st.sampled_from("xyz"), conditions),
    st.dictionaries(st.sampled_from("xyz"), conditions),
    st.fixed_dictionaries(dict.fromkeys("xyz", values)),
)
def test_both_filters_hold_on_every_dimension(
    first: dict[str, Condition], second: dict[str, Condition], row: dict[str, str | None]
) -> None:
    expected = all(
        filters[name].holds(row[name]) for filters in (first, second) for name in filters
    )
    assert all(c.holds(row[name]) for name, c in both(first, second).items()) == expected


def test_not_a_value_holds_where_none_is_given() -> None:
    assert Condition(frozenset({"DE"}), negated=True).holds(None)


def test_a_condition_shows_its_values_in_order_and_not_given_as_null() -> None:
    assert among(["b", "(none)", "a"]).shown() == {"is": ["a", "b", None]}
    assert Condition(frozenset({"a"}), negated=True).shown() == {"is_not": ["a"]}


def test_a_value_that_is_written_in_another_way_means_what_is_stored() -> None:
    """Rows from before there was one form are stored as they were sent, and are still found."""
    written = among(["Jose\u0301 "])
    assert written.holds("Jos\u00e9")
    assert written.holds("Jose\u0301 ")
    assert not written.holds("Jose")
    assert among([" (none)"]).holds(None)
    assert not among(["Jose\u0301"], negated=True).holds("Jos\u00e9")
