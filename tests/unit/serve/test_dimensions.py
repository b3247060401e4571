"""The values of a dimension as filters offer them, counted from objects in memory."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, cast
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse import days
from pulse.errors import BadRequestError, ForbiddenError, NotFoundError
from pulse.reports.registry import SURVEY
from pulse.serve import dimensions, groups
from pulse.serve.dimensions import DisplayNames, ValueSearch
from pulse.serve.plan import plan_of
from pulse.store.names import Names
from pulse.store.tenants import Tenants
from pulse.tenants.access import Directory
from pulse.tenants.keys import Key
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Survey, Texts
from pulse.tenants.tenant import Tenant
from tests.unit.serve import interactions
from tests.unit.serve.events import Answer, answers, as_years, built, pairs

DAY = date(2026, 11, 18)
REPORT_KEY = Key("0", "report", "acme", 0)
AGENT_NAMES = {"acme": {"a1": "Ada Lovelace", "a2": "Ümit B."}, "globex": {"a1": "Grace Hopper"}}


class InMemory:
    """A fake of the table's names and surveys, which counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def agents(self, tenant: str) -> dict[str, str]:
        self.asked += 1
        return AGENT_NAMES[tenant]

    def surveys(self, tenant: str) -> list[Survey]:
        rules = ((0, Rule.make("csat", 1, 5)),)
        texts = {"de": Texts("Wie war es?", "Danke."), "en": Texts("How was it?", "Thanks.")}
        return [
            Survey(tenant, "s1", rules, texts=texts, default_language="de"),
            Survey(tenant, "s2", rules),
        ]


def display_names(table: InMemory | None = None) -> DisplayNames:
    table = table or InMemory()
    return DisplayNames(Directory(cast(Tenants, table)), cast(Names, table))


def search(
    name: str,
    found: Sequence[Answer],
    query: str = "",
    *,
    key: Key = REPORT_KEY,
    tenants: Sequence[str] = ("acme",),
    names: DisplayNames | None = None,
) -> Any:
    """The reply, where each of the tenants has the same answers."""
    asked = ValueSearch.parse(name, pairs(query), across_tenants=key.kind == "operator")
    made = [built(Tenant(tenant, tenant.title()), found) for tenant in tenants]
    with days.clock(lambda: datetime(2026, 11, 21, 12, tzinfo=UTC)):
        plan = plan_of(asked.report, asked.query, made, key)
        years = as_years(found)
        return asked.answer(plan, dict.fromkeys(tenants, years), names or display_names())


def values(name: str, found: Sequence[Answer], query: str = "", **given: Any) -> list[Any]:
    reply = search(name, found, query, **given)
    return [(row["value"], row["count"]) for row in reply["values"]]


FOUND = [
    *[Answer(DAY, 5, agent="a1", channel="chat")] * 3,
    *[Answer(DAY, 9, "nps", "0-10", agent="a1", channel="ticket")] * 2,
    *[Answer(DAY, 3, agent="a2", channel="chat", country="DE")] * 2,
    *[Answer(DAY, 3, agent="b", survey="s2")] * 2,
    *[Answer(DAY, 3)] * 2,
    Answer(date(2026, 6, 1), 1, agent="gone"),
]


def test_values_come_by_their_count_with_their_names() -> None:
    reply = search("agent", FOUND)
    assert reply["values"] == [
        {"value": "a1", "name": "Ada Lovelace", "count": 5},
        {"value": "a2", "name": "Ümit B.", "count": 2},
        {"value": "b", "name": None, "count": 2},
        {"value": None, "name": None, "count": 2},
    ]
    assert (reply["dimension"], reply["title"], reply["truncated"]) == ("agent", "Agent", False)
    assert reply["meta"]["date_range"]["preset"] == "last_28_days"
    assert reply["meta"]["as_of"] == "1970-01-01T00:00:00Z"


def test_a_survey_s_name_is_its_question_in_its_default_language() -> None:
    rows = search("survey", FOUND)["values"]
    assert [(row["value"], row["name"]) for row in rows] == [("s1", "Wie war es?"), ("s2", None)]


def test_other_dimensions_have_no_names() -> None:
    rows = search("country", FOUND)["values"]
    assert rows == [
        {"value": None, "name": None, "count": 9},
        {"value": "DE", "name": None, "count": 2},
    ]


def test_the_days_are_those_of_the_query() -> None:
    assert ("gone", 1) in values("agent", FOUND, "preset=all_time")
    june = "start_date=2026-06-01&end_date=2026-06-30"
    assert values("agent", FOUND, june) == [("gone", 1)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("channel=ticket", [("a1", 2)]),
        ("channel=chat&country=!DE", [("a1", 3), ("b", 2), (None, 2)]),
        ("metric=csat&survey=s1", [("a1", 3), ("a2", 2), (None, 2)]),
        ("agent=a1,(none)", [("a1", 5), (None, 2)]),
        ("agent=!a1", [("a2", 2), ("b", 2), (None, 2)]),
    ],
)
def test_filters_narrow_what_is_counted(query: str, expected: list[Any]) -> None:
    assert values("agent", FOUND, query) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A", ["a1", "a2"]),
        ("LOVE", ["a1"]),
        ("üMIT", ["a2"]),
        ("%C3%9Cmit+b", ["a2"]),
        ("a1", ["a1"]),
        ("", ["a1", "a2", "b", None]),
        ("none", []),
        ("%", []),
        (".*", []),
    ],
)
def test_q_looks_into_values_and_names(text: str, expected: list[str | None]) -> None:
    found = values("agent", FOUND, f"q={quote(text, safe='%+')}")
    assert [value for value, _ in found] == expected


def test_names_of_any_kind_are_found_as_they_are() -> None:
    for name in ("Ümit, B.", '=cmd|" /C calc"!A0', 'says "hi"\nthen leaves', "🙂", "!x", "(none)"):
        found = [Answer(DAY, 4, agent=name)]
        assert values("agent", found, f"q={quote(name.upper(), safe='')}") == [(name, 1)]


def test_at_most_ten_thousand_values_are_told_and_q_reaches_the_others() -> None:
    found = [Answer(DAY, 3, agent=f"agent-{number:05}") for number in range(10_001)]
    reply = search("agent", found)
    assert len(reply["values"]) == dimensions.MOST_VALUES == 10_000
    assert reply["truncated"] is True
    assert values("agent", found, "q=-10000") == [("agent-10000", 1)]
    assert search("agent", found[:10_000])["truncated"] is False


def test_long_values_are_told_as_far_as_a_reply_may_be_long() -> None:
    found = [Answer(DAY, 3, agent=f"{number:04}" + "🙂" * 124) for number in range(8_000)]
    reply = search("agent", found)
    told = json.dumps(reply["values"], ensure_ascii=False, separators=(",", ":")).encode()
    assert 3_799_000 < len(told) <= 3_800_001
    assert reply["truncated"] is True


@given(found=answers(date(2025, 12, 1), date(2026, 11, 21)), name=st.data())
@settings(max_examples=60, deadline=None)
def test_counts_are_those_of_the_answers(found: list[Answer], name: st.DataObject) -> None:
    dimension = name.draw(st.sampled_from(SURVEY.dimension_names))
    counted = Counter(a.dimension(dimension) for a in found if a.channel != "chat")
    assert dict(values(dimension, found, "preset=all_time&channel=!chat")) == counted


def test_a_key_s_own_filters_hold_whatever_is_asked() -> None:
    bound = Key("0", "report", "acme", 0, filters={"agent": ("a1", "(none)")})
    for query in ("", "agent=a1,a2,(none)", "agent=!a2"):
        assert values("agent", FOUND, query, key=bound) == [("a1", 5), (None, 2)]
    assert values("channel", FOUND, "agent=a2", key=bound) == []
    assert values("agent", FOUND, "q=ümit", key=bound) == []


def test_a_key_bound_to_what_the_family_lacks_sees_nothing() -> None:
    bound = Key("0", "report", "acme", 0, filters={"media_type": ("voice",)})
    with pytest.raises(ForbiddenError) as error:
        search("agent", FOUND, key=bound)
    assert error.value.code == "filter_not_applicable"


def test_an_operator_is_told_the_sum_of_the_tenants_that_it_names() -> None:
    operator = Key("0", "operator", None, 0)
    both = ("acme", "globex")
    reply = search("agent", FOUND, "tenant=acme,globex", key=operator, tenants=both)
    assert reply["values"][0] == {"value": "a1", "name": "Ada Lovelace", "count": 10}
    named = [dates["tenant"] for dates in reply["meta"]["date_range"]["tenants"]]
    assert named == ["acme", "globex"]
    with pytest.raises(BadRequestError) as error:
        ValueSearch.parse("agent", [], across_tenants=True)
    assert error.value.code == "missing_tenant"


def test_names_are_asked_for_once_a_minute() -> None:
    table = InMemory()
    names = display_names(table)
    for _ in range(3):
        search("agent", FOUND, names=names)
    assert table.asked == 1


@pytest.mark.parametrize("name", ["agent", "survey"])
def test_names_that_cannot_be_read_are_missing_and_fail_no_reply(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def broken(self: InMemory, tenant: str) -> Any:
        raise OSError("no table")

    monkeypatch.setattr(InMemory, "agents", broken)
    monkeypatch.setattr(InMemory, "surveys", broken)
    reply = search(name, FOUND)
    assert [row["name"] for row in reply["values"]] == [None] * len(reply["values"])
    assert reply["values"]
    assert [warning["code"] for warning in reply["meta"]["warnings"]] == ["names_unavailable"]


def test_nothing_built_is_no_values_and_a_warning() -> None:
    reply = search("agent", [])
    assert reply["values"] == []
    assert [warning["code"] for warning in reply["meta"]["warnings"]] == ["nothing_built"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=5", "unknown_parameter"),
        ("group_by=channel", "unknown_parameter"),
        ("format=csv", "unknown_parameter"),
        ("tenant=acme", "unknown_parameter"),
        ("media_type=voice", "unknown_parameter"),
        ("q=a&q=b", "repeated_parameter"),
        ("metric=fax", "unknown_value"),
        ("preset=yesteryear", "unknown_preset"),
        ("start_date=2026-11-01", "missing_date"),
        ("q=%ff", "invalid_query"),
    ],
)
def test_bad_queries(query: str, code: str) -> None:
    with pytest.raises(BadRequestError) as error:
        ValueSearch.parse("agent", pairs(query))
    assert error.value.code == code
    if code == "unknown_parameter":
        assert "q, preset, start_date, end_date, survey" in error.value.detail


@pytest.mark.parametrize("name", ["period", "tenant", "score_value", "Agent", "", "a" * 5_000])
def test_an_unknown_dimension_is_told_which_there_are(name: str) -> None:
    with pytest.raises(NotFoundError) as error:
        ValueSearch.parse(name, [])
    assert error.value.code == "unknown_dimension"
    assert all(known in error.value.detail for known in SURVEY.dimension_names)


# -- several families

CALL = {"day": DAY, "media_type": "voice", "agent": "a1", "currency": "EUR", "entered": 4}
CALLS = {
    "interactions": [
        CALL,
        {**CALL, "currency": "JPY", "agent": "ada", "entered": 1},
        {**CALL, "currency": None, "entered": 2},
    ]
}


def called(name: str, query: str = "") -> list[Any]:
    """The values where the tenant has these interactions alone."""
    asked = ValueSearch.parse(name, pairs(query))
    tenant = interactions.built(Tenant("acme", "Acme"), CALLS)
    with days.clock(lambda: datetime(2026, 11, 21, 12, tzinfo=UTC)):
        plan = plan_of(asked.report, asked.query, [tenant], REPORT_KEY)
        years = interactions.read(CALLS, plan.tables)
        reply = asked.answer(plan, {"acme": years}, display_names())
    return [(row["value"], row["name"], row["count"]) for row in reply["values"]]


def test_a_dimension_of_several_families_is_the_first_s_unless_another_is_named() -> None:
    assert called("agent", "family=interaction") == [("a1", "Ada Lovelace", 6), ("ada", None, 1)]
    assert ValueSearch.parse("agent", []).report.family == SURVEY
    assert ValueSearch.parse("agent", pairs("family=survey")).report.family == SURVEY


def test_what_a_single_family_has_needs_no_naming() -> None:
    assert called("currency") == [("EUR", None, 4), (None, None, 2), ("JPY", None, 1)]
    assert called("media_type", "currency=EUR,(none)&agent=a1") == [("voice", None, 6)]


def test_a_family_that_is_unknown_or_lacks_the_dimension_is_refused() -> None:
    with pytest.raises(BadRequestError) as error:
        ValueSearch.parse("agent", pairs("family=fax"))
    assert error.value.code == "unknown_family"
    assert "survey, interaction" in error.value.detail
    with pytest.raises(NotFoundError) as missing:
        ValueSearch.parse("country", pairs("family=interaction"))
    assert "media_type" in missing.value.detail
    assert "country" not in missing.value.detail
    with pytest.raises(BadRequestError) as repeated:
        ValueSearch.parse("agent", pairs("family=survey&family=survey"))
    assert repeated.value.code == "repeated_parameter"


def test_more_values_than_a_report_has_rows_are_counted_and_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(groups, "MOST_GROUPS", 50)
    found = [Answer(DAY, 5, agent=f"a{n:04}") for n in range(3000)]
    found.append(Answer(DAY, 5, agent="eva"))
    reply = search("agent", [*found, Answer(DAY, 1, agent="eva")])
    assert (reply["values"][0]["value"], reply["values"][0]["count"]) == ("eva", 2)
    assert (len(reply["values"]), reply["truncated"]) == (3_001, False)
    assert values("agent", found, "q=2987") == [("a2987", 1)]


@pytest.mark.parametrize("text", ["jose", "JOSE", "José", "Jose%CC%81", "%20osé"])
def test_a_search_disregards_case_accents_and_coding(text: str) -> None:
    found = [
        Answer(DAY, 5, agent="Jos\u00e9"),
        Answer(DAY, 5, agent="Jose\u0301 O."),
        Answer(DAY, 5, agent="JO SÉ"),
        Answer(DAY, 5, agent="Joss"),
    ]
    shown = {value for value, _ in values("agent", found, f"q={text}")}
    assert shown == (set() if text.startswith("%20") else {"Jos\u00e9", "Jose\u0301 O."})
