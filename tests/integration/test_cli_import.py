"""`pulse import` on a deployed stack: what is counted, what is set aside, and with which key."""

import csv
import json
import os
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest

from pulse import days
from pulse.cli.api import Api, HttpReply
from pulse.cli.keyring import passing_key
from pulse.tenants.keys import Key, sha256
from tests.driver import Driver
from tests.shell import MAPPED, Shell


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

    def asked(api: Api, request: urllib.request.Request) -> HttpReply:
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

    def interrupted(api: Api, request: urllib.request.Request) -> HttpReply:
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
    broken = HttpReply(400, b'{"detail": "Out of order."}', {})
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
