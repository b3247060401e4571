"""Drivers among what customers went through, against the oracle: of the answers that are linked."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pulse import days, lake
from pulse.tenants.tenant import Tenant
from tests import drivers_oracle, insights_oracle
from tests.calendar_oracle import Calendar
from tests.insights_oracle import Question
from tests.unit.serve.served import TENANT, Served, Told
from tests.unit.serve.test_insights_oracle import agree

NOW = datetime(2026, 12, 31, 12, tzinfo=UTC)
FIRST = date(2026, 11, 1)
LAST = date(2026, 11, 28)
DATES = f"start_date={FIRST}&end_date={LAST}&metric=csat"
OF_ANSWERS = ("country", "channel", "agent", "device", "browser", "os", "survey", "team", "plan")
WENT_THROUGH = (
    "accept",
    "first_response",
    "finish",
    "wait",
    "life",
    "was_abandoned",
    "had_revenue",
    "media_type",
    "customer_segment",
    "service_type",
)
STRATA = ("media_type", "customer_segment")


@dataclass(frozen=True)
class Linked(Told):
    """An answer with what its customer went through; without a medium it is linked to nothing."""

    media_type: str | None = None
    customer_segment: str | None = None
    service_type: str | None = None
    accept: str | None = None
    first_response: str | None = None
    finish: str | None = None
    wait: str | None = None
    life: str | None = None
    was_abandoned: str | None = None
    had_revenue: str | None = None

    def dimension(self, name: str) -> str | None:
        """The answer's value of a dimension, or its interaction's."""
        return getattr(self, name) if name in WENT_THROUGH else super().dimension(name)

    @property
    def row(self) -> dict[str, Any]:
        """Its row of the table of experience. Another agent dealt with it than the answer names."""
        names = ("survey", "metric", "scale", "channel", *WENT_THROUGH)
        other = {"agent": "zoe", "was_rated": "no", "entered_on": str(self.day)}
        return {
            "day": self.day,
            f"c{self.score}": 1,
            **{name: self.dimension(name) for name in names},
            **(other if self.media_type else {}),
        }


def answered(n: int = 500) -> list[Linked]:
    """Two in three are linked, and of these the late ones are unhappy; nothing else matters."""
    dice = random.Random(19)
    found = []
    for at in range(n):
        accept = dice.choice([*lake.LEVELS[:2], None])
        good = 0.35 if accept == "late" else 0.8
        one = Linked(
            FIRST + timedelta(days=at % 28),
            5 if dice.random() < good else 1,
            channel=dice.choice(["chat", "ticket"]),
            country=dice.choice(["AT", "DE"]),
            agent=dice.choice(["anna", "tom"]),
            number=at,
        )
        if at % 3:
            one = replace(
                one,
                media_type=dice.choice(["voice", "email"]),
                customer_segment=dice.choice(["Premium", None]),
                service_type=dice.choice(["orders", "returns"]),
                accept=accept,
                first_response=dice.choice(lake.LEVELS),
                finish=dice.choice(lake.LEVELS),
                wait=dice.choice(lake.DURATION_CLASSES),
                life=dice.choice(lake.DURATION_CLASSES),
                was_abandoned="no",
                had_revenue=dice.choice(["yes", "no"]),
            )
        found.append(one)
    return found


def ask(
    answers: Sequence[Linked],
    query: str = DATES,
    filters: Mapping[str, tuple[str, ...]] | None = None,
    tenant: Tenant = TENANT,
) -> Any:
    tables = {"experience": [one.row for one in answers]}
    served = Served(answers, tables, tenant, filters=filters or {})
    with days.clock(lambda: NOW):
        key = "secret" if filters is None else "bound"
        return served.ask("/v1/insights/drivers", query, key)


def by_name(reply: Any) -> dict[str, Any]:
    return {one["dimension"]: one for one in reply["drivers"]}


def test_both_families_are_those_of_the_single_answers_and_are_judged_together() -> None:
    answers = answered()
    linked = [one for one in answers if one.media_type]
    calendar = Calendar((FIRST, LAST), None)
    expected = [
        *drivers_oracle.drivers(Question(answers, calendar, OF_ANSWERS), ("channel", "country")),
        *drivers_oracle.drivers(Question(linked, calendar, WENT_THROUGH), STRATA),
    ]
    sure = insights_oracle.step_up([one["p"] for one in expected])
    for one, is_sure in zip(expected, sure, strict=True):
        one["significant"] = is_sure
    told = by_name(ask(answers))
    assert {*told} == {one["dimension"] for one in expected} > {"accept", "wait", "agent"}
    for one in expected:
        its = told[one["dimension"]]
        assert its["p"] == pytest.approx(one.pop("p"), rel=1e-6)
        its["rows"] = {row["value"]: row for row in its["rows"]}
        agree(its, one)
    assert told["accept"]["responses"] == len(linked) < len(answers)


def test_a_tag_that_is_called_as_one_of_them_is_told_in_its_place() -> None:
    since = TENANT.dimensions["team"]
    tenant = replace(TENANT, dimensions={"accept": since, "plan": since})
    answers = [replace(one, tag1="by post") for one in answered()]
    told = [one["dimension"] for one in ask(answers, tenant=tenant)["drivers"]]
    assert "wait" in told and "accept" not in told  # everybody has one value of it
    halves = [replace(one, tag1=["by post", "by hand"][one.number % 2]) for one in answers]
    (found,) = [
        one for one in ask(halves, tenant=tenant)["drivers"] if one["dimension"] == "accept"
    ]
    assert {row["value"] for row in found["rows"]} == {"by post", "by hand"}


def test_being_accepted_late_is_found_and_what_is_linked_to_nothing_is_no_group() -> None:
    reply = ask(answered())
    first, *others = reply["drivers"]
    assert (first["dimension"], first["significant"]) == ("accept", True)
    assert not any(one["significant"] for one in others)
    assert first["adjusted_for"] == [*STRATA]
    names = {row["value"]: (row["name"], row["difference"]) for row in first["rows"]}
    assert {value: name for value, (name, _) in names.items()} == {
        "in_time": "In time",
        "late": "Late",
        None: "Not given",  # it is linked, and how long it took is not known
    }
    assert names["late"][1] < -30
    medium = by_name(reply)["media_type"]
    assert {row["value"] for row in medium["rows"]} == {"voice", "email"}
    assert medium["adjusted_for"] == ["customer_segment"]


def test_a_mix_of_media_that_reverses_the_difference_is_shown_as_such() -> None:
    """Simpson's paradox: the late are better served on either medium, but wrote the emails."""

    def some(accept: str, medium: str, good: int, of: int) -> list[Linked]:
        return [
            Linked(FIRST, 5 if at < good else 1, accept=accept, media_type=medium)
            for at in range(of)
        ]

    answers = [
        *some("in_time", "voice", 81, 90),
        *some("in_time", "email", 2, 10),
        *some("late", "voice", 10, 10),
        *some("late", "email", 36, 90),
    ]
    rows = {row["value"]: row for row in by_name(ask(answers))["accept"]["rows"]}
    assert rows["late"]["difference"] < -30 < 0 < 15 < rows["late"]["adjusted_difference"]


def test_what_linked_answers_do_not_know_leaves_them_out_and_it_is_said() -> None:
    answers = answered()
    reply = ask(answers, f"{DATES}&country=AT")
    assert not {*by_name(reply)} & {*WENT_THROUGH}
    (warning,) = reply["meta"]["warnings"]
    assert warning["code"] == "not_compared"
    assert warning["message"].endswith("are not told apart by country.")
    # the agent there is the one who dealt with the customer, whom a key is not bound to
    bound = ask(answers, filters={"agent": ("anna",)})
    assert not {*by_name(bound)} & {*WENT_THROUGH}
    assert bound["meta"]["warnings"][0]["message"].endswith("are not told apart by agent.")
    assert "accept" in by_name(ask(answers, f"{DATES}&channel=chat"))


def test_a_tenant_without_interactions_is_told_of_its_answers_alone() -> None:
    served = Served(answered())
    with days.clock(lambda: NOW):
        reply = served.ask("/v1/insights/drivers", f"{DATES}&country=AT")
    assert reply["meta"]["warnings"] == []
    assert {*by_name(reply)} <= {*OF_ANSWERS}
