"""Which days of experience there are, of which version, and what their statement reads."""

from collections.abc import Collection, Mapping
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pulse import days
from pulse.daily.experience import (
    entries_of_experience,
    former_names,
    is_of_experience,
    ledger_name,
    link_parameters,
)
from pulse.store.ledger import Entry

TODAY = date(2026, 11, 21)
LINK_DAYS = 2
"""So an answer's interaction entered on its day or on one of the three before it."""


def ago(number: int) -> date:
    return TODAY - timedelta(days=number)


def ledger(*entries: Entry) -> dict[date, Entry]:
    return {entry.day: entry for entry in entries}


def entries(
    responses: Mapping[date, Entry],
    interactions: Mapping[date, Entry],
    built: Mapping[date, Entry] | None = None,
    published: Collection[date] = (),
) -> Mapping[date, Entry]:
    return entries_of_experience(
        built or {}, responses, interactions, LINK_DAYS, published=published
    )


def test_a_days_version_is_the_sum_of_what_it_is_made_of() -> None:
    responses = ledger(Entry(TODAY, 5), Entry(ago(1), 7))
    interactions = ledger(
        Entry(TODAY, 10), Entry(ago(3), 100), Entry(ago(4), 1_000), Entry(ago(5), 10_000)
    )
    found = entries(responses, interactions)
    assert {day: entry.version for day, entry in found.items()} == {TODAY: 115, ago(1): 1_107}
    assert not any(entry.expired for entry in found.values())


def test_a_day_to_which_nothing_can_be_linked_has_no_entry() -> None:
    interactions = ledger(Entry(ago(4), 1), Entry(TODAY + timedelta(days=1), 1))
    assert entries(ledger(Entry(TODAY, 5)), interactions) == {}
    assert entries({}, ledger(Entry(TODAY, 1))) == {}


def test_a_published_day_has_an_entry_even_if_nothing_can_be_linked_any_more() -> None:
    """It may show links over more days than are meant now."""
    interactions = ledger(Entry(ago(4), 1))
    found = entries(ledger(Entry(TODAY, 5), Entry(ago(20), 5)), interactions, published=[TODAY])
    assert found == ledger(Entry(TODAY, 5))


def test_what_builders_have_said_of_a_day_is_kept() -> None:
    built = ledger(Entry(TODAY, 0, claimed_version=6, claimed_run="R", claimed_answers=3))
    found = entries(ledger(Entry(TODAY, 5)), ledger(Entry(TODAY, 2)), built)
    assert found == ledger(Entry(TODAY, 7, claimed_version=6, claimed_run="R", claimed_answers=3))


def test_a_built_day_stays_as_it_is_once_a_day_that_it_links_to_has_expired() -> None:
    responses = ledger(Entry(TODAY, 5), Entry(ago(1), 5), Entry(ago(2), 5))
    interactions = ledger(Entry(ago(3), 1), Entry(ago(4), 1, expired=True))
    found = entries(responses, interactions, published=[TODAY, ago(1)])
    expired = {day: entry.expired for day, entry in found.items()}
    # today's answers do not reach so far; the day before yesterday was never built
    assert expired == {TODAY: False, ago(1): True, ago(2): False}


def test_a_day_whose_answers_have_expired_is_never_built() -> None:
    responses = ledger(Entry(TODAY, 5, expired=True))
    found = entries(responses, ledger(Entry(TODAY, 1)))
    assert found[TODAY].expired


def test_a_statement_reads_the_days_that_there_are_and_raw_still_keeps() -> None:
    interactions = ledger(
        Entry(ago(1), 1), Entry(ago(6), 1), Entry(ago(7), 1, expired=True), Entry(ago(9), 1)
    )
    assert link_parameters([ago(5), TODAY], interactions, LINK_DAYS) == {
        "answered": [str(ago(5)), str(TODAY)],
        "first_day": str(ago(6)),
        "last_day": str(TODAY),
        "days": [str(ago(6)), str(ago(5)), str(ago(1)), str(TODAY)],
        "link_us": 2 * days.DAY,
    }


@given(
    st.dictionaries(st.integers(0, 8), st.integers(1, 5)),
    st.dictionaries(st.integers(0, 8), st.integers(1, 5)),
    st.booleans(),
    st.integers(0, 8),
)
def test_a_change_makes_the_versions_of_all_days_greater_that_it_may_change(
    answered: dict[int, int], entered: dict[int, int], of_answers: bool, back: int
) -> None:
    def versions() -> dict[date, int]:
        responses = ledger(*(Entry(ago(day), number) for day, number in answered.items()))
        interactions = ledger(*(Entry(ago(day), number) for day, number in entered.items()))
        found = entries(responses, interactions)
        return {day: entry.version for day, entry in found.items()}

    before = versions()
    changed = answered if of_answers else entered
    changed[back] = changed.get(back, 0) + 1
    after = versions()
    reached = {ago(back)} if of_answers else {ago(back - ahead) for ahead in range(LINK_DAYS + 2)}
    for day in after.keys() & before.keys():
        assert (after[day] > before[day]) == (day in reached)
    assert after.keys() >= before.keys()
    assert after.keys() - before.keys() <= reached


def test_another_number_of_days_has_another_name_in_the_ledger() -> None:
    assert ledger_name(35) != ledger_name(3)
    assert is_of_experience(ledger_name(35))
    assert not is_of_experience("responses")


def test_former_names_are_those_of_other_numbers_of_days() -> None:
    names = ["responses", "experience-3", "experience-35", "experience-350"]
    assert former_names(names, 35) == ["experience-3", "experience-350"]
    assert former_names(["responses"], 35) == []
