"""Filters of an export become parameters, so that no value is part of the statement."""

from datetime import date

import pytest

from pulse import lake
from pulse.days import DateRange
from pulse.export_orders import FILTERS, STREAMS, ExportRequest
from pulse.exports.write import filter_parameters
from pulse.filters import Condition, Filters

DAY = DateRange(date(2026, 11, 20), date(2026, 11, 20))
OWN = {"team": "tag2", "plan": "tag1"}


def request(stream: str, filters: Filters) -> ExportRequest:
    own = OWN if stream == "responses" else {}
    return ExportRequest(stream, DAY, filters, "csv", own=own)


@pytest.mark.parametrize("stream", STREAMS)
def test_without_filters_nothing_is_excluded(stream: str) -> None:
    parameters, names = filter_parameters(request(stream, {})), {*FILTERS[stream]}
    names |= {*lake.TAG_SLOTS} if stream == "responses" else set()
    assert set(parameters) == names | {f"{name}_negated" for name in names}
    assert all(parameters[name] == [""] for name in names)
    assert all(parameters[f"{name}_negated"] is True for name in names)


def test_not_given_and_a_dash_are_two_values() -> None:
    asked = request("responses", {"agent": Condition(frozenset({None, "-", "="}))})
    parameters = filter_parameters(asked)
    assert parameters["agent"] == ["", "-", "=-", "=="]
    assert parameters["agent_negated"] is False


def test_a_tenants_own_dimension_is_filtered_by_the_column_that_its_key_has() -> None:
    parameters = filter_parameters(request("responses", {"team": Condition(frozenset({"north"}))}))
    assert (parameters["tag2"], parameters["tag2_negated"]) == (["", "=north"], False)
    assert (parameters["tag1"], parameters["tag1_negated"]) == ([""], True)
