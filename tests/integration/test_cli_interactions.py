"""`pulse import interactions`, and the tables that `pulse report` draws of interactions."""

import csv
import random
from pathlib import Path
from typing import Any

import pytest

from pulse import days
from tests.shell import Shell

MAPPED = {
    "interaction_id": "call",
    "media_type": "medium",
    "entered_at": "start",
    "accepted_at": "answered",
    "finished_at": "end",
    "abandoned": "lost",
    "satisfaction": "csat",
    "revenue.amount": "sale",
    "service_type": "queue",
}
CALLS = """\
call,medium,start,answered,end,lost,csat,sale,queue
c-1,voice,2026-03-02 09:00,2026-03-02 09:00:20,2026-03-02 09:05,no,4.5,12.50,Sales
c-2,voice,2026-03-02 09:01,2026-03-02 09:02:00,2026-03-02 09:03,no,,-2.5,Sales
c-3,voice,2026-03-02 23:59,,2026-03-03 00:01,yes,,,
c-4,email,2026-03-03T08:00:00+01:00,,,,,,Delivery
"""


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    path = tmp_path / "calls.csv"
    path.write_text(CALLS)
    return path


def load(shell: Shell, tenant: str, file: Path, *more: str, code: int = 0) -> Any:
    """Import a file of calls; the result."""
    maps = [part for name, column in MAPPED.items() for part in ("--map", f"{name}={column}")]
    arguments = (str(file), "--tenant", tenant, *maps, "--set", "revenue.currency=EUR", *more)
    return shell.json("import", "interactions", *arguments, code=code)


def rows(shell: Shell, tenant: str, report: str = "customer-perspective") -> Any:
    """Everything that was ever imported, by day, medium and matter."""
    shell.driver.build()
    query = "preset=all_time&group_by=period,media_type,service_type&granularity=day"
    return shell.driver.report(tenant, report, query)["rows"]


@pytest.mark.only_whole
def test_a_file_is_counted_once_however_often_it_is_imported(shell: Shell, calls: Path) -> None:
    tenant = shell.tenant(timezone="Europe/Berlin")
    shell.run("tenant", "set", tenant, "voice.accept=20")
    assert load(shell, tenant, calls) == {
        "name": "calls.csv",
        "read_as": "UTF-8, cells between commas, the header in line 1",
        "rows": 4,
        "left_out": 0,
        "distinct_ids": 4,
        "first": "2026-03-02T08:00:00Z",
        "last": "2026-03-03T07:00:00Z",
        "timezone": "Europe/Berlin",
        "accepted": 4,
        "rejected": 0,
        "codes": {},
        "rejects": None,
        "repeated": {},
        "replaced": [],
    }
    once = rows(shell, tenant)
    told = {(row["period"], row["media_type"], row["service_type"]): row for row in once}
    sales = told["2026-03-02", "voice", "Sales"]
    assert (sales["entered"], sales["accepted"], sales["accept_service_level_pct"]) == (2, 2, 50)
    assert (sales["avg_accept_time_fmt"], sales["avg_satisfaction"]) == ("00:00:40", 4.5)
    assert sales["avg_revenue"] == {"EUR": "5.0000"}
    assert told["2026-03-02", "voice", None]["abandoned"] == 1
    assert told["2026-03-03", "email", "Delivery"]["offered"] == 0
    load(shell, tenant, calls.rename(calls.with_name("again.csv")))
    assert rows(shell, tenant) == once


@pytest.mark.only_whole
def test_a_corrected_file_prevails_over_the_one_before(shell: Shell, calls: Path) -> None:
    tenant = shell.tenant()
    calls.write_text(CALLS.replace("2026-03-02 09:05,no", "2026-03-22 09:05,no"))
    load(shell, tenant, calls)
    calls.write_text(CALLS.replace(",12.50,", ",15.00,"))
    load(shell, tenant, calls)
    sales = next(row for row in rows(shell, tenant) if row["service_type"] == "Sales")
    assert sales["avg_finish_response_time"] == 210
    assert sales["avg_revenue"] == {"EUR": "6.2500"}


def test_a_file_overrides_nothing_that_a_live_system_has_sent_since(
    shell: Shell, calls: Path
) -> None:
    tenant = shell.tenant()
    live = {"interaction_id": "c-1", "media_type": "voice", "entered_at": "2026-03-02T09:00:00Z"}
    answer = shell.driver.post_interactions(tenant, [live | {"service_type": "Complaints"}])
    assert answer.status == 202
    load(shell, tenant, calls)
    (row,) = [row for row in rows(shell, tenant) if row["service_type"] == "Complaints"]
    assert (row["entered"], row["with_satisfaction"]) == (1, 1)


@pytest.mark.only_whole
def test_rows_of_one_interaction_end_alike_in_whatever_order_they_arrive(
    shell: Shell, tmp_path: Path
) -> None:
    """The file says first "open" and then "closed" of each interaction, in several batches."""
    tenant, other = shell.tenant(), shell.tenant()
    start = "2026-03-02 09:00"
    opened = [f"t-{n},task,{start},{start}:10,,,,,open" for n in range(600)]
    closed = [f"t-{n},task,{start},,2026-03-02 10:00,,,,closed" for n in range(600)]
    file = tmp_path / "tasks.csv"
    file.write_text("\n".join([CALLS.splitlines()[0], *opened, *closed]))
    load(shell, tenant, file)
    load(shell, other, file)
    messages = shell.driver.messages()
    random.Random(4).shuffle(messages)
    assert shell.driver.write(messages) == []
    told = rows(shell, tenant)
    assert told == rows(shell, other)
    assert [(row["service_type"], row["entered"], row["finished"]) for row in told] == [
        ("closed", 600, 600)
    ]


def test_local_times_are_the_tenants_unless_said_otherwise(shell: Shell, calls: Path) -> None:
    tenant = shell.tenant(timezone="Asia/Tokyo")
    load(shell, tenant, calls)
    another = calls.with_name("another.csv")  # the same file would replace what it has brought
    another.write_text(CALLS + "\n")
    load(shell, tenant, another, "--timezone", "UTC")
    entered = [item["entered_us"] for item in shell.stored() if item["interaction_id"] == "c-1"]
    assert sorted(map(days.iso, entered)) == ["2026-03-02T00:00:00Z", "2026-03-02T09:00:00Z"]


def test_rejected_rows_are_set_aside_with_their_reasons(shell: Shell, calls: Path) -> None:
    tenant = shell.tenant()
    bad = [
        f"b-1,{'x' * 41},2026-03-02 09:00,,,,,,",
        "b-2,voice,2026-03-02 09:00,2026-03-02 08:59,,,,,",
        "b-3,voice,2026-03-02 09:00,,,perhaps,,,",
        "b-4,voice,2026-03-02 09:00,,,,,1.23456,",
        "b-5,voice,2026-03-02 09:00,,,,11,,",
        "b-6,voice,,,,,,,",
        "b-7,voice,2026-03-02 09:00,,soon,,,,",
    ]
    calls.write_text(CALLS + "\n".join(bad))
    result = load(shell, tenant, calls, code=3)
    assert (result["accepted"], result["rejected"]) == (4, 7)
    with calls.with_name("calls.csv.rejects.csv").open(newline="") as opened:
        found = {row["call"]: row["rejected_code"] for row in csv.DictReader(opened)}
    assert found == {
        "b-1": "text_too_long",
        "b-2": "negative_duration",
        "b-3": "abandoned_not_boolean",
        "b-4": "amount_too_precise",
        "b-5": "satisfaction_out_of_range",
        "b-6": "entered_at_missing",
        "b-7": "finished_at_invalid",
    }


@pytest.mark.parametrize(
    ("content", "arguments", "complaint"),
    [
        ("03/04/2026 10:00", [], "--date-format '%d/%m/%Y %H:%M' (day first)"),
        ("2026-03-02", ["--map", "mood=start"], "no field 'mood'; the fields are: interaction_id"),
        ("2026-03-02", ["--set", "abandoned=no"], "'abandoned' is given by --map and by --set"),
        ("2026-03-02", ["--set", "updated_at=3/4/2026"], "(day first)"),
    ],
)
def test_a_wrong_import_sends_nothing(
    shell: Shell, calls: Path, content: str, arguments: list[str], complaint: str
) -> None:
    tenant = shell.tenant()
    calls.write_text(CALLS.splitlines()[0] + f"\nc-1,voice,{content},,,,,,\n")
    maps = [part for name, column in MAPPED.items() for part in ("--map", f"{name}={column}")]
    given = (*maps, "--set", "revenue.currency=EUR", *arguments)
    result = shell.run("import", "interactions", str(calls), "--tenant", tenant, *given, code=2)
    assert complaint in " ".join(result.stderr.split())
    assert shell.asked == []


def test_a_survey_is_no_matter_of_interactions(shell: Shell, calls: Path) -> None:
    arguments = (str(calls), "--tenant", shell.tenant(), "--survey", "email")
    result = shell.run("import", "interactions", *arguments, "--map", "entered_at=start", code=2)
    assert "--survey" in result.stderr


# -- what is drawn of them


@pytest.fixture
def imported(shell: Shell, calls: Path) -> str:
    tenant = shell.tenant()
    shell.run("tenant", "set", tenant, "voice.accept=20", "voice.finish=300")
    load(shell, tenant, calls)
    shell.driver.build()
    return tenant


@pytest.mark.only_whole
def test_a_supervisor_reads_it_as_the_original_report_is_laid_out(
    shell: Shell, imported: str
) -> None:
    asked = ("report", "customer-perspective", "--tenant", imported, "--preset", "all_time")
    lines = shell.run(*asked, "--subtotals").stdout.splitlines()
    assert max(map(len, lines)) <= 160
    rule = next(at for at, line in enumerate(lines) if line.startswith("─"))
    sales = "1.00 50.00 – 100.00 00:00:40 00:00:40 00:03:30 4.50 5.00 EUR"
    nothing = "– – – – – – – – –"
    assert [" ".join(line.split()) for line in lines[rule + 1 :]] == [
        f"{imported} total 4 {sales}",
        f"email total 1 {nothing}",
        f"2026-03-03 total 1 {nothing}",
        f"– total 1 {nothing}",
        f"Delivery 1 {nothing}",
        f"voice total 3 {sales}",
        f"2026-03-02 total 3 {sales}",
        f"– total 3 {sales}",
        f"Sales 2 {sales}",
        "– 1 – – – 100.00 – – – – –",
        "",
        f"grand total 4 {sales}",
    ]


def test_money_is_told_by_currency(shell: Shell, imported: str) -> None:
    asked = ("report", "revenue", "--tenant", imported, "--preset", "all_time")
    lines = [" ".join(line.split()) for line in shell.run(*asked).stdout.splitlines()]
    assert lines[2] == "period currency interactions with revenue revenue avg revenue"
    assert lines[4:] == ["2026-03-02 EUR 2 10.00 5.00", "", "total 2 10.00 EUR 5.00 EUR"]


def test_agents_are_told_with_their_times(shell: Shell, imported: str) -> None:
    session = {
        "session_id": "s-1",
        "agent_id": "Zoë [x]",
        "media_type": "voice",
        "day": "2026-03-02",
        "active_seconds": 3600,
        "engaged_seconds": 900,
    }
    assert shell.driver.post_sessions(imported, [session]).status == 202
    shell.driver.build()
    asked = ("report", "agent-activity", "--tenant", imported, "--preset", "all_time")
    lines = [" ".join(line.split()) for line in shell.run(*asked).stdout.splitlines()]
    assert lines[2] == (
        "agent media type handled avg handle time active engaged engaged % avg satisfaction"
    )
    assert "Zoë [x] voice 0 – 01:00:00 00:15:00 25.00 –" in lines
    assert "– voice 2 00:02:50 00:00:00 00:00:00 – 4.50" in lines
    warned = shell.run(*asked, "--group-by", "service_type").stderr
    assert "warning: Figures of sessions are null: they are told by agent, media_type" in warned


def test_a_dry_run_of_calls_changes_nothing(shell: Shell, calls: Path) -> None:
    tenant = shell.tenant(timezone="Europe/Berlin")
    calls.write_text(CALLS + "c-5,voice,2026-03-02 10:00,2026-03-02 09:59,,no,,,\n")
    told = load(shell, tenant, calls, "--dry-run")
    assert (told["rows"], told["accepted"], told["codes"]) == (5, 4, {"negative_duration": 1})
    assert told["first"][0] == {
        "line": 2,
        **{"interaction_id": "c-1", "media_type": "voice", "service_type": "Sales"},
        **{"entered_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T08:00:00Z"},
        **{"accepted_at": "2026-03-02T08:00:20Z", "finished_at": "2026-03-02T08:05:00Z"},
        **{"abandoned": False, "satisfaction": "4.5000", "revenue": "12.5000", "currency": "EUR"},
        "synchronous": True,
    }
    assert shell.stored() == []
