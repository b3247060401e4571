"""`pulse` on a deployed stack: its commands, what they print, and the codes they end with."""

import csv
import json
import os
import re
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from local.athena.faults import cancelled, next_executions
from pulse import days
from pulse.cli.api import Answer, Api
from pulse.cli.keyring import passing_key
from pulse.store.events import Events
from pulse.store.queue import Queue, depth
from pulse.tenants.access import REMEMBER_US
from pulse.tenants.keys import Key, sha256
from tests.driver import Driver
from tests.shell import MAPPED, Shell, names


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Six answers, two of them equal."""
    path = tmp_path / "nps.csv"
    path.write_text(
        "date,user,rating\n"
        "2026-03-02,u1,10\n"
        "2026-03-02,u1,10\n"
        "2026-03-02T09:00:00+01:00,u2,9\n"
        "2026-03-03 08:30,u3,7.0\n"
        '2026-03-03,"u,4",0\n'
        "2026-03-04,,10\n"
    )
    return path


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


# -- import


def test_a_file_is_counted_once_however_often_it_is_imported(shell: Shell, answers: Path) -> None:
    tenant = shell.tenant("email")
    assert shell.load(tenant, answers) == {
        "name": "nps.csv",
        "read_as": "UTF-8, cells between commas, the header in line 1",
        "rows": 6,
        "left_out": 0,
        "distinct_ids": 6,
        "first": "2026-03-02T08:00:00Z",
        "last": "2026-03-04T12:00:00Z",
        "timezone": "UTC",
        "accepted": 6,
        "rejected": 0,
        "codes": {},
        "rejects": None,
        "repeated": {},
        "replaced": [],
    }
    assert shell.scores(tenant) == [0, 7, 9, 10, 10, 10]
    renamed = answers.rename(answers.with_name("again.csv"))
    shell.load(tenant, renamed)
    assert shell.scores(tenant) == [0, 7, 9, 10, 10, 10]
    assert list(renamed.parent.iterdir()) == [renamed]


def test_local_times_are_the_tenants_unless_said_otherwise(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "late.csv"
    file.write_text("date,user,rating\n2026-03-02 23:30,u,10\n")
    here, elsewhere = (shell.tenant("email", timezone="Asia/Tokyo") for _ in range(2))
    shell.load(here, file)
    assert [days.iso(item["answered_us"]) for item in shell.stored()] == ["2026-03-02T14:30:00Z"]
    shell.load(elsewhere, file, "--timezone", "UTC")
    assert [days.iso(item["answered_us"]) for item in shell.stored()] == ["2026-03-02T23:30:00Z"]


def test_rejected_rows_are_set_aside_with_their_reasons(shell: Shell, tmp_path: Path) -> None:
    tenant = shell.tenant("email", timezone="Europe/Berlin")
    file = tmp_path / "mixed.csv"
    file.write_text(
        "date;user;rating\n"
        "2026-03-02;u1;10\n"
        "2026-03-02;u2;11\n"  # only the interface knows the scale
        '2026-03-02;"u\n3";nine\n'
        "2026-03-29 02:30;u4;9\n"
        "2026-03-02;u5\n"
        "2099-03-02;u6;9\n"
    )
    result = shell.load(tenant, file, code=3)
    rejects = file.with_name("mixed.csv.rejects.csv")
    assert result["accepted"] == 1
    assert result["rejects"] == str(rejects)
    with rejects.open(newline="") as opened:
        rows = list(csv.DictReader(opened, delimiter=";"))
    assert [(row["user"], row["rejected_line"], row["rejected_code"]) for row in rows] == [
        ("u2", "3", "score_out_of_range"),
        ("u\n3", "4", "score_not_whole_number"),
        ("u4", "6", "answered_at_skipped"),
        ("u5", "7", "columns_mismatch"),
        ("u6", "8", "answered_at_in_future"),
    ]
    assert "0 and 10" in rows[0]["rejected_message"]

    file.write_text("date;user;rating\n2026-03-02;u1;10\n2026-03-02;u2;1\n")
    assert shell.load(tenant, file)["rejects"] is None
    assert not rejects.exists()
    scores = {item["response_id"]: item["score"] for item in shell.stored()}
    assert sorted(scores.values()) == [1, 10]


def test_corrected_rows_of_the_same_file_are_added(shell: Shell, answers: Path) -> None:
    tenant = shell.tenant("email")
    right = answers.read_text()
    answers.write_text(right.replace("u1,10\n", "u1,ten\n", 1))
    shell.load(tenant, answers, code=3)
    before = {item["response_id"] for item in shell.stored()}
    answers.write_text(right)
    shell.load(tenant, answers)
    after = {item["response_id"] for item in shell.stored()}
    assert (len(before), len(after)) == (5, 6)
    assert before < after


def test_all_fields_arrive(shell: Shell, tmp_path: Path) -> None:
    tenant = shell.tenant("email")
    file = tmp_path / "full.csv"
    file.write_text(
        "id,when,points,agent,said,plan,agent_string,ccy\n"
        'x-1,2026-03-02T09:00:00Z,9,"Müller, Hans","a ""b"" 👍\nc",plus,curl/8,at\n'
    )
    maps = {
        "response_id": "id",
        "answered_at": "when",
        "score": "points",
        "agent_id": "agent",
        "comment": "said",
        "tags.plan": "plan",
        "user_agent": "agent_string",
        "country": "ccy",
    }
    arguments = [part for name, column in maps.items() for part in ("--map", f"{name}={column}")]
    arguments += ["--set", "survey_id=email", "--set", "channel=chat", "--set", "tags.by=import"]
    shell.run("import", "responses", str(file), "--tenant", tenant, *arguments)
    (item,) = shell.stored()
    expected = {
        "response_id": "x-1",
        "score": 9,
        "agent": "Müller, Hans",
        "comment": 'a "b" 👍\nc',
        "tags": {"plan": "plus", "by": "import"},
        "channel": "chat",
        "country": "AT",
    }
    assert {name: item[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("content", "arguments", "complaint"),
    [
        ("date,rating\n03/04/2026,9\n", [], "line 2: '03/04/2026' can be read day first or month"),
        ("date,rating\n2026-03-04,9\n13.04.2026,9\n", [], "--date-format %d.%m.%Y (day first)"),
        ("date,rating\n3/4/2026 14:03,9\n", [], "--date-format '%m/%d/%Y %H:%M' (month first)"),
        ("date,rating\n", ["--survey", ""], "1 to 128 characters"),
        ("date,stars\n", [], "no column 'rating'; its columns are: date, stars"),
        ("", [], "no header line"),
        ("date,rating\n", ["--map", "mood=date"], "no field 'mood'; the fields are: survey_id"),
        ("date,rating\n", ["--map", "score=date"], "--map gives 'score' twice"),
        ("date,rating\n", ["--map", "score"], "--map takes NAME=VALUE"),
        ("date,rating\n", ["--set", "survey_id=other"], "different surveys"),
        ("date,rating\n", ["--date-format", "dd/mm/yyyy"], "--date-format"),
        ("date,rating\n", ["--date-format", "%d/%m/%Y %H:%M PST"], "the zone 'PST' is not known"),
        ("date,rating\n", ["--timezone", "Mars"], "--timezone: unknown time zone"),
        ("date,rating\n", ["--delimiter", "::"], "one character"),
        ("date,rating\n", ["--rejects", "FILE"], "must not be the file that is imported"),
    ],
)
def test_a_wrong_import_sends_nothing(
    shell: Shell, tmp_path: Path, content: str, arguments: list[str], complaint: str
) -> None:
    tenant = shell.tenant("email")
    file = tmp_path / "answers.csv"
    file.write_text(content)
    result = shell.run(
        *("import", "responses", str(file), "--tenant", tenant, "--survey", "email"),
        *("--map", "score=rating", "--map", "answered_at=date"),
        *(str(file) if a == "FILE" else a for a in arguments),
        code=2,
    )
    assert complaint in " ".join(result.stderr.split())
    assert shell.asked == []
    assert shell.driver.tenants.keys(tenant) == []


def test_an_import_into_nothing_says_what_there_is(shell: Shell, answers: Path) -> None:
    tenant = shell.tenant("web")
    arguments = ("import", "responses", str(answers), *MAPPED, "--survey", "email", "--tenant")
    assert "it has: web" in shell.run(*arguments, tenant, code=2).stderr
    assert "There is no tenant" in shell.run(*arguments, "nobody", code=2).stderr


def test_named_formats_are_read(shell: Shell, tmp_path: Path) -> None:
    tenant = shell.tenant("email")
    file = tmp_path / "german.csv"
    file.write_text("date;user;rating\n3.4.26;u;10\n")
    shell.load(tenant, file, "--date-format", "%d.%m.%y")
    assert [days.iso(item["answered_us"]) for item in shell.stored()] == ["2026-04-03T12:00:00Z"]


def test_the_key_made_for_an_import_ends_with_it(
    shell: Shell, answers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = shell.tenant("email")
    meanwhile: list[Key] = []

    def asked(api: Api, request: urllib.request.Request) -> Answer:
        meanwhile.extend(shell.driver.tenants.keys(tenant))
        return shell.answer(api, request)

    monkeypatch.setattr(Api, "_ask", asked)
    shell.load(tenant, answers)
    (key,) = meanwhile
    assert key.kind == "secret"
    assert key.expires_us is not None
    assert key.expires_us - key.created_us <= days.DAY / 4 + days.SECOND
    naming = records_naming(shell.driver, key.id)  # it names what the import brought, no more
    assert [record["pk"] for record in naming] == [f"IMPORTS#{tenant}"]


def records_naming(driver: Driver, key_id: str) -> list[Any]:
    """What the whole table still says of a key."""
    table = boto3.resource("dynamodb").Table(driver.settings.table)
    return [item for item in table.scan()["Items"] if key_id in json.dumps(item, default=str)]


def test_a_command_that_dies_leaves_a_key_that_goes_by_itself(shell: Shell) -> None:
    tenant = shell.tenant()
    lasting = passing_key(shell.driver.tenants, "report", tenant, lasting_us=days.DAY)
    sha = sha256(lasting.__enter__())  # and no end
    left = records_naming(shell.driver, sha[:12])
    key = shell.driver.tenants.key(sha)
    assert key and key.expires_us is not None
    assert [item["expires_s"] for item in left] == [key.expires_us // days.SECOND] * 3


def test_a_key_can_be_given_and_must_be_a_secret_one(shell: Shell, answers: Path) -> None:
    tenant = shell.tenant("email")
    secret = shell.run("key", "create", tenant, "--kind", "secret").stdout.strip()
    report = shell.run("key", "create", tenant, "--kind", "report").stdout.strip()
    assert shell.load(tenant, answers, "--key", secret)["accepted"] == 6
    arguments = (str(answers), "--tenant", tenant, "--survey", "email", *MAPPED)
    result = shell.run("import", "responses", *arguments, "--key", report, code=4)
    assert "report key may not do this" in result.stderr


def test_a_key_of_another_tenant_writes_and_reads_nothing(
    shell: Shell, answers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant, other = shell.tenant("email"), shell.tenant("email")
    secret = shell.run("key", "create", other, "--kind", "secret").stdout.strip()
    arguments = (str(answers), "--tenant", tenant, "--survey", "email", *MAPPED, "--key", secret)
    result = shell.run("import", "responses", *arguments, code=2)
    assert f"The key belongs to the tenant '{other}', not to '{tenant}'" in result.stderr
    monkeypatch.setenv("PULSE_KEY", secret)
    result = shell.run("report", "daily", "--tenant", tenant, code=2)
    assert f"The key belongs to the tenant '{other}'" in result.stderr
    assert "There is no tenant" in shell.run("report", "daily", "--tenant", "x", code=2).stderr
    assert shell.asked == []


def test_an_interrupted_import_goes_on_where_it_was(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = shell.tenant("email")
    file = tmp_path / "many.csv"
    rows = [f"2026-03-{1 + n % 20:02},u{n % 700},{n % 11}" for n in range(2600)]
    file.write_text("\n".join(["date,user,rating", *rows]))
    arguments = ("import", "responses", str(file), "--tenant", tenant, "--survey", "email")

    def interrupted(api: Api, request: urllib.request.Request) -> Answer:
        if len(shell.asked) >= 2:
            raise KeyboardInterrupt
        return shell.answer(api, request)

    with monkeypatch.context() as patched:
        patched.setattr(Api, "_ask", interrupted)
        stopped = shell.run(*arguments, *MAPPED, code=1)
    assert "Interrupted" in stopped.stderr
    assert "no row counts twice" in stopped.stderr
    assert shell.driver.tenants.keys(tenant) == []
    assert shell.load(tenant, file)["accepted"] == 2600
    assert shell.scores(tenant) == sorted(n % 11 for n in range(2600))


def test_a_file_in_any_order_is_sent_one_day_after_the_other(shell: Shell, tmp_path: Path) -> None:
    tenant = shell.tenant("email", timezone="Asia/Tokyo")
    file = tmp_path / "random.csv"
    days_of_year = [f"2025-{1 + n % 12:02}-{1 + n % 28:02}" for n in range(2000)]
    rows = [f"{day},u{n},{n % 11}" for n, day in enumerate(days_of_year)]
    file.write_text("\n".join(["date,user,rating", *rows]))
    told = shell.run(
        *("import", "responses", str(file), "--tenant", tenant, "--survey", "email", *MAPPED)
    )
    assert f"Importing {len(set(days_of_year))} days: 2,000" in told.stderr
    batches = [
        {
            days.local_day(item["answered_us"], "Asia/Tokyo")
            for item in json.loads(m["body"])["items"]
        }
        for m in shell.driver.messages()
    ]
    assert sum(map(len, batches)) <= len(set(days_of_year)) + len(batches) - 1


def test_an_interface_that_fails_ends_it_with_how_far_it_came(
    shell: Shell, answers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = shell.tenant("email")
    broken = Answer(400, b'{"detail": "Out of order."}', {})
    monkeypatch.setattr(Api, "_ask", lambda api, request: broken)
    arguments = (str(answers), "--tenant", tenant, "--survey", "email", *MAPPED)
    result = shell.run("import", "responses", *arguments, code=2)
    assert "Out of order." in result.stderr
    assert result.stdout == ""


REAL_DATA = os.environ.get("PULSE_REAL_DATA")


@pytest.mark.skipif(not REAL_DATA, reason="PULSE_REAL_DATA names no folder")
def test_real_files_give_the_figures_that_their_authors_published(shell: Shell) -> None:
    published = {"email": 18.60, "mobile": -14.71, "web": 22.10}
    tenant = shell.tenant(*published)
    for survey in (*published, *published):  # each of them twice
        shell.run(
            *("import", "responses", f"{REAL_DATA}/nps_{survey}.csv", "--tenant", tenant),
            *("--survey", survey, "--map", "score=nps_rating", "--set", "channel=external"),
            *("--map", "answered_at=response_date", "--map", "customer_id=user_id"),
            *("--timezone", "UTC"),
        )
    shell.driver.build()
    asked = ("report", "nps", "--tenant", tenant, "--preset", "all_time", "--group-by", "survey")
    told = shell.json(*asked)
    assert {row["survey"]: row["nps"] for row in told["rows"]} == published
    assert [(row["responses"], row["nps"]) for row in told["totals"]] == [(6043, 10.0)]


# -- build, check, redrive


def test_build_says_what_it_rebuilt_and_does_nothing_twice(
    shell: Shell, answers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.json("build")  # what other tests have left
    tenant = shell.tenant("email")
    shell.load(tenant, answers)
    shell.driver.write()
    announced: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(Events, "announce", lambda events, kind: announced.append(kind))
        built = shell.json("build")
    assert announced == ["reports built"]  # nobody races the command for the reports
    assert built["days"] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert built["reports"] == [{"tenant": tenant, "year": 2026}]
    again = shell.json("build")
    assert (again["days"], again["reports"]) == ([], [])
    by_hand = shell.run("build", "--start", "2026-03-03", "--end", "2026-03-03")
    assert "days rebuilt: 2026-03-03\n" in by_hand.stdout
    assert "remembers for a minute" in by_hand.stderr
    idle = shell.run("build")
    assert "days rebuilt: none" in idle.stdout
    assert "remembers for a minute" not in idle.stderr


def test_build_goes_on_to_the_reports_of_what_could_be_built_and_tells_what_could_not(
    shell: Shell, answers: Path
) -> None:
    tenant = shell.tenant("email")
    shell.load(tenant, answers)
    call = {"interaction_id": "i1", "media_type": "voice", "entered_at": "2026-03-02T12:00:00Z"}
    assert shell.driver.post_interactions(tenant, [call]).status == 202
    shell.driver.write()
    with next_executions(cancelled(), region="eu-central-1"):
        told = shell.run("build", code=1).stderr
    assert "CANCELLED" in told
    assert "the rest is built" in " ".join(told.split())
    assert [key.split("/")[1] for key in shell.driver.objects("reports/") if tenant in key] == [
        "interactions"
    ]
    assert shell.json("build")["reports"] == [{"tenant": tenant, "year": 2026}]


def test_build_does_not_wait_for_ever_for_the_queue(shell: Shell, answers: Path) -> None:
    tenant = shell.tenant("email")
    shell.load(tenant, answers)
    assert "1 messages are still on their way" in shell.run("build", "--wait", "0").stderr
    shell.driver.write()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--start", "2026-03-01"], "come together"),
        (["--start", "2026-03-02", "--end", "2026-03-01"], "after --end"),
        (["--start", "soon", "--end", "later"], "a day such as"),
        (["--wait", "-1"], "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_built(shell: Shell, arguments: list[str], complaint: str) -> None:
    assert complaint in " ".join(shell.run("build", *arguments, code=2).stderr.split())


def test_check_passes_on_a_sound_lake_and_fails_on_another(shell: Shell, answers: Path) -> None:
    tenant = shell.tenant("email")
    shell.load(tenant, answers)
    shell.driver.build()
    assert all(check["ok"] for check in shell.json("check"))
    (key,) = shell.driver.objects(f"reports/scores/tenant={tenant}/")
    whole = shell.driver.read(key)
    other = shell.tenant("email")
    answers.write_text("date,user,rating\n2026-03-02,u1,3\n")
    shell.load(other, answers)
    shell.driver.build()
    (foreign,) = shell.driver.objects(f"reports/scores/tenant={other}/")
    bucket = shell.driver.settings.lake_bucket
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=shell.driver.read(foreign))
    try:
        result = shell.run("check", code=1)
        assert "failed" in result.stdout
        assert "pulse: Failed: " in result.stderr
    finally:
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=whole)


def test_redrive_gives_dead_letters_another_chance(shell: Shell) -> None:
    outputs = shell.driver.deployment.outputs
    Queue(outputs["DeadLetterQueueUrl"]).send("not what write_raw reads", {})
    assert shell.json("redrive") == {"moved": 1}
    assert depth(outputs["DeadLetterQueueUrl"]) == 0
    assert [record["body"] for record in shell.driver.messages()] == ["not what write_raw reads"]


# -- report


@pytest.fixture(scope="module")
def reported(driver: Driver) -> str:
    """A tenant with answers of three agents on two days."""
    tenant = "reported"
    driver.tenant(tenant)
    shell = Shell(driver)
    shell.run("survey", "add", tenant, "email", "--metric", "nps", "--scale", "0-10")
    agents = ["Müller, Hans", "=cmd|x", "50% [bold]"]
    driver.post(
        tenant,
        [
            {
                "survey_id": "email",
                "score": n % 11,
                "answered_at": f"2026-03-0{1 + n % 2}T09:00:00Z",
                "agent_id": agents[n % 3],
                "channel": "chat" if n % 2 else "ticket",
            }
            for n in range(60)
        ],
    )
    driver.build()
    return tenant


RANGE = ("--start", "2026-03-01", "--end", "2026-03-02")


def test_a_report_is_a_table_for_eyes(shell: Shell, reported: str) -> None:
    lines = [
        " ".join(line.split())
        for line in shell.run(
            *("report", "source", "--tenant", reported), *RANGE, "--group-by", "channel,agent"
        ).stdout.splitlines()
    ]
    assert lines[0].startswith("source of reported, 2026-03-01 to 2026-03-02 (UTC), as of 20")
    assert any(line.startswith("nps 0-10 chat 50% [bold] 10 16.67") for line in lines)
    assert any(line.startswith("nps 0-10 total 60 100.00") for line in lines)


def test_a_report_is_json_for_scripts(shell: Shell, reported: str) -> None:
    told = shell.json("report", "nps", "--tenant", reported, *RANGE)
    assert told["totals"][0]["responses"] == 60
    same = shell.run("report", "nps", "--tenant", reported, *RANGE, "--format", "json")
    assert json.loads(same.stdout)["rows"] == told["rows"]


def test_a_report_is_csv_for_spreadsheets(shell: Shell, reported: str) -> None:
    result = shell.run(*("report", "daily", "--tenant", reported, *RANGE), "--format", "csv")
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert [(row["period"], row["responses"]) for row in rows] == [
        ("2026-03-01", "30"),
        ("2026-03-02", "30"),
    ]


@pytest.mark.parametrize(
    ("filters", "responses"),
    [
        (["agent=Müller, Hans"], 20),
        (["agent=Müller, Hans", "agent=50% [bold]"], 40),
        (["agent=!Müller, Hans"], 40),
        (["agent==cmd|x", "channel=chat"], 10),
        (["agent=(none)"], 0),
    ],
)
def test_filters_reach_the_report(
    shell: Shell, reported: str, filters: list[str], responses: int
) -> None:
    given = [part for one in filters for part in ("--filter", one)]
    told = shell.json("report", "nps", "--tenant", reported, *RANGE, *given)
    assert sum(row["responses"] for row in told["totals"]) == responses


def test_pages_are_put_together(
    shell: Shell, reported: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("report", "daily", "--tenant", reported, *RANGE, "--group-by", "agent,channel")
    whole, text = shell.json(*arguments), shell.run(*arguments, "--format", "csv").stdout
    monkeypatch.setattr("pulse.cli.reporting.MOST_ROWS", 5)
    shell.asked.clear()
    assert shell.json(*arguments)["rows"] == whole["rows"]
    assert len(shell.asked) > 1
    assert shell.run(*arguments, "--format", "csv").stdout == text


def test_insights_are_sentences_and_what_moved_the_score(shell: Shell, reported: str) -> None:
    of_a_day = ("insights", "--tenant", reported, "--start", "2026-03-02", "--end", "2026-03-02")
    lines = shell.run(*of_a_day).stdout.replace("\u00a0", " ").splitlines()
    # each day has scores 0 to 10 alike, thirty of them
    assert lines[0].startswith("The net promoter score was −")
    assert "(30 answers)" in lines[0] and "in the day before" in lines[0]
    assert any(" ".join(line.split()).startswith("what moved nps 0-10 by") for line in lines)
    assert any(" ".join(line.split()).startswith("Chat channel") for line in lines)
    german = shell.run(*of_a_day, "--lang", "de", "--filter", "agent=Müller, Hans").stdout
    assert "(10 Antworten)" in german.splitlines()[0].replace("\u00a0", " ")
    told = shell.json(*of_a_day, "--compare", "none")
    assert (told["movers"], told["headlines"][0]["responses"]) == (None, 30)
    nothing = ("insights", "--tenant", reported, "--start", "2020-03-02", "--end", "2020-03-02")
    assert shell.run(*nothing).stdout == "Nothing in these days.\n"
    refused = shell.run(*of_a_day, "--lang", "it", code=None)
    assert "en, de, fr, es" in refused.stderr


def test_drivers_are_tables_of_what_goes_with_the_score(shell: Shell, reported: str) -> None:
    asked = ("insights", "--drivers", "--tenant", reported, *RANGE)
    lines = [" ".join(line.split()) for line in shell.run(*asked).stdout.splitlines()]
    # three agents have the scores of sixty answers in turn
    (agent,) = [line for line in lines if line.startswith("agent: ")]
    assert agent.endswith("% of the spread goes with it, which may be chance")
    assert any(line.startswith("50% [bold] 20 ") for line in lines)
    told = shell.json(*asked, "--filter", "channel=chat")
    assert {one["dimension"] for one in told["drivers"]} == {"agent"}


def test_the_key_made_for_a_report_ends_with_it(shell: Shell, reported: str) -> None:
    before = shell.driver.tenants.keys(reported)
    shell.json("report", "nps", "--tenant", reported, *RANGE)
    assert len(shell.asked) == 1
    assert shell.driver.tenants.keys(reported) == before


def test_an_operators_key_reads_the_tenant_named(shell: Shell, reported: str) -> None:
    operator = shell.run("key", "create", "--kind", "operator").stdout.strip()
    asked = ("report", "nps", "--tenant", reported, *RANGE, "--key", operator)
    assert shell.json(*asked)["totals"][0]["responses"] == 60
    assert shell.run(*asked).stdout.startswith(f"nps of {reported}, 2026-03-01 to 2026-03-02 (UTC)")


def test_a_key_can_come_from_the_environment(
    shell: Shell, reported: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = shell.run(
        *("key", "create", reported, "--kind", "report", "--filter", "channel=chat")
    ).stdout.strip()
    before = len(shell.driver.tenants.keys(reported))
    monkeypatch.setenv("PULSE_KEY", key)
    told = shell.json("report", "nps", "--tenant", reported, *RANGE)
    assert told["totals"][0]["responses"] == 30
    assert len(shell.driver.tenants.keys(reported)) == before


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["mood"], 2, "There are: "),
        (["daily", "--preset", "someday"], 2, "last_28_days"),
        (["daily", "--start", "2026-03-01"], 2, "end_date"),
        (["daily", "--filter", "colour=red"], 2, "colour"),
        (["daily", "--filter", "channel"], 2, "NAME=VALUE"),
        (["daily", "--json", "--format", "csv"], 2, "choose one"),
        (["daily", "--key", "rk_unknown"], 4, "unknown, revoked or expired"),
        (["daily", "--key", "PUBLISHABLE"], 4, "may not do this"),
    ],
)
def test_what_cannot_be_reported(
    shell: Shell, reported: str, arguments: list[str], code: int, complaint: str
) -> None:
    publishable = shell.driver.key(reported, "publishable")
    given = [publishable if a == "PUBLISHABLE" else a for a in arguments]
    result = shell.run("report", *given, "--tenant", reported, code=code)
    assert complaint in " ".join(result.stderr.split())
    assert result.stdout == ""


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
