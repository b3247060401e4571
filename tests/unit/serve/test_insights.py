"""GET /v1/insights over made-up answers: what it finds, and its sentences."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from pulse import days
from pulse.errors import BadRequestError
from pulse.reports.registry import REPORTS
from pulse.serve import query as queries
from pulse.serve.aggregate import Aggregate
from pulse.serve.formats import to_json
from pulse.serve.groups import TooManyGroupsError
from pulse.serve.insights import reading
from pulse.serve.insights.insights_query import MOVED_BY, REPORT, parse
from pulse.serve.insights.language import LANGUAGES
from pulse.serve.insights.reading import Reader
from pulse.serve.insights.routes import insights
from pulse.serve.needs import Needs
from pulse.serve.own import own_dimensions, with_own
from pulse.serve.plan import Plan, plan_of
from pulse.serve.years import Admit, TenantYears, YearRows, without_limit
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant
from tests.unit.serve.events import Answer, as_years, built, pairs

ACME = Tenant("acme", "Acme", min_sample=5)
SECRET = Key("0" * 64, "secret", "acme", 0)
REPORTER = Key("1" * 64, "report", "acme", 0)
FIRST = date(2026, 10, 1)
"""28 days from here, compared with those before."""
DAYS = "start_date=2026-10-01&end_date=2026-10-28"


class Tables:
    """Tenants' answers as years; what they have of interactions is nothing."""

    def __init__(self, answers: Mapping[str, Sequence[Answer]], at_hand: int = 0) -> None:
        self.years = {tenant: as_years(some) for tenant, some in answers.items()}
        self.at_hand = at_hand
        self.asked: list[list[Needs]] = []

    def read(self, asked: Sequence[Needs], admit: Admit = without_limit) -> list[list[YearRows]]:
        self.asked.append([*asked])
        return [
            [year.under(needs.own) for year in self.years[needs.tenant.id]]
            if needs.table.name == "scores"
            else []
            for needs in asked
        ]

    def weight(self, needs: Needs) -> int | None:
        return None if len(needs.dimensions) > 2 and self.at_hand < 0 else self.at_hand


class Names:
    def known(self, dimension: str, tenants: Sequence[str]) -> dict[str, str]:
        return {"anna": "Anna B."} if dimension == "agent" else {}


def answers(seed: int = 1, *, bad: bool = True) -> list[Answer]:
    """56 days; of the last 28, eight to fourteen went wrong by ticket in Austria."""
    dice = random.Random(seed)
    found = []
    for at in range(-28, 28):
        for n in range(40):
            is_bad = bad and 8 <= at < 15 and n < 22
            found.append(
                Answer(
                    FIRST + timedelta(days=at),
                    1 if is_bad and dice.random() < 0.97 else dice.choice([5, 5, 5, 2]),
                    channel="ticket" if is_bad else dice.choice(["chat", "ticket"]),
                    country="AT" if is_bad or n < 4 else dice.choice(["DE", "CH"]),
                    agent=dice.choice(["anna", "tom", "eve"]),
                    device=dice.choice(["mobile", "desktop"]),
                )
            )
        found.append(Answer(FIRST + timedelta(days=at), 9, "nps", "0-10", survey="s2"))
    return found


def ask(
    query: str,
    some: Sequence[Answer],
    key: Key = SECRET,
    tables: Tables | None = None,
    tenants: Sequence[Tenant] = (ACME,),
) -> Any:
    """The reply, as its reader has it."""
    own = own_dimensions(tenants)
    asked = parse(pairs(query), across_tenants=key.kind == "operator", own=own)
    tables = tables or Tables({tenant.id: some for tenant in tenants})
    known = [built(tenant, some) for tenant in tenants]
    plan = plan_of(with_own(REPORT, own), asked.query, known, key)
    reader = Reader(known, key, tables, without_limit)
    return json.loads(to_json(insights(reader, plan, asked, Names())))


def texts(reply: Any) -> list[str]:
    return [one["text"].replace("\u00a0", " ") for one in reply["sentences"]]


def share(some: Sequence[Answer]) -> float:
    return round(100 * sum(one.score >= 4 for one in some) / len(some), 2)


def test_the_bad_week_is_found_with_whom_it_was_of_and_what_it_cost() -> None:
    some = answers()
    reply = ask(DAYS, some)
    worst = reply["worst"]
    assert (worst["start_date"], worst["end_date"]) == ("2026-10-09", "2026-10-15")
    csat = [one for one in some if one.metric == "csat"]
    run = [one for one in csat if date(2026, 10, 9) <= one.day <= date(2026, 10, 15)]
    week_before = [one for one in csat if date(2026, 10, 2) <= one.day <= date(2026, 10, 8)]
    others = [one for one in csat if one.day >= FIRST and one not in run]
    assert (worst["responses"], worst["score"]) == (len(run), share(run))
    assert worst["score_others"] == share([one for one in others if one not in run])
    top = worst["top_contributor"]
    austria = [one for one in run if one.country == "AT"]
    assert (top["value"], top["name"], top["score"]) == ("AT", "Austria", share(austria))
    assert top["within"]["value"] == "ticket"
    cost = worst["cost"]
    assert (cost["responses"], cost["responses_previous"]) == (len(run), len(week_before))
    assert cost["bad"] == "dissatisfied"
    assert cost["bad_responses"] == sum(one.score <= 2 for one in run)
    assert cost["bad_responses_previous"] == sum(one.score <= 2 for one in week_before)
    assert (cost["contacts"], cost["revenue"]) == (None, [])


def test_the_headlines_are_the_totals_of_the_report_that_is_cited() -> None:
    some = answers()
    reply = ask(DAYS, some)
    now = [one for one in some if one.metric == "csat" and one.day >= FIRST]
    before = [one for one in some if one.metric == "csat" and one.day < FIRST]
    first, second = reply["headlines"]
    assert (first["metric"], first["score"], first["responses"]) == ("csat", share(now), len(now))
    assert (first["score_previous"], first["score_significant"]) == (share(before), True)
    assert (second["metric"], second["score"], second["surveys"]) == ("nps", 100, 1)


def test_movers_are_folded_and_add_up() -> None:
    some = answers()
    reply = ask(DAYS, some)
    movers = reply["movers"]
    first = movers["rows"][0]
    assert (first["value"], first["significant"]) == ("AT", True)
    within = {(one["dimension"], one["value"]) for one in first["within"]}
    assert ("channel", "ticket") in within
    now = [one for one in some if one.metric == "csat" and one.day >= FIRST]
    before = [one for one in some if one.metric == "csat" and one.day < FIRST]
    assert movers["change"] == pytest.approx(share(now) - share(before), abs=0.02)
    level = 100 * sum(one.score >= 4 for one in before) / len(before)

    def pull(side: Sequence[Answer]) -> float:
        its = [one for one in side if one.country == "AT"]
        return sum(100 * (one.score >= 4) - level for one in its) / len(side)

    assert first["points"] == pytest.approx(pull(now) - pull(before), abs=0.006)
    assert movers["groups"] == len({*_groups(now), *_groups(before)})


def _groups(some: Sequence[Answer]) -> list[tuple[str, str | None]]:
    return [(name, one.dimension(name)) for one in some for name in MOVED_BY]


def test_it_is_told_in_sentences_each_with_its_evidence() -> None:
    reply = ask(DAYS, answers())
    told = texts(reply)
    assert told[0].startswith("Customer satisfaction was ")
    assert "lower than in the 28 days before" in told[0]
    assert told[1].startswith("It went wrong from Fri 9 Oct to Thu 15 Oct: ")
    assert told[2].startswith("Answers from Austria explain 94 % of it: ")
    assert told[2].endswith(" in the 7 days before, mostly by ticket.")
    assert told[3].startswith("The cost: ")
    assert told[-1] == "The net promoter score was 100.0 (0.0, which may be chance)."
    links = [one for some in reply["sentences"] for one in some["phrases"] if one["report"]]
    (austria,) = [one for one in links if one["text"] == "Austria"]
    assert austria["report"] == "geo"
    assert dict(pair.split("=") for pair in austria["query"].split("&")) == {
        "start_date": "2026-10-09",
        "end_date": "2026-10-15",
        "metric": "csat",
        "compare": "previous_period",
    }
    worst, whose = (
        next(
            one
            for one in reply["sentences"][place]["phrases"]
            if "%" in one["text"] and one["report"]
        )
        for place in (1, 2)
    )
    days_of_it = "metric=csat&start_date=2026-10-09&end_date=2026-10-15&compare=previous_period"
    for one, narrowed in ((worst, ""), (whose, "&country=AT")):
        assert one["report"] == "daily"
        assert set(one["query"].split("&")) == set(f"{days_of_it}{narrowed}".split("&"))
    for one in links:
        queries.parse(pairs(one["query"]), REPORTS[one["report"]])  # or it would raise


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_tells_all_of_it(language: str) -> None:
    some = answers()
    told = texts(ask(f"{DAYS}&lang={language}", some))
    assert len(told) == len(texts(ask(DAYS, some)))
    assert not any("{" in one for one in told)
    place = {"en": "Austria", "de": "Österreich", "fr": "Autriche", "es": "Austria"}[language]
    assert place in told[2]


def test_quiet_days_have_no_worst_ones_and_no_answers_no_sentence() -> None:
    reply = ask(DAYS, answers(bad=False))
    assert reply["worst"] is None
    assert len(texts(reply)) == 2
    empty = ask("start_date=2020-01-01&end_date=2020-01-07", answers())
    assert (empty["headlines"], empty["movers"], empty["sentences"]) == ([], None, [])


def test_without_a_comparison_nothing_is_said_of_a_change() -> None:
    for query in (f"{DAYS}&compare=none", "preset=all_time"):
        with days.clock(lambda: days.EPOCH.replace(year=2026, month=10, day=29)):
            reply = ask(query, answers())
        assert reply["movers"] is None
        assert "compare" not in reply["meta"]
        assert "than in" not in texts(reply)[0]
        assert reply["worst"]["start_date"] == "2026-10-09"


def test_a_day_is_compared_with_the_day_before_and_a_year_with_the_same_days() -> None:
    one_day = texts(ask("start_date=2026-10-10&end_date=2026-10-10", answers()))[0]
    assert "in the day before" in one_day
    last_year = texts(ask(f"{DAYS}&compare=previous_year", answers()))[0]
    assert last_year.endswith("answers).")  # nothing is known of then


def test_few_answers_about_an_agent_are_withheld_from_report_keys() -> None:
    some = answers()
    some += [Answer(FIRST + timedelta(days=at), 1, agent="zoe") for at in range(3)]
    query = f"{DAYS}&agent=zoe"
    withheld = ask(query, some, REPORTER)
    (headline,) = withheld["headlines"]
    assert (headline["score"], headline["withheld"], headline["responses"]) == (None, True, 3)
    assert withheld["worst"] is None and withheld["movers"] is None
    assert texts(withheld) == ["Customer satisfaction was – (3 answers)."]
    assert ask(query, some)["headlines"][0]["score"] == 0
    told = json.dumps(ask(DAYS, some, REPORTER)["movers"])
    assert "zoe" not in told


def test_an_agent_is_never_named_as_the_cause() -> None:
    some = [
        replace(one, agent="anna" if one.country == "AT" else "tom", country="AT", channel="chat")
        for one in answers()
    ]
    reply = ask(DAYS, some)
    assert reply["worst"]["top_contributor"] is None
    assert reply["movers"]["rows"][0]["name"] == "Anna B."


def test_a_keys_own_filters_hold() -> None:
    bound = replace(REPORTER, filters={"country": ("DE",)})
    reply = ask(DAYS, answers(), bound)
    germany = [one for one in answers() if one.country == "DE" and one.day >= FIRST]
    assert reply["headlines"][0]["responses"] == len(germany)
    assert reply["worst"] is None
    assert {one["value"] for one in reply["movers"]["rows"] if one["dimension"] == "country"} <= {
        "DE"
    }


@pytest.mark.parametrize(
    ("query", "key", "known"),
    [
        (DAYS, SECRET, True),
        (f"{DAYS}&metric=csat&scale=1-5", SECRET, True),
        (f"{DAYS}&country=AT", SECRET, False),
        (DAYS, replace(REPORTER, filters={"country": ("AT",)}), False),
        (DAYS, replace(REPORTER, filters={"metric": ("csat",)}), False),
    ],
)
def test_the_contact_centre_is_asked_where_nothing_narrows_that_it_does_not_know(
    query: str, key: Key, known: bool
) -> None:
    tables = Tables({"acme": answers()})
    reply = ask(query, answers(), key, tables)
    assert reply["worst"]["cost"]["contacts"] is None
    asked = {needs.table.name for some in tables.asked for needs in some}
    assert ("interactions" in asked) == known


def test_an_agents_worst_days_are_told_to_report_keys_only_of_enough_answers() -> None:
    tenant = replace(ACME, min_sample=30)
    some = [
        Answer(FIRST + timedelta(days=at), 1 if at == 9 else 5, agent="zoe")
        for at in range(28)
        for _ in range(20)
    ]
    query = f"{DAYS}&agent=zoe"
    alone = ask(query, some, SECRET, tenants=(tenant,))["worst"]
    assert (alone["days"], alone["responses"], alone["cost"]["bad_responses"]) == (1, 20, 20)
    told = ask(query, some, REPORTER, tenants=(tenant,))["worst"]
    assert told is None or told["responses"] >= 30


def test_an_operators_tenants_count_together_each_in_its_own_days() -> None:
    operator = Key("2" * 64, "operator", None, 0)
    other = replace(ACME, id="other")
    reply = ask(f"{DAYS}&tenant=acme,other", answers(), operator, tenants=(ACME, other))
    alone = ask(DAYS, answers())
    assert reply["headlines"][0]["responses"] == 2 * alone["headlines"][0]["responses"]
    assert "than in the period before" in texts(reply)[0]
    assert "tenant=acme,other" in reply["sentences"][0]["phrases"][0]["query"]


def test_what_is_not_at_hand_is_left_out_and_said() -> None:
    some = answers()
    tables = Tables({"acme": some}, at_hand=reading.MOST_BYTES + 1)
    reply = ask(DAYS, some, tables=tables)
    assert reply["headlines"][0]["surveys"] is None
    assert reply["movers"]["rows"] == []
    assert (reply["worst"]["days"], reply["worst"]["cost"]) == (7, None)
    (warning,) = [one for one in reply["meta"]["warnings"] if one["code"] == "not_compared"]
    assert all(name in warning["message"] for name in MOVED_BY)


def too_many(monkeypatch: pytest.MonkeyPatch, is_too_many: Callable[[Sequence[str]], bool]) -> None:
    """Let questions by some dimensions have too many groups, folded as they are."""
    real = reading.aggregated

    def aggregated(plan: Plan, objects: TenantYears) -> Aggregate:
        if is_too_many(plan.query.group_by):
            raise TooManyGroupsError("ask for less")
        return real(plan, objects)

    monkeypatch.setattr(reading, "aggregated", aggregated)


def test_a_dimension_with_too_many_groups_is_left_out_and_the_others_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = ask(DAYS, answers())
    too_many(monkeypatch, lambda names: "browser" in names)
    reply = ask(DAYS, answers())
    (warning,) = [one for one in reply["meta"]["warnings"] if one["code"] == "not_compared"]
    assert warning["message"].startswith("Groups by browser are not compared: ")
    assert reply["worst"] == told["worst"]
    assert reply["movers"]["rows"] == told["movers"]["rows"]  # none is by browser


def test_of_a_dimension_the_largest_values_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_VALUES", 2)
    reply = ask(DAYS, answers())
    assert reply["movers"]["groups"] == 2 + 2 + 2 + 2 + 1 + 1 + 1  # browser and os are not given
    assert "groups_left_out" in {one["code"] for one in reply["meta"]["warnings"]}


def test_all_questions_of_a_step_are_read_at_once() -> None:
    some = answers()
    tables = Tables({"acme": some})
    ask(DAYS, some, tables=tables)
    assert len(tables.asked) <= 10  # rather than a reading for each of its sixty questions
    assert sum(map(len, tables.asked)) > 20


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("lang=it", "unknown_language"),
        ("lang=", "unknown_language"),
        ("compare=yesterday", "unknown_comparison"),
        ("preset=all_time&compare=previous_year", "compare_with_all_time"),
        ("group_by=country", "unknown_parameter"),
        ("lang=de&lang=fr", "repeated_parameter"),
        ("media_type=voice", "unknown_parameter"),
        ("tenant=acme", "unknown_parameter"),
        ("metric=fun", "unknown_value"),
    ],
)
def test_what_cannot_be_asked_is_named(query: str, code: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        parse(pairs(query))
    assert refused.value.code == code


# -- tags that are dimensions

SINCE = ((days.FIRST_DAY, True),)
TEAMS = replace(ACME, dimensions={"team": SINCE, "plan": SINCE})
"""`team` has the column tag1, `plan` tag2."""


def by_team() -> list[Answer]:
    """The answers that are Austria's in the others, of a team, and nothing else sets them apart."""
    return [
        replace(one, country=None, channel="chat", tag1="north" if one.country == "AT" else "south")
        for one in answers()
    ]


def test_a_tag_that_is_a_dimension_is_a_filter() -> None:
    some = by_team()
    reply = ask(f"{DAYS}&team=south", some, tenants=[TEAMS])
    south = [one for one in some if one.tag1 == "south" and one.metric == "csat"]
    first = reply["headlines"][0]
    now = [one for one in south if one.day >= FIRST]
    assert (first["responses"], first["score"]) == (len(now), share(now))
    assert reply["meta"]["filters"] == {"team": {"is": ["south"]}}
    with pytest.raises(BadRequestError, match="no such parameter"):
        ask(f"{DAYS}&team=south", some)  # of a tenant that has declared none


def test_a_tag_that_is_a_dimension_may_explain_a_change() -> None:
    reply = ask(DAYS, by_team(), tenants=[TEAMS])
    top = reply["worst"]["top_contributor"]
    assert (top["dimension"], top["value"]) == ("team", "north")
    assert ("team", "north") in {
        (one["dimension"], one["value"]) for one in reply["movers"]["rows"]
    }
    phrases = [phrase for one in reply["sentences"] for phrase in one["phrases"]]
    (evidence,) = [one for one in phrases if one["text"] == "north"]
    assert evidence["report"] == "daily"
    assert "group_by=team" in evidence["query"].split("&")


def test_a_key_that_is_bound_to_a_tag_is_told_of_it_alone() -> None:
    some = by_team()
    bound = replace(REPORTER, filters={"team": ("south",)})
    reply = ask(DAYS, some, bound, tenants=[TEAMS])
    now = [one for one in some if one.tag1 == "south" and one.day >= FIRST and one.metric == "csat"]
    assert reply["headlines"][0]["responses"] == len(now)
