"""Which tags are dimensions of a tenant's answers, on which day and in which column."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse import days, lake
from pulse.days import ONE_DAY
from pulse.tenants.own_dimensions import (
    OwnDimensions,
    columns_of,
    declared,
    in_force,
    stamped,
)
from pulse.tenants.tenant import Tenant

TODAY = date(2026, 11, 21)
TOMORROW = TODAY + ONE_DAY
TEAM: OwnDimensions = {"team": ((days.FIRST_DAY, True),)}


def test_the_first_keys_are_in_force_for_all_days() -> None:
    own = declared({}, ["team", "plan"], None, TOMORROW)
    assert columns_of(own) == {"team": "tag1", "plan": "tag2"}
    assert in_force(own, days.FIRST_DAY) == ("team", "plan")


def test_a_key_that_is_left_out_is_given_up_from_tomorrow_on_and_keeps_its_column() -> None:
    own = declared(TEAM, ["plan"], None, TOMORROW)
    assert (in_force(own, TODAY), in_force(own, TOMORROW)) == (("team", "plan"), ("plan",))
    assert columns_of(own) == {"team": "tag1", "plan": "tag2"}


def test_a_key_comes_back_to_its_own_column() -> None:
    own = declared(declared(TEAM, [], TODAY, TOMORROW), ["plan", "team"], None, TOMORROW)
    assert columns_of(own) == {"team": "tag1", "plan": "tag2"}
    assert in_force(own, TODAY) == ("plan",)
    assert in_force(own, TOMORROW) == ("team", "plan")


def test_a_day_that_is_named_holds_for_every_key() -> None:
    own = declared(TEAM, ["plan"], TODAY, TOMORROW)
    assert (in_force(own, TODAY - ONE_DAY), in_force(own, TODAY)) == (("team",), ("plan",))


def test_what_is_in_force_already_stays_as_it_is() -> None:
    assert declared(TEAM, ["team"], None, TOMORROW) == TEAM


def test_no_column_is_ever_given_to_another_key() -> None:
    four = declared({}, ["a", "b", "c", "d"], None, TOMORROW)
    with pytest.raises(ValueError, match=r"4 dimensions.*none is left for e beside a, b, c, d"):
        declared(four, ["e"], None, TOMORROW)


@pytest.mark.parametrize("key", ["", "1a", "a b", "a,b", "a=b", "ä", "-a", "a" * 41, "a\n"])
def test_a_key_stands_in_addresses_and_heads_columns(key: str) -> None:
    with pytest.raises(ValueError, match="key of a tag"):
        declared({}, [key], None, TOMORROW)


def test_a_tenant_s_dimensions_are_checked() -> None:
    with pytest.raises(ValueError, match="rising days"):
        Tenant("acme", "Acme", dimensions={"team": ()})
    with pytest.raises(ValueError, match="rising days"):
        Tenant("acme", "Acme", dimensions={"team": ((date(1969, 1, 1), True),)})


@pytest.mark.parametrize("value", ["", "  ", "(other)", " (none)", "(rest)"])
def test_blank_and_reserved_texts_are_no_values(value: str) -> None:
    assert stamped(TEAM, {"team": value}, TODAY) == {}


def test_values_have_the_form_of_names() -> None:
    own = declared(TEAM, ["team", "plan"], None, TOMORROW)
    assert stamped(own, {"plan": " Jose\u0301 ", "Team": "north", "x": "y"}, TODAY) == {
        "tag2": "Jos\u00e9"
    }
    assert stamped(own, None, TODAY) == {}


CHANGES = st.lists(
    st.tuples(
        st.sets(st.sampled_from("abcde")), st.none() | st.dates(date(2026, 1, 1), date(2027, 1, 1))
    ),
    max_size=8,
)


@given(CHANGES)
def test_a_column_means_one_key_whatever_is_declared(
    changes: list[tuple[set[str], date | None]],
) -> None:
    own: OwnDimensions = {}
    meant: dict[str, str] = {}
    for keys, since in changes:
        ever = {*own, *keys}
        if len(ever) > len(lake.TAG_SLOTS):
            with pytest.raises(ValueError, match="none is left"):
                declared(own, sorted(keys), since, TOMORROW)
            continue
        own = declared(own, sorted(keys), since, TOMORROW)
        for key, column in columns_of(own).items():
            assert meant.setdefault(column, key) == key
        if since is not None:
            assert {*in_force(own, since)} == keys
