"""Interactions that are sent reach finance's files, which equal the revenue report."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pulse import days
from pulse.cli.main import app
from pulse.finance.check import finance_equals_reports
from tests.books import Books
from tests.driver import ROOT, Driver, running


class Company:
    """A tenant in Berlin whose interactions come through the interface."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.books = Books(driver.finance_settings, now=datetime(2026, 11, 2, 11, tzinfo=UTC))

    def post(self, id_: str, entered_at: str, amount: str | None = None, **more: Any) -> None:
        currency = more.pop("currency", "EUR")
        update = {"interaction_id": id_, "media_type": "voice", "entered_at": entered_at, **more}
        if amount is not None:
            update["revenue"] = {"amount": amount, "currency": currency}
        answer = self.driver.post_interactions("acme", [update])
        assert answer.status == 202, answer.body

    def build(self) -> None:
        """Everything that waits, as the events would have it done."""
        self.driver.build()
        assert self.driver.export_revenue().finished

    def reported(self, start: str, end: str) -> dict[str, tuple[int, str]]:
        """What the revenue report says of these days, by currency."""
        self.driver.forget()
        query = f"start_date={start}&end_date={end}&granularity=total&group_by=currency"
        rows = self.driver.report("acme", "revenue", query)["rows"]
        return {r["currency"]: (r["interactions_with_revenue"], r["revenue"]) for r in rows}

    def in_files(self, month: str) -> dict[str, tuple[int, str]]:
        """What finance has of a month, adjustments included."""
        return {c: (n, f"{money:.4f}") for c, (n, money) in self.books.sums(month).items()}


@pytest.fixture
def company() -> Iterator[Company]:
    with running() as driver:
        company = Company(driver)
        with days.clock(lambda: company.books.now):
            driver.tenant("acme", "Europe/Berlin")
            yield company


def test_files_manifest_adjustments_and_report_agree_exactly(company: Company) -> None:
    books = company.books
    last, first = "2026-10-31T23:59:59+01:00", "2026-11-01T00:00:00+01:00"
    company.post("1", last, "0.1", customer_segment="gold", agent_id="anna")
    company.post("2", last, "0.2", customer_segment="gold", agent_id="ben")
    company.post("3", last, "-12.5", currency="USD", service_type="returns")  # a refund
    company.post("4", last, "1500", currency="JPY")
    company.post("5", last, "0", currency="BHD")
    company.post("6", last)  # nothing recorded
    company.post("7", first, "99999999999999.9999")
    company.build()
    assert books.lines() == [
        "2026-10-31,voice,gold,,EUR,2,0.3000,0.1500",
        "2026-10-31,voice,,returns,USD,1,-12.5000,-12.5000",
        "2026-10-31,voice,,,BHD,0,0.0000,",
        "2026-10-31,voice,,,JPY,1,1500.0000,1500.0000",
    ]
    assert books.lines(month="2026-11") == [
        "2026-11-01,voice,,,EUR,1,99999999999999.9999,99999999999999.9999"
    ]
    october, november = ("2026-10-01", "2026-10-31"), ("2026-11-01", "2026-11-30")
    assert company.in_files("2026-10") == company.reported(*october)
    assert company.in_files("2026-11") == company.reported(*november)

    books.wait(days=6)
    company.build()
    assert books.manifest()["state"] == "closed"
    company.post("5", last, "0.125", currency="BHD")  # two late changes on one day
    company.build()
    books.wait(hours=1)
    company.post("2", last, "0.3")
    company.post("8", last, "-0.05", customer_segment="gold")
    company.build()
    assert books.lines("adjustments/0001.csv") == ["2026-10-31,voice,,,BHD,1,0.1250"]
    assert books.lines("adjustments/0002.csv") == ["2026-10-31,voice,gold,,EUR,1,0.0500"]
    manifest = books.manifest()
    assert (manifest["version"], manifest["revenue"]["EUR"]) == (4, "0.3000")
    assert company.in_files("2026-10") == {
        "BHD": (1, "0.1250"),
        "EUR": (3, "0.3500"),
        "JPY": (1, "1500.0000"),
        "USD": (1, "-12.5000"),
    }
    assert company.in_files("2026-10") == company.reported(*october)
    assert company.in_files("2026-11") == company.reported(*november)
    assert all(_is_in_the_documentation(books.read(n)) for n in books.names() if n[-3:] == "csv")
    assert finance_equals_reports(books.settings).state == "ok"


def _is_in_the_documentation(file: bytes) -> bool:
    """Whether docs/finance.md, which tells of this very month, shows the file as it is."""
    shown = file.decode().replace("\r\n", "\n")
    return shown in (ROOT / "docs" / "finance.md").read_text()


def pulse(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, [*arguments, "--stack", "pulse"])
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.mark.only_whole
def test_the_command_exports_a_month_and_tells_what_is_there(company: Company) -> None:
    company.driver.tenant("globex")
    company.post("1", "2026-10-31T12:00:00+01:00", "12.5")
    company.driver.build()
    exported, nothing = json.loads(
        pulse("export", "revenue", "--month", "2026-10", "--json").stdout
    )
    bucket = company.books.settings.finance_bucket
    assert exported["location"] == f"s3://{bucket}/revenue/tenant=acme/month=2026-10/"
    assert [file["name"] for file in exported["files"]] == ["revenue.csv", "revenue.parquet"]
    assert (exported["state"], exported["rows"]) == ("open", 1)
    assert exported["revenue"] == {"EUR": "12.5000"}
    assert nothing == {"tenant": "globex", "month": "2026-10", "state": None, "location": None}
    shown = pulse("export", "revenue", "--month", "2026-10", "--tenant", "acme").stdout
    assert "12.5000 EUR" in shown and "globex" not in shown
    pulse("export", "revenue", "--month", "October", code=2)
    pulse("export", "revenue", "--month", "2026-10", "--tenant", "initech", code=2)
    assert "finance = reports" in pulse("check").stdout


def test_a_closed_month_that_somebody_touched_fails_the_command(company: Company) -> None:
    company.post("1", "2026-09-30T12:00:00+02:00", "12.5")
    company.build()
    company.books.spoil("revenue.csv", "2026-09")
    result = pulse("export", "revenue", "--month", "2026-09", code=1)
    assert "revenue.csv is not what its manifest says" in result.stderr
    assert company.books.read("revenue.csv", "2026-09") == b"spoilt"
