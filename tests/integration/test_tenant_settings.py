"""`pulse tenant set` and `show` on a tenant's interactions: thresholds and satisfaction's scale."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import count
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pulse import days
from pulse.cli.main import app
from pulse.errors import ConflictError
from pulse.store.clients import client
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Survey
from pulse.tenants.tenant import CUBE, Part, Tenant, YearState
from pulse.tenants.thresholds import Thresholds
from tests.conftest import NOON
from tests.driver import Driver, running

EVER = days.FIRST_DAY
names = (f"bank-{number}" for number in count())


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    with days.clock(lambda: NOON), running() as driver:
        yield driver


@pytest.fixture
def bank(pulse: Driver) -> str:
    """A new tenant, whose day has begun before UTC's."""
    name = next(names)
    pulse.tenant(name, "Pacific/Kiritimati")  # there it is the 22nd already
    return name


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["tenant", *arguments, "--stack", "pulse"])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def set_(tenant: str, *arguments: str) -> Any:
    return json.loads(run("set", tenant, *arguments, "--json").stdout)


def stored(pulse: Driver, tenant: str) -> Tenant:
    found = pulse.tenants.get(tenant)
    assert found
    return found


def test_the_first_thresholds_hold_for_all_days(pulse: Driver, bank: str) -> None:
    shown = set_(bank, "voice.accept=20", "voice.first_response=30", "voice.finish=300")

    assert shown["thresholds"] == {
        "voice.accept": [{"from": "1990-01-01", "seconds": 20}],
        "voice.finish": [{"from": "1990-01-01", "seconds": 300}],
        "voice.first_response": [{"from": "1990-01-01", "seconds": 30}],
    }
    assert json.loads(run("show", bank, "--json").stdout) == shown
    assert stored(pulse, bank).thresholds_at("voice", EVER) == Thresholds(20, 30, 300)


def test_synchronous_media_are_listed_and_may_be_a_senders_own(pulse: Driver, bank: str) -> None:
    assert stored(pulse, bank).synchronous_media == ("voice", "chat")
    assert set_(bank, "synchronous_media=voice,social")["synchronous_media"] == ["voice", "social"]
    assert stored(pulse, bank).synchronous_media == ("voice", "social")
    assert set_(bank, "synchronous_media=none")["synchronous_media"] == []
    set_(bank, "synchronous_media=voice, WhatsApp ,Beratung vor Ort")
    assert stored(pulse, bank).synchronous_media == ("voice", "WhatsApp", "Beratung vor Ort")
    for wrong in ("voice,,chat", "x" * 41, "(none)"):
        run("set", bank, f"synchronous_media={wrong}", code=2)


def test_what_agents_are_compared_within_is_a_tenants_own(pulse: Driver, bank: str) -> None:
    assert stored(pulse, bank).adjust_for == ("channel", "country")
    assert set_(bank, "adjust_for=survey,channel")["adjust_for"] == ["survey", "channel"]
    assert stored(pulse, bank).adjust_for == ("survey", "channel")
    assert set_(bank, "adjust_for=none")["adjust_for"] == []
    for wrong in ("agent", "metric", "weather", "channel,,country"):
        run("set", bank, f"adjust_for={wrong}", code=2)


def test_targets_stand_beside_thresholds_and_go_again(pulse: Driver, bank: str) -> None:
    shown = set_(bank, "voice.accept=20", "voice.accept_target=80%", "In App.finish_target=95")
    assert shown["targets"] == {"In App.finish": 95, "voice.accept": 80}
    assert stored(pulse, bank).targets == {"In App.finish": 95, "voice.accept": 80}
    assert stored(pulse, bank).thresholds_at("voice", EVER) == Thresholds(20, None, None)
    assert set_(bank, "voice.accept_target=none")["targets"] == {"In App.finish": 95}
    assert "In App.finish_target" in run("show", bank).stdout


@pytest.mark.parametrize(
    "wrong",
    [
        "voice.accept_target=101",
        "voice.accept_target=0",
        "voice.accept_target=79.5",
        "voice.answer_target=80",
        ".accept_target=80",
    ],
)
def test_a_target_is_a_percentage_of_a_threshold(bank: str, wrong: str) -> None:
    run("set", bank, wrong, code=2)


def test_who_asks_is_set_for_everybody_to_see(pulse: Driver, bank: str) -> None:
    shown = set_(bank, "display_name= The Bank ", "logo_url=https://bank.example/l.png?v=2&s=1")
    assert (shown["display_name"], shown["privacy_url"]) == ("The Bank", None)
    assert stored(pulse, bank).logo_url == "https://bank.example/l.png?v=2&s=1"
    assert set_(bank, "logo_url=")["logo_url"] is None
    assert stored(pulse, bank).display_name == "The Bank"


@pytest.mark.parametrize(
    "wrong",
    [
        "logo_url=http://bank.example/l.png",
        "logo_url=//bank.example/l.png",
        "logo_url=javascript:alert(1)",
        "logo_url=data:image/png;base64,AA",
        "logo_url=https://",
        "logo_url=https:///l.png",
        "logo_url=https://me:secret@bank.example/l.png",
        "privacy_url=https://bank.example/a b",
        "privacy_url=https://bank.example/\nx",
        "privacy_url=https://bänk.example/",
        "privacy_url=https://bank.example/" + "x" * 2000,
        "privacy_url=https://[::1/",
        "display_name=" + "x" * 129,
        "display_name=two\nlines",
    ],
)
def test_what_no_page_could_show_is_refused(bank: str, wrong: str) -> None:
    run("set", bank, wrong, code=2)


def test_a_medium_of_a_senders_own_has_thresholds(pulse: Driver, bank: str) -> None:
    set_(bank, "WhatsApp.accept=60", "In-App v2.0.finish=3600")
    assert stored(pulse, bank).thresholds_at("WhatsApp", EVER) == Thresholds(60, None, None)
    assert stored(pulse, bank).thresholds_at("In-App v2.0", EVER) == Thresholds(None, None, 3600)
    assert stored(pulse, bank).thresholds_at("whatsapp", EVER) == Thresholds()


def test_a_later_change_holds_from_the_tenants_tomorrow_on(pulse: Driver, bank: str) -> None:
    set_(bank, "voice.accept=20")
    set_(bank, "voice.accept=25")
    set_(bank, "voice.accept=30", "voice.finish=300")

    assert stored(pulse, bank).thresholds == {
        "voice.accept": ((EVER, 20), (date(2026, 11, 23), 30)),
        "voice.finish": ((EVER, 300),),
    }


def test_a_day_can_be_named_and_its_value_replaced_or_taken_away(pulse: Driver, bank: str) -> None:
    set_(bank, "email.finish=3600")
    set_(bank, "email.finish=7200", "--from", "2027-01-01")
    set_(bank, "email.finish=60", "--from", "2026-12-01")
    set_(bank, "email.finish=none", "--from", "2027-01-01")

    assert stored(pulse, bank).thresholds["email.finish"] == (
        (EVER, 3600),
        (date(2026, 12, 1), 60),
        (date(2027, 1, 1), None),
    )
    text = run("show", bank).stdout
    assert "3600 s, 60 s from 2026-12-01, none from 2027-01-01" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("voice.accept=20",), True),  # the first value: since ever
        (("voice.accept=20", "--from", "2026-11-22"), True),
        (("voice.accept=20", "--from", "2026-11-23"), False),
        (("min_sample=7",), False),
    ],
)
def test_who_changes_days_that_have_begun_is_told_what_stays_as_it_is(
    bank: str, arguments: tuple[str, ...], said: bool
) -> None:
    assert ("written already keep" in run("set", bank, *arguments).stderr) is said


def test_a_change_from_tomorrow_on_needs_no_word(bank: str) -> None:
    run("set", bank, "voice.accept=20")
    assert "written already keep" not in run("set", bank, "voice.accept=9").stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("voice.accept=soon",), "voice.accept must be a whole number, not 'soon'"),
        (("voice.accept=-5",), "whole number"),
        (("voice.accept=1.5",), "whole number"),
        (("voice.accept=",), "whole number"),
        (("voice.accept=1000000001",), "within 0 and 1000000000"),
        (("voice.hold=20",), "No setting 'voice.hold'; there are: name"),
        ((f"{'x' * 41}.accept=20",), "accept|first_response|finish"),
        ((".accept=20",), "accept|first_response|finish"),
        (("voice.accept=20", "voice.accept=30"), "twice"),
        (("voice.accept=20", "--from", "soon"), "--from takes a day"),
        (("voice.accept=20", "--from", "1989-12-31"), "from 1990-01-01 on"),
        (("voice.accept=20", "name=x", "--from", "2027-01-01"), "name is none"),
        (("satisfaction_scale=five",), "MIN-MAX such as 1-5, not 'five'"),
        (("satisfaction_scale=5-1",), "must rise"),
    ],
)
def test_what_a_threshold_or_a_scale_cannot_be(
    pulse: Driver, bank: str, arguments: tuple[str, ...], message: str
) -> None:
    before = stored(pulse, bank)
    assert message in run("set", bank, *arguments, code=2).stderr
    assert stored(pulse, bank) == before


def test_the_scale_of_satisfaction_is_fixed_by_the_first_report_of_it(
    pulse: Driver, bank: str
) -> None:
    assert set_(bank, "satisfaction_scale=1-10")["satisfaction_scale"] == "1-10"
    empty = YearState((), "hash", days.now_us(), None, revision=1)
    pulse.tenants.set_year(bank, "interactions", 2026, empty, before=None)
    assert set_(bank, "satisfaction_scale=0-10")["satisfaction_scale"] == "0-10"  # others had some
    part = Part("run", frozenset({date(2026, 1, 1)}), {CUBE: 1})
    first = replace(empty, parts=(part,), revision=2)
    pulse.tenants.set_year(bank, "interactions", 2026, first, before=empty)

    result = run("set", bank, "satisfaction_scale=1-5", code=2)
    assert "satisfaction_scale is fixed" in result.stderr
    set_(bank, "satisfaction_scale=0-10", "voice.accept=20")  # as it is: nothing changes


def test_satisfactions_come_from_a_survey_on_their_scale(pulse: Driver, bank: str) -> None:
    for survey, rule in (("on", Rule.make("csat", 1, 5)), ("off", Rule.make("nps", 0, 10))):
        pulse.tenants.put_survey(Survey(bank, survey, ((0, rule),)))
    assert set_(bank, "satisfaction_from=on")["satisfaction_from"] == "on"
    assert stored(pulse, bank).satisfaction_from == "on"
    for arguments, message in (
        (("satisfaction_from=unknown",), "there is no survey 'unknown'"),
        (("satisfaction_from=off",), "the survey off is on the scale 0-10"),
        (("satisfaction_scale=1-10",), "the survey on is on the scale 1-5"),
    ):
        assert message in run("set", bank, *arguments, code=2).stderr
    assert stored(pulse, bank).satisfaction_from == "on"
    assert set_(bank, "satisfaction_from=none")["satisfaction_from"] is None
    set_(bank, "satisfaction_scale=0-10", "satisfaction_from=off")


def test_two_who_change_thresholds_at_once_do_not_lose_one(pulse: Driver, bank: str) -> None:
    read = stored(pulse, bank)
    pulse.tenants.set(read, thresholds={"voice.accept": ((EVER, 20),)})

    with pytest.raises(ConflictError):
        pulse.tenants.set(read, thresholds={"chat.accept": ((EVER, 5),)})
    assert stored(pulse, bank).thresholds == {"voice.accept": ((EVER, 20),)}


def test_a_tenant_from_before_there_were_thresholds_can_be_read_and_changed(
    pulse: Driver, bank: str
) -> None:
    client("dynamodb").update_item(
        TableName=pulse.settings.table,
        Key={"pk": {"S": "TENANTS"}, "sk": {"S": bank}},
        UpdateExpression="REMOVE thresholds, satisfaction_scale",
    )
    old = stored(pulse, bank)
    assert (old.thresholds, old.satisfaction_scale) == ({}, "1-5")
    assert set_(bank, "sms.accept=60")["thresholds"] == {
        "sms.accept": [{"from": "1990-01-01", "seconds": 60}]
    }


def test_ingest_stamps_what_was_set(pulse: Driver, bank: str) -> None:
    set_(bank, "voice.accept=20", "satisfaction_scale=0-100")
    set_(bank, "voice.accept=40", "--from", "2026-11-20")
    pulse.forget()
    at = ("2026-11-19T09:59:59Z", "2026-11-19T10:00:00Z")  # midnight in Kiritimati
    pulse.post_interactions(
        bank,
        [
            {"interaction_id": "i", "media_type": "voice", "entered_at": moment, "satisfaction": 99}
            for moment in at
        ],
    )
    (record,) = pulse.messages()
    stamped = [item["accept_threshold_us"] for item in json.loads(record["body"])["items"]]
    assert stamped == [20_000_000, 40_000_000]
