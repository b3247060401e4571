"""Half of the support survey's answers are about interactions of the sample, and waiting tells."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.sample.interactions import Interaction, interactions
from local.sample.links import about_interactions
from local.sample.responses import responses
from local.sample.tenant import SUPPORT, THRESHOLDS

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
Link = tuple[dict[str, Any], Interaction]


@pytest.fixture(scope="module")
def drawn() -> list[dict[str, Any]]:
    return list(responses(NOW))


@pytest.fixture(scope="module")
def told(drawn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [dict(one) for one in about_interactions(drawn, interactions(NOW))]


@pytest.fixture(scope="module")
def links(told: list[dict[str, Any]]) -> list[Link]:
    known = {interaction.id: interaction for interaction in interactions(NOW)}
    return [(one, known[i]) for one in told if (i := one.get("interaction_id")) in known]


def test_nothing_else_is_said(drawn: list[dict[str, Any]], told: list[dict[str, Any]]) -> None:
    linked = ("interaction_id", "customer_id")
    for before, after in zip(drawn, told, strict=True):
        assert before.keys() == after.keys()
        assert {n for n in before if before[n] != after[n]} <= {*linked}


def test_about_half_of_the_answers_are_linked_each_to_an_interaction_of_its_own(
    told: list[dict[str, Any]], links: list[Link]
) -> None:
    asked = [one for one in told if one["survey_id"] == SUPPORT]
    assert 0.4 * len(asked) < len(links) < 0.6 * len(asked)
    assert max(Counter(interaction.id for _, interaction in links).values()) == 1


def test_an_answer_is_about_what_its_agent_had_taken_before(links: list[Link]) -> None:
    for answer, interaction in links:
        assert interaction.agent and interaction.accepted
        assert (answer["agent_id"], answer["customer_id"]) == (
            interaction.agent.id,
            interaction.customer,
        )
        assert (answer["channel"] == "chat") == (interaction.media_type == "chat")
        answered = datetime.fromisoformat(answer["answered_at"])
        assert interaction.accepted <= answered <= interaction.entered + timedelta(days=3)


def test_who_waited_longer_than_promised_is_less_often_satisfied(links: list[Link]) -> None:
    satisfied: defaultdict[bool, list[bool]] = defaultdict(list)
    for answer, interaction in links:
        promised = THRESHOLDS[interaction.media_type].accept_s
        assert interaction.accepted and promised
        late = (interaction.accepted - interaction.entered).total_seconds() > promised
        satisfied[late].append(answer["score"] >= 4)
    share = {late: sum(ones) / len(ones) for late, ones in satisfied.items()}
    assert len(satisfied[True]) > 300
    assert share[True] < share[False] - 0.2


def test_later_on_the_day_there_is_more_of_the_same(told: list[dict[str, Any]]) -> None:
    later = NOW + timedelta(hours=6)
    more = {
        one["response_id"]: one for one in about_interactions(responses(later), interactions(later))
    }
    assert [one for one in told if more[one["response_id"]] != one] == []
