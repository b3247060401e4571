"""Filters combine as sets do."""

from hypothesis import given
from hypothesis import strategies as st

from pulse.serve.conditions import Condition, among, both

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
