"""`pulse report` and `pulse insights` on a deployed stack, as tables, JSON and CSV."""

import csv
import json

import pytest

from tests.driver import Driver
from tests.shell import Shell


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
