"""`pulse` on a deployed stack: tenants, surveys, keys, and the exit codes of their commands."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.exceptions import ClientError

from pulse import days
from pulse.tenants.access import REMEMBER_US
from pulse.tenants.keys import sha256
from tests.shell import Shell, names

# -- tenants


def test_a_tenant_is_made_shown_changed_and_listed(shell: Shell) -> None:
    tenant = next(names)
    made = shell.json("tenant", "create", tenant, "--name", "Läden & Co", "--week-start", "sunday")
    assert made["timezone"] == "UTC"
    changed = shell.json("tenant", "set", tenant, "timezone=Asia/Tokyo", "min_sample=10")
    assert changed == made | {"timezone": "Asia/Tokyo", "min_sample": 10}
    assert shell.json("tenant", "show", tenant) == changed
    assert tenant in [listed["id"] for listed in shell.json("tenant", "list")]
    assert "Läden & Co" in shell.run("tenant", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["tenant", "create", "Bank"], 2, "'Bank' is no tenant id"),
        (["tenant", "create", "bank", "--timezone", "Mars/Olympus"], 2, "unknown time zone"),
        (["tenant", "create", "bank", "--week-start", "tuesday"], 2, "tuesday"),
        (["tenant", "show", "nobody"], 2, "There is no tenant 'nobody'"),
        (["tenant", "set", "nobody", "name=x"], 2, "There is no tenant 'nobody'"),
        (["tenant", "set", "TENANT", "colour=red"], 2, "No setting 'colour'; there are: name"),
        (["tenant", "set", "TENANT", "name"], 2, "takes NAME=VALUE"),
        (["tenant", "set", "TENANT", "name="], 2, "name cannot be empty"),
        (["tenant", "create", "bank", "--name", " "], 2, "name cannot be empty"),
        (["tenant", "set", "TENANT", "min_sample=few"], 2, "whole number"),
        (["tenant", "set", "TENANT", "week_start=friday"], 2, "monday or sunday"),
        (["tenant", "set", "TENANT", "name=x", "--from", "2026-12-01"], 2, "name is none"),
        (["tenant", "create", "TENANT"], 1, "exists already"),
        (["tenant", "show", ""], 2, "'' is no tenant id"),
        (["tenant", "show", "The Bank"], 2, "'The Bank' is no tenant id"),
        (["key", "list", ""], 2, "'' is no tenant id"),
        (["report", "daily", "--tenant", ""], 2, "'' is no tenant id"),
        (["survey", "add", "nobody", "x", "--metric", "nps", "--scale", "0-10"], 2, "no tenant"),
    ],
)
def test_what_a_tenant_cannot_be(
    shell: Shell, arguments: list[str], code: int, complaint: str
) -> None:
    tenant = shell.tenant()
    result = shell.run(*(tenant if a == "TENANT" else a for a in arguments), code=code)
    assert complaint in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_the_time_zone_is_fixed_by_the_first_event(shell: Shell, answers: Path) -> None:
    tenant = shell.tenant("email")
    shell.load(tenant, answers)
    shell.driver.write()
    result = shell.run("tenant", "set", tenant, "timezone=Europe/Berlin", code=2)
    assert "fixed since the tenant's first event" in result.stderr


# -- surveys


def test_a_changed_rule_holds_once_nobody_remembers_the_old_one(shell: Shell) -> None:
    tenant = shell.tenant()
    add = ("survey", "add", tenant, "care", "--metric", "csat", "--scale", "1-5")
    shell.run(*add)
    shell.run(*add)  # nothing is new
    changed = shell.json(*add, "--good", "5")
    assert (changed["scale"], changed["good"], changed["bad"]) == ("1-5:good5", 5, 2)
    survey = shell.driver.tenants.survey(tenant, "care")
    assert survey
    assert [rule.label for _, rule in survey.rules] == ["1-5", "1-5:good5"]
    first, second = (since for since, _ in survey.rules)
    assert first + REMEMBER_US <= second <= days.now_us() + REMEMBER_US
    assert changed["since"] == days.iso(second)


def test_a_changed_rule_is_told_with_its_beginning_and_what_open_pages_do(shell: Shell) -> None:
    tenant = shell.tenant()
    add = ("survey", "add", tenant, "care", "--metric", "csat", "--scale")
    assert shell.run(*add, "1-5").stderr == ""
    cut_off = shell.run(*add, "1-5", "--good", "5").stderr
    assert "The new rule holds for responses given from 20" in cut_off
    assert "old scale" not in cut_off
    assert "go on asking on the old scale" in shell.run(*add, "1-7").stderr


def test_texts_of_languages_add_up_and_what_is_not_given_stays(shell: Shell) -> None:
    tenant = shell.tenant()
    add = ("survey", "add", tenant, "care", "--metric", "csat", "--scale", "1-3")
    shell.run(*add, "--question", "How was it?", "--labels", "Bad, So-so ,Good")
    shell.run(*add, "--lang", "de", "--question", "Wie war es?", "--thanks", "Danke")
    shown = shell.json(*add, "--thanks", "Ta!", "--style", "stars")
    assert shown["question"] == "How was it?"
    assert shown["thanks"] == "Ta!"
    assert shown["labels"] == ["Bad", "So-so", "Good"]
    assert shown["languages"] == ["de", "en"]
    survey = shell.driver.tenants.survey(tenant, "care")
    assert survey and survey.texts["de"].question == "Wie war es?" and survey.style == "stars"


def test_labels_go_when_the_scale_changes(shell: Shell) -> None:
    tenant = shell.tenant()
    add = ("survey", "add", tenant, "care", "--metric", "csat", "--scale")
    shell.run(*add, "1-3", "--labels", "Bad,So-so,Good")
    result = shell.run(*add, "1-5")
    assert "labels of its scores are gone" in result.stderr
    survey = shell.driver.tenants.survey(tenant, "care")
    assert survey and survey.texts["en"].labels == ()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--metric", "csat", "--scale", "5"], "MIN-MAX"),
        (["--metric", "csat", "--scale", "1-11"], "within 0-10"),
        (["--metric", "csat", "--scale", "2-4"], "name both, good and bad"),
        (["--metric", "nps", "--scale", "0-10", "--good", "8"], "nps is defined on 0-10 alone"),
        (["--metric", "csat", "--scale", "1-5", "--good", "2"], "do not part the scale"),
        (["--metric", "csat", "--scale", "1-5", "--labels", "a,b"], "names 2 scores"),
        (["--metric", "csat", "--scale", "1-3", "--labels", "a, ,c"], "a blank name"),
        (["--metric", "csat", "--scale", "1-5", "--lang", "German"], "language tag"),
        (["--metric", "csat", "--scale", "1-5", "--lang", "de"], "name it by --question"),
        (["--metric", "fun", "--scale", "1-5"], "fun"),
        (["--scale", "1-5"], "Missing option '--metric'"),
    ],
)
def test_what_a_survey_cannot_be(shell: Shell, arguments: list[str], complaint: str) -> None:
    result = shell.run("survey", "add", shell.tenant(), "care", *arguments, code=2)
    assert complaint in " ".join(result.stderr.split())


@pytest.mark.parametrize("survey", ["", " ", "(none)", "(other)", "x" * 129])
def test_a_survey_has_an_id_that_responses_can_name(shell: Shell, survey: str) -> None:
    arguments = ("survey", "add", shell.tenant(), survey, "--metric", "nps", "--scale", "0-10")
    assert "1 to 128 characters other than (none)" in shell.run(*arguments, code=2).stderr


def linked(shell: Shell, tenant: str, survey: str, key: str, *more: str) -> dict[str, str]:
    """The values in a link."""
    typed = ("survey", "link", tenant, survey, "--key", key, *more)
    return dict(parse_qsl(urlsplit(shell.json(*typed)["link"]).query))


def test_a_survey_counts_agents_of_signed_links_alone(shell: Shell) -> None:
    tenant = shell.tenant("site", "desk")
    key = shell.driver.key(tenant, "publishable")
    before = linked(shell, tenant, "site", key, "--agent", "a-7")
    assert "sig" not in before
    set_site = ("survey", "set", tenant, "site")
    result = shell.run(*set_site, "agents=signed")
    assert "do not count any more" in result.stderr
    about = ("--agent", "a-7", "--interaction", "T/1")
    values = linked(shell, tenant, "site", key, *about)
    again = shell.run("survey", "add", tenant, "site", "--metric", "nps", "--scale", "0-10")
    assert "signed" in again.stdout  # what else is changed keeps agents and secret
    assert linked(shell, tenant, "site", key, *about) == values
    shell.driver.forget()

    def post(**changed: str | None) -> Any:
        names = {"survey": "survey_id", "agent": "agent_id", "interaction": "interaction_id"}
        sent = {names.get(name, name): value for name, value in values.items()}
        sent["signature"] = sent.pop("sig")
        body = json.dumps({"score": 9, **sent, **changed})
        reply = shell.driver.call("POST", "/v1/responses", key=key, body=body)
        assert (reply.status, reply.json["accepted"], reply.json["rejected"]) == (202, 1, [])
        (item,) = shell.stored()
        return item.get("agent"), [w["code"] for w in reply.json.get("warnings", ())]

    assert post() == ("a-7", [])
    for changed in (
        {"agent_id": "a-8"},
        {"interaction_id": "T/2"},
        {"signature": None},
        {"signature": values["sig"][:-2] + "AA"},
    ):
        assert post(**changed) == (None, ["agent_not_signed"])
    assert post(survey_id="desk", signature=None) == ("a-7", [])  # a free one

    secret = shell.driver.tenants.survey(tenant, "site")
    assert secret and secret.link_secret
    shown = shell.driver.call("GET", "/v1/surveys/site", key=key).body
    told = [shell.run(*set_site, "agents=signed").output, again.output, result.output, shown]
    assert not [text for text in told if secret.link_secret in text]
    shell.run(*set_site, "agents=free")
    shell.driver.forget()
    assert post(agent_id="a-8") == ("a-8", [])


def test_what_a_survey_lets_be_linked_is_stored_with_the_answer(shell: Shell) -> None:
    tenant = shell.tenant("site")
    key = shell.driver.key(tenant, "publishable")

    def linkable(**more: str) -> bool | None:
        shell.driver.forget()
        said = {"survey_id": "site", "score": 9, "interaction_id": "T/1", **more}
        reply = shell.driver.call("POST", "/v1/responses", key=key, body=json.dumps(said))
        assert (reply.status, reply.json.get("warnings", [])) == (202, [])
        (item,) = shell.stored()
        told: bool | None = item.get("linkable")
        return told

    assert linkable() is None
    about = ("--interaction", "T/1")
    assert "sig" not in linked(shell, tenant, "site", key, *about)
    set_site = ("survey", "set", tenant, "site")
    shell.run(*set_site, "interactions=signed")  # makes the secret
    signature = linked(shell, tenant, "site", key, *about)["sig"]
    assert linkable() is None
    assert linkable(signature=signature) is True
    assert shell.json(*set_site, "interactions=free")["interactions"] == "free"
    assert linkable() is True
    shown = shell.json(*set_site, "agents=free")
    assert (shown["agents"], shown["interactions"]) == ("free", "free")
    assert [one["interactions"] for one in shell.json("survey", "list", tenant)] == ["free"]
    shell.run(*set_site, "interactions=signed")
    assert linkable() is None
    assert linked(shell, tenant, "site", key, *about)["sig"] == signature


def test_what_a_help_desk_fills_in_cannot_be_signed(shell: Shell) -> None:
    tenant = shell.tenant("site")
    key = shell.driver.key(tenant, "publishable")
    shell.run("survey", "set", tenant, "site", "agents=signed")
    link = ("survey", "link", tenant, "site", "--key", key, "--agent")
    refused = shell.run(*link, "a-{{ticket.assignee.id}}", code=2)
    assert "agents=free" in refused.stderr
    placeholder = ("--interaction", "{{ticket.id}}")
    one = linked(shell, tenant, "site", key, "--agent", "a-7", *placeholder)
    assert one["interaction"] == "{{ticket.id}}"
    assert one["sig"] == linked(shell, tenant, "site", key, "--agent", "a-7")["sig"]
    assert "sig" not in linked(shell, tenant, "site", key, *placeholder)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["site", "agents=closed"], "free, signed"),
        (["site", "interactions=all"], "interactions is one of signed, free"),
        (["site", "colour=red"], "No setting 'colour'"),
        (["site", "agents"], "survey set"),
        (["nowhere", "agents=free"], "no survey 'nowhere' (it has: site)"),
    ],
)
def test_what_cannot_be_set_of_a_survey(shell: Shell, arguments: list[str], complaint: str) -> None:
    tenant = shell.tenant("site")
    assert complaint in shell.run("survey", "set", tenant, *arguments, code=2).stderr


# -- keys


def test_a_key_is_alone_on_stdout_and_only_its_hash_is_kept(shell: Shell) -> None:
    tenant = shell.tenant("email")
    result = shell.run(
        *("key", "create", tenant, "--kind", "publishable", "--survey", "email"),
        *("--origin", "https://Shop.Example:443/", "--origin", "http://localhost:5173"),
        *("--origin", "http://[::1]:81"),
        *("--expires", "2099-12-31"),
    )
    assert re.fullmatch(r"pk_[\w-]{32}\n", result.stdout)
    key = shell.driver.tenants.key(sha256(result.stdout.strip()))
    assert key and key.surveys == ("email",)
    assert key.origins == ("https://shop.example", "http://localhost:5173", "http://[::1]:81")
    assert key.expires_us == days.parse_instant("2100-01-01T00:00:00Z")


def test_keys_are_listed_without_their_text_and_revoked_by_id(shell: Shell) -> None:
    tenant = shell.tenant()
    made = shell.json(
        *("key", "create", tenant, "--kind", "report"),
        *("--filter", "agent=a, b", "--filter", "agent=c", "--label", " Mia's page "),
    )
    text = made.pop("key")
    assert made["label"] == "Mia's page"
    assert made["filters"] == {"agent": ["a, b", "c"]}
    assert shell.json("key", "list", tenant) == [made | {"last_used": None}]
    listed = shell.run("key", "list", tenant).output
    assert text not in listed
    assert "Mia's page" in listed
    label = ("--label", "two\nlines")
    assert (
        "in one line"
        in shell.run("key", "create", tenant, "--kind", "secret", *label, code=2).stderr
    )
    assert shell.json("key", "revoke", made["id"])["state"] == "revoked"
    shell.run("key", "revoke", made["id"])  # again: it is what was wanted
    assert [key["state"] for key in shell.json("key", "list", tenant)] == ["revoked"]
    for unknown in ("0123456789ab", "", text):
        assert "There is no key" in shell.run("key", "revoke", unknown, code=2).stderr


def test_a_feed_key_is_bound_to_a_report_and_told_with_its_address(shell: Shell) -> None:
    tenant = shell.tenant()
    made = shell.run(
        *("key", "create", tenant, "--kind", "feed", "--report", "daily"),
        *("--filter", "channel=chat"),
    )
    text = made.stdout.strip()
    assert re.fullmatch(r"fk_[\w-]{32}", text)
    assert f"/v1/reports/daily?key={text}\n" in made.stderr
    key = shell.driver.tenants.key(sha256(text))
    assert key and (key.report, key.filters) == ("daily", {"channel": ("chat",)})
    (listed,) = shell.json("key", "list", tenant)
    assert (listed["kind"], listed["report"]) == ("feed", "daily")


def test_an_operator_key_belongs_to_nobody(shell: Shell) -> None:
    made = shell.json("key", "create", "--kind", "operator")
    assert made["tenant"] is None
    assert made["id"] in [key["id"] for key in shell.json("key", "list")]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--kind", "secret"], "Name the tenant"),
        (["TENANT", "--kind", "operator"], "belongs to no tenant"),
        (["TENANT", "--kind", "secret", "--origin", "https://x"], "publishable keys alone"),
        (["TENANT", "--kind", "secret", "--filter", "agent=x"], "report and feed keys alone"),
        (["TENANT", "--kind", "feed"], "name it by --report"),
        (["TENANT", "--kind", "feed", "--report", "weekly"], "no report 'weekly'"),
        (["TENANT", "--kind", "report", "--report", "daily"], "for feed keys alone"),
        (["TENANT", "--kind", "report", "--filter", "mood=x"], "no dimension 'mood'"),
        (["TENANT", "--kind", "report", "--filter", "agent=!x"], "cannot be negated"),
        (["TENANT", "--kind", "publishable", "--origin", "shop.example"], "https://HOST"),
        (["TENANT", "--kind", "publishable", "--origin", "https://x/path"], "https://HOST"),
        (["TENANT", "--kind", "publishable", "--origin", "https://*.shop.example"], "no wildcards"),
        (["TENANT", "--kind", "publishable", "--origin", "https://x?y"], "https://HOST"),
        (["TENANT", "--kind", "publishable", "--origin", "https://a@x"], "https://HOST"),
        (["TENANT", "--kind", "publishable", "--origin", "https://x y"], "https://HOST"),
        (["TENANT", "--kind", "publishable", "--origin", "https://läden.example"], "xn--"),
        (["TENANT", "--kind", "publishable", "--origin", "https://[::1"], "--origin"),
        (["TENANT", "--kind", "report", "--filter", "metric=NPS"], "csat, nps, ces"),
        (["TENANT", "--kind", "report", "--filter", "entered_on=May"], "a day such as"),
        (["TENANT", "--kind", "secret", "--expires", "9999-12-31"], "after all calendars"),
        (["TENANT", "--kind", "publishable", "--survey", "none"], "it has: email"),
        (["TENANT", "--kind", "secret", "--expires", "soon"], "a day such as"),
        (["TENANT", "--kind", "secret", "--expires", "2020-01-01"], "over already"),
        (["TENANT", "--kind", "golden"], "golden"),
    ],
)
def test_what_a_key_cannot_be(shell: Shell, arguments: list[str], complaint: str) -> None:
    tenant = shell.tenant("email")
    result = shell.run(
        "key", "create", *(tenant if a == "TENANT" else a for a in arguments), code=2
    )
    assert complaint in " ".join(result.stderr.split())
    assert shell.driver.tenants.keys(tenant) == []


# -- which stack


def test_an_unknown_stack_is_wrong_use(shell: Shell) -> None:
    result = shell.run("tenant", "list", stack="other", code=2)
    assert "there is no stack 'other'" in result.stderr
    assert "--stack takes the name" in shell.run("tenant", "list", stack="", code=2).stderr


def test_what_aws_does_not_allow_is_not_allowed(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> None:
        raise ClientError(
            {"Error": {"Code": "AccessDeniedException", "Message": "not authorized to Query"}},
            "Query",
        )

    monkeypatch.setattr("pulse.store.records.Records.query", denied)
    result = shell.run("tenant", "list", code=4)
    assert "not authorized to Query" in result.stderr
    assert "Traceback" not in result.output
