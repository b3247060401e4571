"""What the comments of a day are made of, as the ledger notes it."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pulse.daily.comments import made_of
from pulse.store.ledger import Entry
from pulse.unbuilt import Unbuilt

TODAY = date(2026, 11, 21)
UNREAD = Unbuilt("2", "no Parquet", 0, 0, 1, alone=True, failing=True)


def ago(number: int) -> date:
    return TODAY - timedelta(days=number)


def entered(*entries: Entry) -> dict[date, Entry]:
    return {entry.day: entry for entry in entries}


def test_answers_and_the_interactions_that_they_may_be_linked_to() -> None:
    interactions = entered(Entry(TODAY, 10), Entry(ago(3), 100), Entry(ago(4), 1_000))
    assert made_of(Entry(TODAY, 5), interactions, 2) == "115 linked over 2 days"
    assert made_of(Entry(TODAY, 5), interactions, 35) == "1115 linked over 35 days"


def test_without_such_interactions_the_number_of_days_does_not_matter() -> None:
    later = entered(Entry(TODAY + timedelta(days=1), 7))
    assert made_of(Entry(TODAY, 5), later, 2) == made_of(Entry(TODAY, 5), {}, 35) == "5"


def test_a_day_that_cannot_be_read_is_left_out_and_named() -> None:
    read, unread = Entry(ago(1), 10), Entry(ago(2), 100, unbuilt=UNREAD)
    found = made_of(Entry(TODAY, 5), entered(read, unread), 2)
    assert found == "15 linked over 2 days without 2026-11-19"
    waiting = Entry(ago(2), 100, unbuilt=Unbuilt.waiting(100, "no time"))
    assert made_of(Entry(TODAY, 5), entered(read, waiting), 2) == "115 linked over 2 days"


def test_of_a_day_that_raw_no_longer_keeps_nothing_is_left() -> None:
    found = made_of(Entry(TODAY, 5, expired=True), entered(Entry(TODAY, 1)), 35)
    assert found == made_of(Entry(TODAY, 6, expired=True), {}, 3) == "gone"


@given(
    st.dictionaries(st.integers(0, 4), st.integers(1, 3), min_size=1),
    st.integers(1, 3),
    st.integers(0, 4),
    st.booleans(),
)
def test_whatever_changes_that_may_be_linked_makes_it_another(
    versions: dict[int, int], answers: int, changed: int, is_answer: bool
) -> None:
    def told() -> str:
        found = entered(*(Entry(ago(back), number) for back, number in versions.items()))
        return made_of(Entry(TODAY, answers), found, 2)

    before = told()
    if is_answer:
        answers += 1
    else:
        versions[changed] = versions.get(changed, 0) + 1
    assert (told() != before) == (is_answer or changed <= 3)
