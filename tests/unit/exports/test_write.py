"""Filters become parameters in which no value can be taken for another."""

import pytest

from pulse.export_orders import FILTERS, STREAMS
from pulse.exports.write import filter_parameters
from pulse.filters import Condition


@pytest.mark.parametrize("stream", STREAMS)
def test_without_filters_nothing_is_excluded(stream: str) -> None:
    parameters, names = filter_parameters(stream, {}), FILTERS[stream]
    assert set(parameters) == {*names, *(f"{name}_negated" for name in names)}
    assert all(parameters[name] == [""] for name in names)
    assert all(parameters[f"{name}_negated"] is True for name in names)


def test_not_given_and_a_dash_are_two_values() -> None:
    parameters = filter_parameters("responses", {"agent": Condition(frozenset({None, "-", "="}))})
    assert parameters["agent"] == ["", "-", "=-", "=="]
    assert parameters["agent_negated"] is False
