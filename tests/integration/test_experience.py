"""From the queue to daily_experience: answers are linked to interactions in any order of arrival.

What single rows come to lies in tests/tables; here days are built again as their parts change, and
are held against links that plain Python makes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from math import inf
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pulse import days, lake
from pulse.comments.stored import Comments
from pulse.daily.build import BuildDaily, DailyResult
from pulse.daily.experience import is_of_experience, ledger_name
from pulse.errors import AthenaError
from pulse.store.catalog import Catalog
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects
from tests.daily_rows import (
    NOW,
    NOW_US,
    Row,
    daily_rows,
    message,
    noon_us,
)
from tests.driver import Driver, running
from tests.experience_oracle import (
    LINK_DAYS,
    S,
    by_survey,
    counted,
    expected_rows,
    linked_answers,
)

APART = LINK_DAYS + 8
"""So far from each other tests are that no answer of one links to what another has sent."""
SCENES = count(1)


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    """Two tenants in UTC."""
    with days.clock(lambda: NOW), running() as driver:
        driver.tenant("acme")
        driver.tenant("globex")
        yield driver


@pytest.fixture
def day() -> date:
    """The last of some days that no other test uses."""
    return unused_day()


def unused_day() -> date:
    return NOW.date() - timedelta(days=APART * next(SCENES))


def answer(day: date, number: int = 1, **given: Any) -> Row:
    """An answer of noon about interaction `i1`."""
    known: Row = {
        "survey": "email",
        "metric": "csat",
        "scale": "1-5",
        "response_id": f"r{number}",
        "answered_us": noon_us(day) + given.pop("after", 0),
        "score": 5,
        "channel": "ticket",
        "interaction": "i1",
    }
    return {name: value for name, value in {**known, **given}.items() if value is not None}


def contact(day: date, **given: Any) -> Row:
    """An update of interaction `i1`, which entered at eleven; milestones in seconds after."""
    entered_us = noon_us(day) - 3600 * S + given.pop("after", 0)
    for name in ("offered", "accepted", "first_response", "finished"):
        if name in given:
            given[f"{name}_us"] = entered_us + given.pop(name) * S
    known: Row = {
        "interaction_id": "i1",
        "media_type": "email",
        "entered_us": entered_us,
        "updated_us": NOW_US,
    }
    return {name: value for name, value in {**known, **given}.items() if value is not None}


def linking(pulse: Driver, link_days: int = LINK_DAYS) -> BuildDaily:
    return replace(BuildDaily.from_settings(pulse.settings), link_days=link_days)


def build(pulse: Driver, *records: Row, **given: Any) -> DailyResult:
    """What is built after these messages."""
    assert pulse.write(records) == []
    return linking(pulse).run(remaining_s=lambda: inf, wake=False, **given)


def partitions(pulse: Driver, table: lake.DailyTable = lake.EXPERIENCE) -> Any:
    return Catalog(pulse.settings.database).partitions(table.daily_table)


def rows(pulse: Driver, day: date, table: lake.DailyTable = lake.EXPERIENCE) -> list[Row]:
    """The published rows of a day, without what is zero or not given."""
    found = daily_rows(pulse, table, day)
    return [{name: value for name, value in row.items() if value} for row in found]


def agents(pulse: Driver, day: date) -> Counter[str | None]:
    """How many answers of the day are linked to an interaction of each agent; None: to none."""
    found: Counter[str | None] = Counter()
    for row in rows(pulse, day):
        linked = row.get("agent", "?") if "media_type" in row else None
        found[linked] += sum(row.get(name, 0) for name in lake.SCORE_COUNTS)
    return found


# -- what comes first


def test_an_answer_that_comes_before_its_interaction_is_linked_once_that_is_there(
    pulse: Driver, day: date
) -> None:
    elsewhere = message(contact(day, interaction_id="other"))
    build(pulse, message(answer(day)), elsewhere)
    assert agents(pulse, day) == {None: 1}
    build(pulse, message(contact(day - timedelta(days=LINK_DAYS), after=3600 * S, agent="ada")))
    assert agents(pulse, day) == {"ada": 1}


def test_an_update_restates_every_day_whose_answers_may_link_to_it_and_no_other(
    pulse: Driver, day: date
) -> None:
    spread = [day - timedelta(days=back) for back in range(LINK_DAYS + 4)]
    sent = [answer(one, number) for number, one in enumerate(spread)]
    entered = spread[-2]
    build(pulse, message(*sent), message(contact(entered, after=3600 * S, agent="ada")))
    before = dict(partitions(pulse))
    finished = contact(entered, after=3600 * S, agent="bob", finished=9, updated_us=NOW_US + 1)
    build(pulse, message(finished))
    after = partitions(pulse)
    changed = {one for one in after if after[one] != before.get(one)}
    reach = [entered + timedelta(days=ahead) for ahead in range(LINK_DAYS + 2)]
    assert changed == {*reach} & {*spread}
    assert len(changed) == LINK_DAYS + 2
    for one in reach[:-1]:
        assert agents(pulse, one) == {"bob": 1}, one
    assert agents(pulse, reach[-1]) == {None: 1}  # its answer came a day too late


@pytest.mark.only_whole
def test_a_late_answer_restates_its_own_day_alone(pulse: Driver, day: date) -> None:
    build(pulse, message(answer(day), answer(day - timedelta(days=1), 2)), message(contact(day)))
    before = dict(partitions(pulse))
    build(pulse, message(answer(day, 3)))
    after = partitions(pulse)
    assert [one for one in after if after[one] != before.get(one)] == [day]
    assert agents(pulse, day) == {"?": 2}


def test_nothing_is_built_twice(pulse: Driver, day: date) -> None:
    build(pulse, message(answer(day)), message(contact(day)))
    before = dict(partitions(pulse))
    assert build(pulse, whole=True).built == ()
    assert partitions(pulse) == before


def test_days_to_which_no_interaction_can_be_linked_are_not_built(pulse: Driver, day: date) -> None:
    early = contact(day - timedelta(days=LINK_DAYS + 2))
    build(pulse, message(answer(day)), message(early), message(contact(day + timedelta(days=1))))
    assert day not in partitions(pulse)
    assert ledger_name(LINK_DAYS) == f"experience-{LINK_DAYS}"
    assert day not in Ledger(pulse.settings.table).entries(ledger_name(LINK_DAYS))


@pytest.mark.only_whole
def test_a_day_of_which_every_answer_is_gone_is_built_empty(pulse: Driver, day: date) -> None:
    build(pulse, message(answer(day)), message(contact(day)))
    for key in pulse.objects(lake.raw_prefix("responses", day)):
        linking(pulse).objects.wipe_keys([key])
    Ledger(pulse.settings.table).add("responses", day)
    build(pulse)
    assert rows(pulse, day) == []


@pytest.mark.only_whole
def test_fewer_days_are_another_table_of_which_every_day_is_due(pulse: Driver, day: date) -> None:
    old = contact(day - timedelta(days=2), after=3600 * S, agent="old")
    build(pulse, message(answer(day)), message(old), message(contact(day, interaction_id="x")))
    assert agents(pulse, day) == {"old": 1}
    for link_days, expected in ((1, {None: 1}), (2, {"old": 1}), (1, {None: 1})):
        again = linking(pulse, link_days).run(remaining_s=lambda: inf, wake=False, whole=True)
        assert day in again.built
        assert agents(pulse, day) == expected
    build(pulse, whole=True)  # as the other tests have it
    assert agents(pulse, day) == {"old": 1}


@pytest.mark.only_whole
def test_a_builder_looks_at_all_days_when_the_number_has_changed_and_changed_back(
    pulse: Driver, day: date
) -> None:
    old = contact(day - timedelta(days=2), after=3600 * S, agent="old")
    build(pulse, message(answer(day)), message(old), message(contact(day, interaction_id="x")))
    changes = Ledger(pulse.settings.table).changes
    for link_days, expected in ((1, {None: 1}), (LINK_DAYS, {"old": 1})):
        again = linking(pulse, link_days).run(remaining_s=lambda: inf, wake=False)
        assert day in again.built
        assert agents(pulse, day) == expected
        assert [name for name in changes.stands() if is_of_experience(name)] == [
            ledger_name(link_days)
        ]
    assert build(pulse).built == ()


@pytest.mark.only_whole
def test_fewer_days_take_the_links_of_a_day_to_which_nothing_else_is_linked(
    pulse: Driver, day: date
) -> None:
    old = contact(day - timedelta(days=3), after=7200 * S, agent="old")
    build(pulse, message(answer(day)), message(old))
    assert agents(pulse, day) == {"old": 1}
    linking(pulse, 1).run(remaining_s=lambda: inf, wake=False)
    assert agents(pulse, day) == {None: 1}
    build(pulse, whole=True)  # as the other tests have it
    assert agents(pulse, day) == {"old": 1}


@pytest.mark.only_whole
def test_another_number_of_days_takes_no_link_to_what_raw_no_longer_keeps(
    pulse: Driver, day: date
) -> None:
    past = day - timedelta(days=1)
    build(pulse, message(answer(day)), message(contact(past, agent="gone")))
    run = partitions(pulse)[day].run
    ledger = Ledger(pulse.settings.table)
    assert ledger.expire("interactions", past, ledger.entries("interactions")[past].version)
    assert lake.raw_prefix("interactions", past) in pulse.housekeep()
    linking(pulse, 2).run(remaining_s=lambda: inf, wake=False)
    assert partitions(pulse)[day].run == run
    assert agents(pulse, day) == {"gone": 1}
    build(pulse, whole=True)  # as the other tests have it
    assert partitions(pulse)[day].run == run


@pytest.mark.only_whole
def test_a_builder_that_ran_on_with_the_former_number_is_made_good(
    pulse: Driver, day: date
) -> None:
    """It publishes after a builder with the new number has looked at all days."""
    old = contact(day - timedelta(days=2), after=3600 * S, agent="old")
    build(pulse, message(answer(day)), message(old), message(contact(day, interaction_id="x")))
    linking(pulse, 1).run(day, day, remaining_s=lambda: inf, wake=False)
    assert agents(pulse, day) == {None: 1}
    build(pulse)
    assert agents(pulse, day) == {"old": 1}
    assert build(pulse).built == ()


@pytest.mark.only_whole
def test_a_run_that_was_replaced_is_removed_a_day_later(pulse: Driver, day: date) -> None:
    build(pulse, message(answer(day)), message(contact(day)))
    first = partitions(pulse)[day].run
    build(pulse, message(answer(day, 2)))
    second = partitions(pulse)[day].run
    assert pulse.housekeep() == ()
    with days.clock(lambda: NOW + timedelta(days=2)):
        removed = pulse.housekeep()
    assert lake.run_prefix(lake.EXPERIENCE, first) in removed
    assert lake.run_prefix(lake.EXPERIENCE, second) not in removed
    assert agents(pulse, day) == {"?": 2}


@pytest.mark.only_whole
def test_a_day_of_interactions_that_cannot_be_read_holds_up_no_other(
    pulse: Driver, day: date
) -> None:
    """Days that may link to it fail alone, stand in the ledger, and are built once it is sound."""
    spoilt, sound = day - timedelta(days=3), day
    early = [answer(spoilt, 1), answer(spoilt + timedelta(days=1), 2)]
    build(pulse, message(*early, answer(sound, 3)), message(contact(sound)))
    build(pulse, message(contact(spoilt, interaction_id="x")))
    stage = linking(pulse, link_days=1)
    ledger, key = Ledger(pulse.settings.table), lake.raw_key("interactions", spoilt, "spoilt")
    stage.objects.put(key, b"no Parquet")
    ledger.add("interactions", spoilt)
    with pytest.raises(AthenaError):
        stage.run(remaining_s=lambda: inf, wake=False)
    unbuilt = {entry.day for entry in ledger.entries(ledger_name(1)).values() if entry.unbuilt}
    assert unbuilt == {spoilt, spoilt + timedelta(days=1)}
    assert agents(pulse, sound) == {"?": 1}
    stage.objects.wipe_keys([key])
    ledger.add("interactions", spoilt)
    mended = stage.run(remaining_s=lambda: inf, wake=False, impatient=True)
    assert {spoilt, spoilt + timedelta(days=1)} <= {*mended.built}
    assert not any(entry.unbuilt for entry in ledger.entries(ledger_name(1)).values())
    build(pulse, whole=True)  # as the other tests have it


# -- any order


UPDATES: dict[str, st.SearchStrategy[Any]] = {
    "customer_segment": st.sampled_from(("gold", "new")),
    "service_type": st.sampled_from(("sales", "help")),
    "agent": st.sampled_from(("ada", "bob", "")),
    "offered": st.integers(-5, 40),
    "accepted": st.integers(-5, 40),
    "first_response": st.integers(-5, 60),
    "finished": st.integers(-5, 90_000),
    "abandoned": st.booleans(),
    "accept_threshold_us": st.sampled_from((0, 20 * S)),
    "first_response_threshold_us": st.just(30 * S),
    "finish_threshold_us": st.just(300 * S),
    "satisfaction": st.sampled_from(("0", "4.5")),
}
BY_DAY = ("entered_by_day", "accepted_by_day", "first_response_by_day", "finished_by_day")
MOMENTS = st.sampled_from((-10_800 * S, -S, 0, 1, 3600 * S, 7200 * S))
"""Beside the hour at which an interaction enters as a rule."""


@st.composite
def contacts(draw: st.DrawFn, last: date) -> Row:
    """An update of some interaction on one of the last days."""
    given = draw(st.fixed_dictionaries({}, optional=UPDATES))
    given |= {name: True for name in BY_DAY if draw(st.integers(0, 5)) == 0}
    if draw(st.booleans()):
        given |= {"revenue": draw(st.sampled_from(("0", "1.5", "-2"))), "currency": "EUR"}
    on = last - timedelta(days=draw(st.integers(0, LINK_DAYS + 2)))
    return contact(
        on,
        after=draw(MOMENTS),
        interaction_id=draw(st.sampled_from(("i1", "i2", "i3"))),
        media_type=draw(st.sampled_from(("voice", "email"))),
        updated_us=NOW_US + draw(st.integers(0, 2)),
        **given,
    )


@st.composite
def answers(draw: st.DrawFn, last: date) -> Row:
    """An answer on one of the last days, to one of few interactions or to none."""
    return answer(
        last - timedelta(days=draw(st.integers(0, LINK_DAYS))),
        number=draw(st.integers(1, 12)),
        after=draw(MOMENTS) - 3600 * S,
        interaction=draw(st.sampled_from(("i1", "i2", "i3", "i4", None))),
        survey=draw(st.sampled_from(("email", "phone"))),
        channel=draw(st.sampled_from(("ticket", "kiosk"))),
        score=draw(st.integers(1, 5)),
        linkable=draw(st.sampled_from((True, None))),
        device=draw(st.sampled_from(("mobile", lake.BOT, None))),
        comment=draw(st.sampled_from(("", None, "slow", "😠"))),
    )


SCENES_AT_ONCE = 5
"""Spans of days of one example: a build takes as long for many as for one."""


@pytest.mark.only_whole
@given(data=st.data())
@settings(
    max_examples=2,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # a build is too slow for shrinking
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
def test_whatever_the_order_days_are_what_links_in_plain_python_make_them(
    pulse: Driver, data: st.DataObject
) -> None:
    lasts = [unused_day() for _ in range(SCENES_AT_ONCE)]
    batches: list[list[Row]] = [[], []]
    for last in lasts:
        for _ in range(data.draw(st.integers(5, 40))):
            item = data.draw(st.one_of(answers(last), contacts(last)))
            tenant = data.draw(st.sampled_from(("acme", "acme", "globex")))
            kind = data.draw(st.sampled_from(("secret", "secret", "publishable")))
            told = message(
                item,
                tenant=tenant,
                key_kind=kind if "response_id" in item else "secret",
                received_us=NOW_US + data.draw(st.integers(0, 2)),
            )
            batches[data.draw(st.integers(0, 1))].append(told)
    for records in filter(None, batches):
        build(pulse, *records)
    published = partitions(pulse)
    for last in lasts:
        for back in range(LINK_DAYS + 1):
            on = last - timedelta(days=back)
            expected = expected_rows(pulse, on)
            if on in published:
                assert counted(rows(pulse, on)) == expected
                assert by_survey(rows(pulse, on)) == by_survey(rows(pulse, on, lake.SCORES))
            else:
                assert not any("media_type" in dict(key) for key in expected)
            assert comments(pulse, on) == expected_comments(pulse, on)


def comments(pulse: Driver, day: date) -> list[Row]:
    """What is kept of the day's comments, without what is not given."""
    found = [
        {"tenant": tenant, **row}
        for tenant, month in Comments(Objects(pulse.settings.lake_bucket)).all()
        for row in month.rows.to_pylist()
        if row["day"] == day
    ]
    names = ("tenant", "survey", "key_kind", "response_id", "comment", *lake.COMMENT_EXPERIENCE)
    return in_order({name: row[name] for name in names if row[name]} for row in found)


def expected_comments(pulse: Driver, day: date) -> list[Row]:
    """The same in plain Python."""
    found = []
    for told, through in linked_answers(pulse, day):
        row = {n: told[n] for n in ("tenant", "survey", "key_kind", "response_id", "comment")}
        row |= {("handled_by" if n == "agent" else n): value for n, value in through.items()}
        if told["comment"] is not None:
            found.append({name: value for name, value in row.items() if value})
    return in_order(found)


def in_order(found: Iterable[Row]) -> list[Row]:
    names = ("tenant", "survey", "key_kind", "response_id")
    return sorted(found, key=lambda row: [row[name] for name in names])


# -- the same in plain Python, as decision 0072 reads
