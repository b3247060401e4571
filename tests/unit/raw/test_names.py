"""Which names of a batch are recorded, and how rarely."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest

from pulse import days
from pulse.raw import names
from pulse.raw.names import AgentNames
from pulse.raw.rows import Row
from pulse.store.names import Names, Naming

DAY = date(2026, 11, 20)


class InMemory:
    """A fake of the table's names, which keeps every word; `broken` refuses them."""

    def __init__(self) -> None:
        self.noted: list[Naming] = []
        self.broken = False

    def note(self, naming: Naming) -> None:
        if self.broken:
            raise OSError("no table")
        self.noted.append(naming)

    def taken(self) -> list[tuple[str, str]]:
        """(agent, name) of what was noted since the last time."""
        taken = [(naming.agent, naming.name) for naming in self.noted]
        self.noted.clear()
        return taken


@pytest.fixture
def table() -> InMemory:
    return InMemory()


@pytest.fixture
def agents(table: InMemory) -> AgentNames:
    return AgentNames(cast(Names, table))


def row(agent: str | None = "a1", name: str | None = "Ada", **given: Any) -> tuple[date, Row]:
    """An answer at noon of its day, an hour later for each `hour`."""
    day = given.get("day", DAY)
    answered_us = (day - date(1970, 1, 1)).days * 86_400_000_000 + given.get("hour", 12)
    return day, {
        "tenant": given.get("tenant", "demo"),
        "key_kind": given.get("kind", "secret"),
        "agent": agent,
        "agent_name": name,
        "answered_us": answered_us,
        "received_us": given.get("received_us", answered_us),
    }


def test_a_name_is_noted_once_however_many_answers_have_it(
    agents: AgentNames, table: InMemory
) -> None:
    agents.note([row()] * 50)
    agents.note([row(hour=13)] * 50)
    assert table.taken() == [("a1", "Ada")]


def test_a_changed_name_is_noted_and_so_is_the_way_back(
    agents: AgentNames, table: InMemory
) -> None:
    for name in ("Ada", "Ada L.", "Ada"):
        agents.note([row(name=name)])
    assert table.taken() == [("a1", "Ada"), ("a1", "Ada L."), ("a1", "Ada")]


def test_of_one_batch_the_latest_answer_has_the_word(agents: AgentNames, table: InMemory) -> None:
    agents.note([row(name="old", hour=1), row(name="new", hour=3), row(name="older", hour=2)])
    assert table.taken() == [("a1", "new")]


def test_of_one_answer_what_was_received_last_has_the_word(
    agents: AgentNames, table: InMemory
) -> None:
    agents.note([row(name="corrected", received_us=9), row(name="wrong", received_us=8)])
    assert table.taken() == [("a1", "corrected")]


def test_a_later_day_confirms_a_name_and_an_earlier_one_is_no_news(
    agents: AgentNames, table: InMemory
) -> None:
    agents.note([row()])
    agents.note([row(day=DAY - timedelta(days=300), name="maiden name")])
    agents.note([row(day=DAY + timedelta(days=1))])
    assert [naming.name for naming in table.noted] == ["Ada", "Ada"]
    assert table.noted[0].version < table.noted[1].version


def test_tenants_agents_and_voices_are_told_apart(agents: AgentNames, table: InMemory) -> None:
    rows = [row(), row(tenant="other"), row("a2"), row(name="A joker", kind="publishable")]
    for _ in range(2):
        agents.note(rows)
    assert len(table.taken()) == 4


def test_what_a_page_says_never_outweighs_a_secret_key(agents: AgentNames, table: InMemory) -> None:
    agents.note([row(hour=1), row(name="A joker", kind="publishable", hour=23)])
    versions = {naming.name: naming.version for naming in table.noted}
    assert versions["A joker"] < versions["Ada"]


def test_interactions_name_agents_as_answers_by_a_secret_key_do(
    agents: AgentNames, table: InMemory
) -> None:
    """Only servers send interactions, and sessions have no names."""
    day, answered = row(name="Ada")
    known = {"tenant": "demo", "agent": "a1", "received_us": answered["received_us"]}
    agents.note([(day, answered)])
    agents.note([(day, {**known, "active_us": 1})])
    entered_us = answered["answered_us"] + 1
    agents.note([(day, {**known, "agent_name": "Ada L.", "entered_us": entered_us})])
    first, second = table.noted
    assert second.trusted
    assert first.version < second.version


def test_answers_without_agent_or_name_name_nobody(agents: AgentNames, table: InMemory) -> None:
    agents.note([row(None), row(name=None), row(None, None)])
    assert table.taken() == []


def test_a_table_that_fails_fails_no_batch_and_is_tried_again(
    agents: AgentNames, table: InMemory
) -> None:
    table.broken = True
    agents.note([row(), row("a2")])
    assert table.taken() == []
    table.broken = False
    agents.note([row(), row("a2")])
    assert table.taken() == [("a1", "Ada"), ("a2", "Ada")]


def test_a_batch_notes_a_bounded_number_of_a_pages_and_the_next_one_goes_on(
    agents: AgentNames, table: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "MOST_PUBLIC", 3)
    rows = [row(f"a{number}", kind="publishable") for number in range(5)]
    counts = []
    for batch in (rows, [], []):
        agents.note(batch)
        counts.append(len(table.taken()))
    assert counts == [3, 2, 0]


def test_all_that_a_server_names_is_noted_at_once(agents: AgentNames, table: InMemory) -> None:
    agents.note([row(f"a{number}", f"Agent {number}") for number in range(3_000)])
    assert sorted(table.taken()) == sorted((f"a{n}", f"Agent {n}") for n in range(3_000))


def test_what_there_was_no_time_for_is_noted_later_with_its_latest_word(
    agents: AgentNames, table: InMemory, caplog: pytest.LogCaptureFixture
) -> None:
    table.broken = True
    agents.note([row("a1", "Ada"), row("a2", "Bob")])
    logged = [(record.getMessage(), vars(record).get("names")) for record in caplog.records]
    assert set(logged[:-1]) == {("names not noted", None)}  # by one thread, or by both at once
    assert logged[-1] == ("names wait for a later batch", 2)
    table.broken = False
    agents.note([row("a2", "Robert", hour=13), row("a3", "Cyd")])
    assert sorted(table.taken()) == [("a1", "Ada"), ("a2", "Robert"), ("a3", "Cyd")]


def test_what_waits_is_bounded_and_said(
    agents: AgentNames,
    table: InMemory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(names, "_MOST_WAITING", 4)
    table.broken = True
    agents.note([row(f"a{n}", kind="publishable") for n in range(9)] + [row("b1"), row("b2")])
    assert caplog.records[-1].getMessage() == "names left out"
    assert vars(caplog.records[-1])["names"] == 7
    table.broken = False
    agents.note([])
    taken = [agent for agent, _ in table.taken()]
    assert len(taken) == 4
    assert {"b1", "b2"} < set(taken)


def test_agents_that_somebody_makes_up_do_not_grow_the_memory(
    agents: AgentNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "_MOST_REMEMBERED", 10)
    agents.note([row(f"a{number}") for number in range(100)])
    assert len(agents._noted) <= 10


def test_a_flood_from_a_page_uses_up_no_place_of_a_secret_key(
    agents: AgentNames, table: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "MOST_PUBLIC", 3)
    flood = [row(f"a{number}", kind="publishable") for number in range(9)]
    agents.note([*flood, row("b1"), row("b2")])
    assert sorted(agent for agent, _ in table.taken()) == ["a0", "a1", "a2", "b1", "b2"]


def test_a_slow_table_does_not_hold_a_batch_up(agents: AgentNames, table: InMemory) -> None:
    """The batch must be acknowledged before the function's time is over."""
    seconds = iter(range(0, 1000, 2))
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    with days.clock(lambda: noon + timedelta(seconds=next(seconds))):
        agents.note([row(f"a{number}") for number in range(9)])
    assert len(table.taken()) == 2


def test_a_flood_of_one_tenant_takes_no_turn_from_another(
    agents: AgentNames, table: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = "publishable"
    monkeypatch.setattr(names, "MOST_PUBLIC", 4)
    known = [row(f"known{number}", tenant="small", kind=kind) for number in range(3)]
    agents.note(known)
    table.taken()
    flood = [row(f"bot{number}", kind=kind) for number in range(9)]
    agents.note([*flood, *known, row("b1", tenant="small", kind=kind)])
    assert sorted(agent for agent, _ in table.taken()) == ["b1", "bot0", "bot1", "bot2"]
