"""Filters become parameters in which no value can be taken for another."""

from pulse.exports.export import FILTERS
from pulse.exports.write import filter_parameters
from pulse.serve.conditions import Condition


def test_without_filters_nothing_is_excluded() -> None:
    parameters = filter_parameters({})
    assert set(parameters) == {*FILTERS, *(f"{name}_negated" for name in FILTERS)}
    assert all(parameters[name] == [""] for name in FILTERS)
    assert all(parameters[f"{name}_negated"] is True for name in FILTERS)


def test_not_given_and_a_dash_are_two_values() -> None:
    parameters = filter_parameters({"agent": Condition(frozenset({None, "-", "="}))})
    assert parameters["agent"] == ["", "-", "=-", "=="]
    assert parameters["agent_negated"] is False
