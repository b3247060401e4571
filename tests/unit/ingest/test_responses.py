"""Reading the items of a request with a directory that holds one tenant in memory."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse import days, lake
from pulse.ingest.fields import RejectedError
from pulse.ingest.message import Event
from pulse.ingest.pages import page
from pulse.ingest.responses import ResponseReader
from pulse.tenants.keys import Key
from pulse.tenants.rules import Rule
from pulse.tenants.signatures import sign
from pulse.tenants.surveys import Survey
from pulse.tenants.tenant import Tenant
from tests.unit.ingest.memory import directory

NOW_US = 1_795_262_400_000_000
SURVEY = Survey("demo", "checkout", ((0, Rule.make("csat", 1, 5)),))


def reader(kind: str) -> ResponseReader:
    known = directory(Tenant("demo", "Demo"), SURVEY)
    return ResponseReader(known, Key("0" * 64, kind, "demo", 0), "demo", NOW_US)


FIELDS = st.sampled_from(
    ["survey_id", "score", "response_id", "answered_at", "channel", "agent_id", "comment", "tags",
     "country", "ip", "user_agent", "age_ms", "x"]
)  # fmt: skip
TIMES = ["2026-11-20T09:30:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"]
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["checkout", "chat", "r-1", "de", "203.0.113.7", *TIMES]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(VALUES | st.dictionaries(FIELDS, VALUES), st.none() | st.just("k"), st.booleans(), st.data())
def test_any_json_is_a_response_or_rejected_with_a_code(
    item: Any, own_id: str | None, secret: bool, data: st.DataObject
) -> None:
    if isinstance(item, dict) and data.draw(st.booleans()):
        item |= {"survey_id": "checkout", "score": data.draw(st.integers(0, 6))}
    try:
        response = reader("secret" if secret else "publishable").read(item, own_id)
    except RejectedError as error:
        assert error.fault.code
        assert error.fault.message
    else:
        assert response["score"] in SURVEY.current_rule.scores
        assert response["answered_us"] <= NOW_US + 300_000_000


@given(st.text(min_size=1, max_size=4000))
def test_a_comment_is_kept_letter_for_letter(comment: str) -> None:
    item = {"survey_id": "checkout", "score": 5, "comment": comment}
    assert reader("publishable").read(item, None)["comment"] == comment


def test_a_response_without_an_id_gets_a_new_one_each_time() -> None:
    item = {"survey_id": "checkout", "score": 5}
    first, second = (reader("publishable").read(item, None) for _ in range(2))
    assert first["response_id"] != second["response_id"]
    lake.ulid_time(first["response_id"])


def test_everything_that_a_server_may_send_is_kept_under_the_tables_names() -> None:
    item = {
        "survey_id": "checkout",
        "score": 4,
        "response_id": "r-1",
        "answered_at": "2026-11-20T09:30:00+01:00",
        "channel": "chat",
        "agent_id": "a-1",
        "agent_name": "Ana",
        "customer_id": "c-1",
        "interaction_id": "i-1",
        "comment": "fine",
        "tags": {"k": "v"},
        "country": "de",
        "ip": "::ffff:203.0.113.7",
        "user_agent": "Mozilla/5.0",
    }
    assert reader("secret").read(item, "not-used").values == dict(
        survey="checkout",
        metric="csat",
        scale="1-5",
        response_id="r-1",
        answered_us=1_795_163_400_000_000,
        score=4,
        channel="chat",
        agent="a-1",
        agent_name="Ana",
        customer="c-1",
        interaction="i-1",
        comment="fine",
        tags={"k": "v"},
        country="DE",
        ip="::ffff:203.0.113.7",
        user_agent="Mozilla/5.0",
    )


def test_an_empty_text_is_not_given_wherever_something_may_be_left_out() -> None:
    item = {"survey_id": "checkout", "score": 5}
    empty = dict.fromkeys(("tags", "ip", "country", "user_agent", "comment", "channel"), "")
    response = reader("publishable").read(item | empty)
    assert response["tags"] is None
    assert (response["ip"], response["country"], response["user_agent"]) == (None, None, None)

    key = replace(reader("publishable").key, surveys=("checkout",))
    tied = replace(reader("publishable"), key=key)
    assert tied.read({"survey_id": "", "score": 5})["survey"] == "checkout"


# -- agents that a link has to sign

SIGNED = replace(SURVEY, agents="signed", link_secret="s3")
ABOUT = {"survey_id": "checkout", "score": 4, "interaction_id": "T-1", "agent_id": "a-7"}
BY_LINK = sign("s3", "demo", "checkout", {"agent": "a-7", "interaction": "T-1"})
AGENT_ALONE = sign("s3", "demo", "checkout", {"agent": "a-7"})
INTERACTION_ALONE = sign("s3", "demo", "checkout", {"interaction": "T-1"})


def read_of(survey: Survey, kind: str = "publishable", **more: object) -> Event:
    known = directory(Tenant("demo", "Demo"), survey)
    key = Key("0" * 64, kind, "demo", 0)
    return ResponseReader(known, key, "demo", NOW_US).read(ABOUT | more)


def test_an_agent_counts_from_a_signed_link() -> None:
    response = read_of(SIGNED, signature=BY_LINK, agent_name="Ada")
    assert (response["agent"], response["agent_name"], response.warning) == ("a-7", "Ada", None)
    assert "signature" not in response.values


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"signature": ""},
        {"signature": "x" * 5000},
        {"signature": BY_LINK[:-1] + "_"},
        {"signature": BY_LINK, "agent_id": "a-8"},
        {"signature": BY_LINK, "interaction_id": "T-2"},
        {"signature": BY_LINK, "agent_id": None, "agent_name": "Ada"},
    ],
    ids=str,
)
def test_any_other_agent_is_dropped_and_the_answer_kept(more: dict[str, object]) -> None:
    response = read_of(SIGNED, "publishable", **{"agent_name": "Eve", **more})
    assert (response["agent"], response["agent_name"], response["score"]) == (None, None, 4)
    assert response["interaction"] == {**ABOUT, **more}["interaction_id"]
    assert response.warning
    assert (response.warning.field, response.warning.code) == ("agent_id", "agent_not_signed")
    assert "warning" not in response.values


def test_free_surveys_and_secret_keys_take_any_agent() -> None:
    assert read_of(SURVEY)["agent"] == "a-7"
    assert read_of(replace(SIGNED, agents="free"), signature="1a.wrong")["agent"] == "a-7"
    for more in ({}, {"signature": "1a.wrong"}):
        response = read_of(SIGNED, "secret", **more)
        assert (response["agent"], response.warning) == ("a-7", None)


def test_who_names_no_agent_is_not_warned() -> None:
    assert read_of(SIGNED, agent_id=None).warning is None


# -- interactions that a link has to sign, unless the survey says otherwise


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"signature": BY_LINK}, True),
        ({"signature": INTERACTION_ALONE, "agent_id": "a-8"}, True),
        ({"signature": INTERACTION_ALONE, "agent_id": None}, True),
        ({"signature": BY_LINK, "interaction_id": "T-2"}, None),
        ({"signature": BY_LINK, "agent_id": "a-8"}, None),  # of another link
        ({"signature": BY_LINK, "interaction_id": None}, None),
        ({"signature": AGENT_ALONE}, None),  # anybody could add the interaction
        ({"signature": BY_LINK[:-1] + "_"}, None),
        ({"signature": "1i."}, None),
        ({}, None),
    ],
    ids=str,
)
@pytest.mark.parametrize("agents", ["free", "signed"])
def test_an_answer_of_a_page_may_be_linked_if_its_link_signs_the_interaction(
    agents: str, more: dict[str, Any], expected: bool | None
) -> None:
    response = read_of(replace(SIGNED, agents=agents), **more)
    assert response["linkable"] is expected
    assert response["score"] == 4


def test_no_sender_says_by_itself_that_an_answer_is_linkable() -> None:
    for kind in ("publishable", "secret"):
        with pytest.raises(RejectedError, match="no field of this name"):
            read_of(SIGNED, kind, linkable=True)


def test_nothing_signs_an_interaction_on_a_survey_without_a_secret() -> None:
    forged = sign("", "demo", "checkout", {"agent": "a-7", "interaction": "T-1"})
    assert read_of(SURVEY, signature=forged)["linkable"] is None


def test_a_survey_may_let_every_answer_be_linked() -> None:
    free = replace(SURVEY, interactions="free")
    assert read_of(free)["linkable"] is True
    assert read_of(free, interaction_id=None)["linkable"] is None


def test_of_what_a_server_sends_nothing_needs_to_be_said() -> None:
    for survey in (SURVEY, SIGNED, replace(SURVEY, interactions="free")):
        assert read_of(survey, "secret")["linkable"] is None


def test_a_survey_does_not_show_its_secret() -> None:
    assert "s3" not in repr(SIGNED)
    assert "s3" not in json.dumps(page(Tenant("acme", "A"), SIGNED, None))


@pytest.mark.parametrize("field", ["agent_id", "agent_name", "customer_id", "interaction_id"])
def test_what_names_somebody_is_stored_in_one_form(field: str) -> None:
    column = field.removesuffix("_id")
    for written, expected in (
        ("Jose\u0301", "Jos\u00e9"),
        ("\u00a0José \n", "José"),
        (" \t", None),
        ("x" * 127 + "e\u0301", "x" * 127 + "\u00e9"),  # 128 characters, as it is stored
    ):
        item = {"survey_id": " checkout", "score": 5, field: written}
        assert reader("publishable").read(item)[column] == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [("ticket", "ticket"), (" WhatsApp ", "WhatsApp"), ("SMS", "SMS"), ("sms", "sms"),
     ("Cafe\u0301", "Caf\u00e9"), ("x" * 40, "x" * 40), ("", "external"), (" ", "external"),
     (None, "external")],
)  # fmt: skip
def test_a_channel_is_any_short_text(written: str | None, expected: str) -> None:
    item = {"survey_id": "checkout", "score": 5, "channel": written}
    assert reader("publishable").read(item)["channel"] == expected


def test_a_signature_is_over_what_the_link_says_letter_for_letter() -> None:
    apart = "Jose\u0301 "
    signature = sign("s3", "demo", "checkout", {"agent": apart, "interaction": "7"})
    response = read_of(SIGNED, signature=signature, agent_id=apart, interaction_id=7)
    assert (response["agent"], response["interaction"], response.warning) == (
        "Jos\u00e9",
        "7",
        None,
    )


def test_a_survey_from_before_names_had_one_form_is_found_as_it_was_made() -> None:
    old = replace(SURVEY, id="e-mail ")
    key = Key("0" * 64, "publishable", "demo", 0, surveys=("e-mail ",))
    read = ResponseReader(directory(Tenant("demo", "Demo"), old), key, "demo", NOW_US).read
    assert read({"survey_id": "e-mail ", "score": 5})["survey"] == "e-mail "
    with pytest.raises(RejectedError, match="other surveys"):
        read({"survey_id": "e-mail", "score": 5})


HOUR_US = 3_600_000_000


@pytest.mark.parametrize(
    ("closed_us", "taken"),
    [
        (None, True),
        (NOW_US + HOUR_US, True),
        (NOW_US, True),
        (NOW_US - HOUR_US + 1, True),
        (NOW_US - HOUR_US, False),
    ],
)
def test_a_closed_survey_takes_answers_for_an_hour_more(closed_us: int | None, taken: bool) -> None:
    known = directory(Tenant("demo", "Demo"), replace(SURVEY, closed_us=closed_us))
    for kind in ("publishable", "secret"):
        found = ResponseReader(known, Key("0" * 64, kind, "demo", 0), "demo", NOW_US)
        if taken:
            assert found.read({"survey_id": "checkout", "score": 5}, None)["score"] == 5
            continue
        with pytest.raises(RejectedError) as error:
            found.read({"survey_id": "checkout", "score": 5}, None)
        assert error.value.fault.code == "survey_closed"


OWN = {"team": ((date(2026, 11, 21), True),), "plan": ((days.FIRST_DAY, True),)}


@pytest.mark.parametrize(
    ("answered_at", "columns"),
    [
        ("2026-11-20T22:59:59Z", {"tag2": "pro"}),
        ("2026-11-20T23:00:00Z", {"tag1": "north", "tag2": "pro"}),
    ],
)
def test_tags_that_are_dimensions_on_the_tenants_day_stand_in_their_columns(
    answered_at: str, columns: dict[str, str]
) -> None:
    tenant = Tenant("demo", "Demo", "Europe/Berlin", dimensions=OWN)
    one = ResponseReader(
        directory(tenant, SURVEY), Key("0" * 64, "secret", "demo", 0), "demo", NOW_US
    )
    tags = {"team": "north", "plan": "pro", "shop": "Graz"}
    item = {"survey_id": "checkout", "score": 3, "response_id": "r", "answered_at": answered_at}
    values = one.read({**item, "tags": tags}).values
    assert {name: values[name] for name in lake.TAG_SLOTS if name in values} == columns
    assert values["tags"] == tags


def test_without_tags_or_dimensions_no_column_has_anything() -> None:
    tenant = Tenant("demo", "Demo", dimensions=OWN)
    item = {"survey_id": "checkout", "score": 3}
    key = Key("0" * 64, "secret", "demo", 0)
    bare = ResponseReader(directory(tenant, SURVEY), key, "demo", NOW_US).read(item)
    assert not {*bare.values} & {*lake.TAG_SLOTS}
    tagged = reader("secret").read({**item, "tags": {"team": "north"}})
    assert not {*tagged.values} & {*lake.TAG_SLOTS}
