"""The parameter LinkDays: what a stack builds of daily_experience as its template says."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from pyarrow.parquet import ParquetFile

from pulse import days, lake
from pulse.store.athena import Athena
from pulse.store.catalog import Catalog
from pulse.store.ledger import Ledger
from pulse.tenants.rules import Rule
from tests.driver import Driver, running

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
NOON = NOW.replace(hour=12)


@contextmanager
def stack(**parameters: str) -> Iterator[Driver]:
    with days.clock(lambda: NOW), running(**parameters) as pulse:
        pulse.tenant("acme")
        pulse.survey("acme", "email", Rule.make("csat", 1, 5))
        yield pulse


def answer(pulse: Driver, interaction: str) -> None:
    """An answer of today's noon."""
    said = {"survey_id": "email", "score": 5, "response_id": interaction}
    told = said | {"interaction_id": interaction, "answered_at": NOON.isoformat()}
    assert pulse.post("acme", [told]).status == 202


def contact(pulse: Driver, interaction: str, entered: datetime, agent: str) -> None:
    told = {"interaction_id": interaction, "media_type": "email", "agent_id": agent}
    reply = pulse.post_interactions("acme", [told | {"entered_at": entered.isoformat()}])
    assert reply.status == 202


def answers_by_agent(pulse: Driver) -> Counter[str | None]:
    """How many of today's answers are linked to an interaction of each agent; None: to none."""
    table = lake.EXPERIENCE
    run = Catalog(pulse.settings.database).partitions(table.daily_table)[NOW.date()].run
    found: Counter[str | None] = Counter()
    for key in pulse.objects(f"{lake.run_prefix(table, run)}dt={NOW.date()}/"):
        for row in ParquetFile(pa.BufferReader(pulse.read(key))).read().to_pylist():
            found[row["agent"]] += row["c5"]
    return found


def test_half_of_what_raw_keeps_counts_where_that_is_less() -> None:
    with stack(LinkDays="30", RawRetentionDays="50") as pulse:
        for interaction in ("inside", "outside"):
            answer(pulse, interaction)
        edge = NOON - timedelta(days=25)
        contact(pulse, "inside", edge, "ada")
        contact(pulse, "outside", edge - timedelta(seconds=1), "bob")
        pulse.write()
        pulse.build_daily()
        assert answers_by_agent(pulse) == {"ada": 1, None: 1}
        names = set(Ledger(pulse.settings.table).changes.stands())
        assert names - set(lake.STREAMS) == {"experience-25"}


def test_answers_are_linked_over_35_days_where_nothing_is_said() -> None:
    with stack() as pulse:
        for interaction in ("inside", "outside"):
            answer(pulse, interaction)
        edge = NOON - timedelta(days=35)
        contact(pulse, "inside", edge, "ada")
        contact(pulse, "outside", edge - timedelta(seconds=1), "bob")
        pulse.write()
        pulse.build_daily()
        assert answers_by_agent(pulse) == {"ada": 1, None: 1}


def test_a_stack_without_interactions_runs_no_statement_and_does_not_ask_glue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    ask, unload = Catalog.partitions, Athena.unload

    def listed(self: Catalog, table: str, *given: Any) -> Any:
        asked.append(table)
        return ask(self, table, *given)

    def unloaded(self: Athena, *given: Any, target: str, **more: Any) -> Any:
        asked.append(target.split("/")[4])
        return unload(self, *given, target=target, **more)

    monkeypatch.setattr(Catalog, "partitions", listed)
    monkeypatch.setattr(Athena, "unload", unloaded)
    with stack() as pulse:
        answer(pulse, "unknown")
        pulse.write()
        assert pulse.build_daily().built == (date(2026, 11, 21),)
        assert asked == ["daily_scores", "scores", "comments"]
