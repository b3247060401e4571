"""From reports to finance's files: what a bookkeeper finds each month, whatever happens between."""

import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from pulse import days, lake
from pulse.errors import BuildCheckError, ConflictError
from pulse.finance.check import finance_equals_reports
from pulse.finance.export import LEASE_US, RevenueResult
from pulse.store.clients import client
from pulse.store.finance import Finance
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.tenant import CUBE
from tests.aws_calls import AwsCalls
from tests.books import HEADER, Books, interaction

# -- a month


def test_a_month_is_two_files_with_the_same_rows_and_a_manifest(books: Books) -> None:
    books.record(
        interaction("2026-10-02", "0.1", customer_segment="gold", agent="anna"),
        interaction("2026-10-02", "0.2", customer_segment="gold", agent="ben"),
        interaction("2026-10-01", "-5", "USD", service_type="=SUM(A1)"),
        interaction("2026-10-01", "0", "BHD"),
        interaction("2026-10-01", "1000", "JPY", media_type="chat"),
        interaction("2026-10-01"),
    )
    assert books.export() == RevenueResult((("acme", "2026-10"),), finished=True)
    assert books.read("revenue.csv").decode() == (
        '"day","media_type","customer_segment","service_type","currency",'
        '"interactions_with_revenue","revenue","avg_revenue"\r\n'
        '2026-10-01,"chat",,,"JPY",1,1000.0000,1000.0000\r\n'
        '2026-10-01,"voice",,"\'=SUM(A1)","USD",1,-5.0000,-5.0000\r\n'
        '2026-10-01,"voice",,,"BHD",0,0.0000,\r\n'
        '2026-10-02,"voice","gold",,"EUR",2,0.3000,0.1500\r\n'
    )
    table = parquet.read_table(io.BytesIO(books.read("revenue.parquet")))
    assert table.column_names == HEADER.split(",")
    assert [[str(row["revenue"]), row["service_type"]] for row in table.to_pylist()] == [
        ["1000.0000", None],
        ["-5.0000", "=SUM(A1)"],
        ["0.0000", None],
        ["0.3000", None],
    ]
    manifest = books.manifest()
    assert {k: v for k, v in manifest.items() if k != "files"} == {
        "tenant": "acme",
        "month": "2026-10",
        "version": 1,
        "state": "open",
        "closed_at": None,
        "as_of": "2026-11-06T12:00:00Z",
        "rows": 4,
        "revenue": {"BHD": "0.0000", "EUR": "0.3000", "JPY": "1000.0000", "USD": "-5.0000"},
        "adjustments": [],
    }


def test_a_months_end_parts_two_folders_and_a_years_end_two_objects(books: Books) -> None:
    books.now = datetime(2026, 1, 5, tzinfo=UTC)
    books.record(
        interaction("2025-11-30", "1"),
        interaction("2025-12-31", "2"),
        interaction("2026-01-01", "4"),
    )
    assert [month for _, month in books.export().exported] == ["2025-11", "2025-12", "2026-01"]
    assert [books.manifest(m)["state"] for m in ("2025-11", "2025-12", "2026-01")] == [
        "closed",
        "open",
        "open",
    ]
    assert books.lines(month="2025-12") == ["2025-12-31,voice,,,EUR,1,2.0000,2.0000"]


def test_a_month_with_interactions_but_no_revenue_is_empty_and_others_are_not_there(
    books: Books,
) -> None:
    books.record(interaction("2026-10-02"))
    books.export()
    assert (books.lines(), books.manifest()["rows"]) == ([], 0)
    assert books.names("2026-09") == []


def test_tenants_do_not_meet(books: Books) -> None:
    books.tenant("globex")
    books.record(interaction("2026-10-02", "1"))
    books.record(interaction("2026-10-02", "2"), tenant="globex")
    assert len(books.export().exported) == 2
    assert books.manifest()["revenue"] == {"EUR": "1.0000"}
    assert books.manifest(tenant="globex")["revenue"] == {"EUR": "2.0000"}


def test_an_open_month_is_put_anew_when_its_revenue_changes_and_only_then(books: Books) -> None:
    books.record(interaction("2026-10-02", "1"), interaction("2026-11-02", "1"))
    books.export()
    books.record(interaction("2026-10-03"), interaction("2026-11-03", "5"))
    assert books.export().exported == (("acme", "2026-11"),)
    assert books.versions() == {"manifest.json": 1, "revenue.csv": 1, "revenue.parquet": 1}
    assert books.manifest("2026-11")["version"] == 2
    assert books.manifest("2026-11")["revenue"] == {"EUR": "6.0000"}


# -- what is done when


def test_nothing_new_costs_two_queries(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    books.record(interaction("2026-10-02", "1"))
    books.export()
    calls = AwsCalls(monkeypatch)
    assert calls.run(lambda: books.export().exported == ())
    assert calls.made == ["Query", "Query"]


def test_a_month_closes_when_its_day_comes_though_nothing_else_happens(books: Books) -> None:
    books.record(interaction("2026-10-02", "1"), interaction("2026-11-02", "1"))
    books.export()
    books.wait(days=1)
    assert books.export().exported == ()
    books.wait(days=1)
    assert books.export().exported == (("acme", "2026-10"),)
    manifest = books.manifest()
    assert (manifest["state"], manifest["closed_at"]) == ("closed", "2026-11-08T12:00:00Z")
    assert books.versions() == {"manifest.json": 2, "revenue.csv": 1, "revenue.parquet": 1}
    books.wait(days=29)
    assert books.export().exported == ()
    books.wait(days=1)  # 8 December
    assert books.export().exported == (("acme", "2026-11"),)


def test_a_month_closes_by_the_tenants_own_days(books: Books) -> None:
    books.tenant("hawaii", "Pacific/Honolulu")
    books.record(interaction("2026-10-02", "1"), tenant="hawaii")
    books.now = datetime(2026, 11, 8, 9, 59, tzinfo=UTC)
    books.export()
    assert books.manifest(tenant="hawaii")["state"] == "open"
    books.wait(minutes=1)
    books.export()
    assert books.manifest(tenant="hawaii")["state"] == "closed"


def test_time_that_runs_out_leaves_the_rest_to_the_next_run(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced: list[str] = []
    monkeypatch.setattr(
        "pulse.store.events.Events.announce", lambda self, what: announced.append(what)
    )
    months = [f"2026-{number:02}" for number in range(1, 11)]
    books.record(*(interaction(f"{month}-05", "1") for month in months))
    seconds = iter([100.0] * 8 + [1.0] * 100)
    first = books.export(lambda: next(seconds))
    assert not first.finished and 0 < len(first.exported) < len(months)
    assert announced == ["revenue unfinished"]
    assert books.export().finished
    assert [books.sums(month) for month in months] == [{"EUR": (1, Decimal(1))}] * len(months)
    assert announced == ["revenue unfinished"]


def test_a_run_that_brings_nothing_on_does_not_wake_itself(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced: list[str] = []
    monkeypatch.setattr(
        "pulse.store.events.Events.announce", lambda self, what: announced.append(what)
    )
    books.record(interaction("2026-10-02", "1"))
    seconds = iter([100.0] + [1.0] * 100)  # time for the tenant, but for none of its files
    assert not books.export(lambda: next(seconds)).finished
    assert not books.export(lambda: 1.0).finished  # no time at all
    assert (announced, books.names()) == ([], [])
    assert books.export().finished


def test_a_tenant_that_fails_keeps_no_other_from_its_files(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.built("acme", 2026, "an object that is not there")
    books.tenant("globex")
    books.record(interaction("2026-10-02", "2"), tenant="globex")
    with pytest.raises(Exception, match="no longer there"):
        books.export()
    assert books.manifest(tenant="globex")["revenue"] == {"EUR": "2.0000"}


def test_of_several_tenants_that_fail_each_is_told(books: Books) -> None:
    books.tenant("globex")
    for tenant in ("acme", "globex"):
        books.built(tenant, 2026, "an object that is not there")
    with pytest.raises(ExceptionGroup) as caught:
        books.export()
    assert len(caught.value.exceptions) == 2


# -- a closed month


@pytest.fixture
def closed(books: Books) -> Books:
    """October is closed with three rows."""
    books.record(
        interaction("2026-10-30", "10", customer_segment="gold"),
        interaction("2026-10-31", "500", "JPY"),
        interaction("2026-10-31", "12.345", "BHD"),
        interaction("2026-11-01", "1"),
    )
    books.wait(days=3)
    books.export()
    return books


def test_changes_of_a_closed_month_come_as_adjustments(closed: Books) -> None:
    before = closed.read("revenue.csv"), closed.read("revenue.parquet")
    closed.record(interaction("2026-10-31", "-2.5", customer_segment="gold"))
    assert closed.export().exported == (("acme", "2026-10"),)
    closed.wait(hours=1)
    closed.record(
        interaction("2026-10-31", "-0.5", customer_segment="gold"),
        interaction("2026-10-31", "500", "JPY"),
        interaction("2026-10-31", "0", "USD"),
    )
    closed.export()
    assert closed.lines("adjustments/0001.csv") == ["2026-10-31,voice,gold,,EUR,1,-2.5000"]
    assert closed.lines("adjustments/0002.csv") == [
        "2026-10-31,voice,gold,,EUR,1,-0.5000",
        "2026-10-31,voice,,,JPY,1,500.0000",
    ]
    assert (closed.read("revenue.csv"), closed.read("revenue.parquet")) == before
    assert closed.versions()["revenue.csv"] == closed.versions()["revenue.parquet"] == 1
    manifest = closed.manifest()
    assert (manifest["version"], manifest["state"]) == (3, "closed")
    assert manifest["closed_at"] == "2026-11-09T12:00:00Z"
    assert manifest["revenue"] == {"BHD": "12.3450", "EUR": "10.0000", "JPY": "500.0000"}
    assert [(a["as_of"], a["rows"], a["revenue"]) for a in manifest["adjustments"]] == [
        ("2026-11-09T12:00:00Z", 1, {"EUR": "-2.5000"}),
        ("2026-11-09T13:00:00Z", 2, {"EUR": "-0.5000", "JPY": "500.0000"}),
    ]
    assert closed.sums() == {
        "EUR": (3, Decimal("7.0000")),
        "JPY": (2, Decimal("1000.0000")),
        "BHD": (1, Decimal("12.3450")),
    }


def test_revenue_that_was_taken_back_is_adjusted_away(closed: Books) -> None:
    kept = [row for row in closed.rows["acme"] if row["currency"] != "JPY"]
    closed.report(kept)
    closed.export()
    assert closed.lines("adjustments/0001.csv") == ["2026-10-31,voice,,,JPY,-1,-500.0000"]
    closed.report(closed.rows["acme"])
    closed.export()
    assert closed.lines("adjustments/0002.csv") == ["2026-10-31,voice,,,JPY,1,500.0000"]


def test_a_closed_month_of_which_nothing_changed_gets_no_adjustment(closed: Books) -> None:
    closed.record(interaction("2026-11-09", "3"), interaction("2026-10-31"))
    assert closed.export().exported == (("acme", "2026-11"),)
    assert closed.versions() == {"manifest.json": 1, "revenue.csv": 1, "revenue.parquet": 1}


def test_an_adjustment_that_no_manifest_lists_counts_and_is_listed(closed: Books) -> None:
    closed.record(interaction("2026-10-31", "7"))
    closed.export()
    first = closed.read("adjustments/0001.csv")
    Objects("finance").delete_all(lake.revenue_prefix("acme", "2026-10") + "adjustments/")
    Objects("finance").put(lake.revenue_prefix("acme", "2026-10") + "adjustments/0001.csv", first)
    old = _manifest_without_adjustments(closed)
    Objects("finance").put(lake.revenue_prefix("acme", "2026-10") + "manifest.json", old)
    closed.record(interaction("2026-10-31", "7"))
    closed.export()
    assert [a["name"] for a in closed.manifest()["adjustments"]] == [
        "adjustments/0001.csv",
        "adjustments/0002.csv",
    ]
    assert [file["name"] for file in closed.manifest()["files"][2:]] == [
        "adjustments/0001.parquet",
        "adjustments/0002.parquet",
    ]
    assert closed.sums()["EUR"] == (3, Decimal(24))


def test_every_adjustment_has_the_same_rows_as_parquet(closed: Books) -> None:
    """The texts hold breaks, quotes and backslashes, which Athena cannot read from lines of CSV."""
    texts = ["line\nbreak", 'a "quote"', "back\\slash", "=1+1", "'=1+1", "semi;colon"]
    for text in texts:
        closed.record(interaction("2026-10-31", "7", customer_segment=text))
    closed.export()
    table = parquet.read_table(pa.BufferReader(closed.read("adjustments/0001.parquet")))
    assert table.column_names == [
        "day", "media_type", "customer_segment", "service_type", "currency",
        "interactions_with_revenue", "revenue",
    ]  # fmt: skip
    assert table.schema.field("revenue").type == pa.decimal128(38, 4)
    assert set(table["customer_segment"].to_pylist()) == set(texts)
    assert set(table["revenue"].to_pylist()) == {Decimal("7.0000")}
    closed.spoil("adjustments/0001.parquet")
    with pytest.raises(BuildCheckError, match=r"0001\.parquet is not what its manifest says"):
        closed.export_month("2026-10")


def test_adjustments_from_before_there_was_parquet_get_it(closed: Books) -> None:
    closed.record(interaction("2026-10-31", "7"))
    closed.export()
    manifest = closed.manifest()
    bare = manifest | {"files": manifest["files"][:2]}
    prefix = lake.revenue_prefix("acme", "2026-10")
    Objects("finance").put(prefix + "manifest.json", json.dumps(bare).encode())
    client("s3").delete_object(Bucket="finance", Key=f"{prefix}adjustments/0001.parquet")
    mended = closed.export_month("2026-10")
    assert mended and mended.version == manifest["version"] + 1
    assert mended.as_of == manifest["as_of"]
    assert closed.manifest()["files"] == manifest["files"]
    again = closed.export_month("2026-10")
    assert again == mended


def _manifest_without_adjustments(books: Books) -> bytes:
    manifest = json.loads(books.read("manifest.json"))
    return json.dumps(manifest | {"files": manifest["files"][:2], "adjustments": []}).encode()


def test_a_closed_month_that_somebody_touched_is_an_error_and_stays_as_it_is(closed: Books) -> None:
    closed.spoil("revenue.csv")
    closed.record(interaction("2026-10-31", "7"), interaction("2026-11-01", "2"))
    with pytest.raises(BuildCheckError, match=r"revenue\.csv is not what its manifest says"):
        closed.export()
    assert closed.read("revenue.csv") == b"spoilt"
    assert "adjustments/0001.csv" not in closed.names()
    assert closed.manifest("2026-11")["revenue"] == {"EUR": "3.0000"}  # others go on


# -- by hand


def test_by_hand_an_open_month_is_mended_whatever_the_state_says(books: Books) -> None:
    books.record(interaction("2026-10-02", "1"))
    books.export()
    good = books.read("revenue.parquet")
    books.spoil("revenue.parquet")
    assert books.export().exported == ()
    mended = books.export_month("2026-10")
    assert mended and mended.version == 2
    assert books.read("revenue.parquet") == good
    books.manifest()


def test_by_hand_a_month_without_interactions_is_nothing(books: Books) -> None:
    books.record(interaction("2026-10-02", "1"))
    assert books.export_month("2026-09") is None
    assert books.export_month("2020-01") is None
    assert books.names("2026-09") == []


def test_by_hand_what_is_behind_is_caught_up_with_too(books: Books) -> None:
    books.record(interaction("2026-10-02", "1"), interaction("2026-11-02", "1"))
    exported = books.export_month("2026-10")
    assert exported and exported.revenue == {"EUR": "1.0000"}
    assert books.manifest("2026-11")["rows"] == 1
    assert books.export().exported == ()


def test_by_hand_a_lease_that_somebody_holds_is_respected(books: Books) -> None:
    books.record(interaction("2026-10-02", "1"))
    Finance(books.settings.table).take("acme", "another", days.now_us() + LEASE_US)
    with pytest.raises(ConflictError, match="being exported just now"):
        books.export_month("2026-10")
    assert books.export() == RevenueResult((), finished=True)
    assert books.names() == []


# -- two at once, and deaths


def meanwhile(monkeypatch: pytest.MonkeyPatch, job: Callable[[], Any], nth: int) -> None:
    """Let `job` happen once, in the moment before the nth put of a file."""
    real, calls = Objects.replace, []

    def replace(self: Objects, *args: Any, **given: Any) -> Any:
        calls.append(1)
        if len(calls) == nth:
            job()
        return real(self, *args, **given)

    monkeypatch.setattr(Objects, "replace", replace)


def check_truth(books: Books) -> None:
    """What finance reads is what the reports hold, in both months."""
    for month in ("2026-10", "2026-11"):
        truth: dict[str, tuple[int, Decimal]] = {}
        for row in books.rows["acme"]:
            if row["currency"] and row["day"].isoformat().startswith(month):
                n, money = truth.get(row["currency"], (0, Decimal(0)))
                truth[row["currency"]] = n + row["with_revenue"], money + row["revenue"]
        assert books.sums(month) == truth


@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5, 6])
def test_who_comes_while_another_exports_leaves_it_to_that_one(
    books: Books, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    books.record(interaction("2026-10-31", "1"), interaction("2026-11-01", "2"))

    def another() -> None:
        books.record(interaction("2026-10-31", "4"), interaction("2026-11-01", "8"))
        assert books.export() == RevenueResult((), finished=True)

    meanwhile(monkeypatch, another, nth)
    assert books.export().finished
    check_truth(books)
    assert books.export().exported == ()


@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("later", [{}, {"days": 2}], ids=["open", "closing"])
def test_who_outlives_his_lease_undoes_nothing(
    books: Books, monkeypatch: pytest.MonkeyPatch, nth: int, later: Mapping[str, int]
) -> None:
    books.record(interaction("2026-10-31", "1"), interaction("2026-11-01", "2"))
    books.export()
    books.record(interaction("2026-10-31", "4"), interaction("2026-11-01", "8"))

    def another() -> None:
        books.wait(seconds=LEASE_US / days.SECOND, **later)
        books.record(interaction("2026-10-31", "16"), interaction("2026-11-01", "32"))
        assert books.export().finished
        check_truth(books)

    meanwhile(monkeypatch, another, nth)
    assert not books.export().finished
    check_truth(books)
    assert books.export() == RevenueResult((), finished=True)


# -- pulse check


def key_of(books: Books) -> str:
    """Of the object that acme's record names for the year."""
    acme = Tenants(books.settings.table).get("acme")
    assert acme
    (part,) = acme.table("interactions").years[2026].parts
    return lake.part_key(lake.INTERACTIONS, "acme", 2026, part.run, CUBE)


def test_the_check_tells_sound_from_waiting_from_wrong(closed: Books) -> None:
    def check() -> tuple[str, str]:
        result = finance_equals_reports(closed.settings)
        return result.state, result.detail

    closed.record(interaction("2026-10-31", "7"))
    assert check() == (
        "waiting",
        "0 months compared, 0 differ, 1 tenant-years wait for their export",
    )
    closed.export()
    assert check() == (
        "ok",
        "2 months compared, 0 differ, 0 tenant-years wait for their export",
    )
    # the reports move on, and the record says that finance has them already
    before = Objects("lake").get(key_of(closed))
    closed.record(interaction("2026-10-31", "-1", "JPY"))
    key = key_of(closed)
    moved = Objects("lake").get(key)
    closed.export()
    Objects("lake").put(key, before)
    (row,) = finance_equals_reports(closed.settings).rows
    assert row == {
        "tenant": "acme",
        "month": "2026-10",
        "fault": "1 rows differ",
        "missing": {"JPY": "1.0000"},
    }
    Objects("lake").put(key, moved)
    closed.spoil("revenue.parquet", "2026-11")
    result = finance_equals_reports(closed.settings)
    assert not result.ok
    assert "revenue.parquet is not what its manifest says" in result.rows[0]["fault"]
