"""This version and those before and after it read what each of them writes (decision 0036)."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from moto import mock_aws
from pyarrow.parquet import ParquetFile, write_table

from pulse import days, formats, lake
from pulse.comments.month import Month
from pulse.days import DateRange
from pulse.errors import ConflictError, NewerFormatError
from pulse.formats import Format
from pulse.ingest.message import Message
from pulse.raw import parquet
from pulse.raw.rows import Origin, row_of
from pulse.reports import tenant_year
from pulse.reports.rollups import ROLLUPS
from pulse.serve import parquet as reports
from pulse.store.clients import client
from pulse.store.erasures import Erasures
from pulse.store.ledger import Ledger
from pulse.store.records import Records, _item
from pulse.store.tenants import Tenants
from pulse.streams import STREAMS
from pulse.tenants.rules import Rule
from pulse.tenants.tenant import CUBE, Part, Tenant, YearState
from pulse.tombstones import customer_hash
from tests import format_samples as samples
from tests.account import make_table
from tests.report_parts import by_key

PRESENT = {
    "message": formats.MESSAGE,
    "raw": formats.RAW,
    "report": formats.REPORT,
    "comments": formats.COMMENTS,
    "quarantine": formats.QUARANTINE,
    "table": formats.TABLE,
}
CHANGED = """
What Pulse writes has changed. If the number {number} of the format {name!r} has been released,
raise it in shared/pulse/formats.py. Then `python -m tests.format_samples` writes examples of it
into tests/formats/{name}/. docs/decisions/0036 says what another version has to be able to read."""


def written(name: str) -> list[Any]:
    """The folders of a format's numbers."""
    folders = sorted((samples.FOLDER / name).iterdir(), key=lambda folder: int(folder.name))
    return [pytest.param(folder, id=f"{name} {folder.name}") for folder in folders]


# -- nothing that is written changes without a number


@pytest.mark.parametrize("name", PRESENT)
def test_what_is_written_is_what_lies_under_its_number(name: str) -> None:
    number = PRESENT[name].number
    folder = samples.FOLDER / name / str(number)
    complaint = CHANGED.format(name=name, number=number)
    made = samples.MADE[name]()
    assert folder.is_dir(), complaint
    assert {file.name for file in folder.iterdir()} == made.keys(), complaint
    for file_name, body in made.items():
        kept = (folder / file_name).read_bytes()
        assert samples.content(body) == samples.content(kept), complaint


def test_examples_that_say_the_same_stay_byte_by_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are how a release wrote them, though this one may encode them otherwise."""
    copied = shutil.copytree(samples.FOLDER, tmp_path / "formats")
    missing = copied / "comments" / str(PRESENT["comments"].number) / "month.parquet"
    missing.unlink()
    monkeypatch.setattr(samples, "FOLDER", copied)
    samples.write({name: present.number for name, present in PRESENT.items()})
    original = Path(samples.__file__).parent / "formats"
    for file in original.rglob("*.*"):
        again = copied / file.relative_to(original)
        if again == missing:
            assert samples.content(again.read_bytes()) == samples.content(file.read_bytes())
        else:
            assert again.read_bytes() == file.read_bytes(), file


def test_the_examples_leave_nothing_out() -> None:
    assert samples.left_out() == []


@pytest.mark.parametrize("name", PRESENT)
def test_every_number_has_its_examples(name: str) -> None:
    numbers = {int(folder.name) for folder in (samples.FOLDER / name).iterdir()}
    assert numbers == {*range(1, PRESENT[name].number + 1)}


@pytest.mark.parametrize("name", PRESENT)
def test_the_version_before_can_read_what_this_one_writes(name: str) -> None:
    """If this version wrote what only itself can read, there would be nothing to roll back to."""
    assert PRESENT[name].reader < max(2, PRESENT[name].number)


# -- what was ever written is read


@pytest.mark.parametrize("folder", written("message"))
def test_messages(folder: Path) -> None:
    for stream, event in samples.EVENTS.items():
        message = Message.decode((folder / f"{stream}.json").read_text())
        assert (message.stream, message.tenant, message.received_us) == (
            stream,
            "acme",
            samples.NOON_US,
        )
        given = event
        if int(folder.name) < 3:  # these came with 3
            later = ("_by_day", "synchronous", "linkable", *lake.TAG_SLOTS)
            given = {name: value for name, value in given.items() if not name.endswith(later)}
        assert message.items == (given,)
        origin = Origin(message, "203.0.113.7", "UTC")
        with days.clock(lambda: samples.NOON):
            day, row = row_of(message.items[0], 0, origin, samples.COUNTRIES)
        assert day == samples.DAY
        assert row.keys() == STREAMS[stream].columns.keys()


@pytest.mark.parametrize("folder", written("raw"))
def test_raw_objects(folder: Path) -> None:
    for dataset in lake.DATASETS:
        body = (folder / f"{dataset.stream}.parquet").read_bytes()
        rows = parquet.decode(body, dataset.raw_columns)
        assert rows.column_names == [*dataset.raw_columns]
        assert rows["tenant"].to_pylist() == ["acme"]
        assert rows["received_us"].to_pylist() == [samples.NOON_US]
        again = parquet.encode_table(parquet.joined([rows, rows]))
        assert parquet.decode(again, dataset.raw_columns).num_rows == 2


def counts_of(folder: Path, dataset: lake.Dataset) -> list[int]:
    """The sums of the examples' two rows, money in 1/10000."""
    counts = dict(zip(dataset.measures, range(1, 100), strict=False))
    if int(folder.name) < 3 and dataset is lake.INTERACTIONS:  # then every time was known
        timed = {"accept_timed": 3, "first_response_timed": 4, "finish_timed": 14}
        counts |= timed | {"handle_timed": 15, "satisfaction": 22, "revenue": 23}
    money = {"satisfaction", "revenue"}
    return [2 * count * (10_000 if name in money else 1) for name, count in counts.items()]


@pytest.mark.parametrize("folder", written("report"))
@pytest.mark.parametrize("dataset", lake.DATASETS, ids=lambda dataset: dataset.name)
def test_report_objects(dataset: lake.Dataset, folder: Path) -> None:
    read = [(f"{dataset.name}.parquet", ROLLUPS[dataset.name][0], samples.DAY)]
    if int(folder.name) > 3:  # from there on a year has roll-ups
        month = samples.DAY.replace(day=1)
        read.append((f"{dataset.name}-roll-up.parquet", samples.roll_up(dataset), month))
    for file_name, rollup, day in read:
        body = (folder / file_name).read_bytes()
        block = reports.read(body, dataset, rollup)
        first, second = dataset.dimensions[:2]
        (key,), (sums,) = zip(*by_key(block.group([day], {}, (first, second))).items(), strict=True)
        expected = {"metric": "csat", "scale": "1-5"}
        assert key == tuple(expected.get(name, f"{name} 1") for name in (first, second))
        assert sums == counts_of(folder, dataset)
        rows = tenant_year.read(dataset, rollup, [body])  # as a build reads it that folds it
        assert rows.schema == tenant_year.schema(dataset, rollup)
        money = [name for name in dataset.measures if name in ("satisfaction", "revenue")]
        told = {name: sum(n or 0 for n in rows[name].to_pylist()) for name in dataset.measures}
        told |= {name: told[name] * 10_000 for name in money}
        assert [*told.values()] == counts_of(folder, dataset)


@pytest.mark.parametrize("folder", written("comments"))
def test_months_of_comments(folder: Path) -> None:
    month = Month.decode((folder / "month.parquet").read_bytes())
    assert month.as_of_us == {samples.DAY: samples.NOON_US}
    full, bare = month.rows.to_pylist()
    assert (full["comment"], full["agent"], full["score"]) == ("naïve 😀", "A-7", 4)
    assert full["tags"] == [("floor", "2"), ("shop", "Graz")]
    assert (bare["comment"], bare["agent"], bare["tags"]) == ("naïve 😀", None, None)
    linked = ("handled_by 1", "in_time", "0-10s") if int(folder.name) > 1 else (None,) * 3
    assert (full["handled_by"], full["accept"], full["wait"]) == linked
    assert {bare[name] for name in lake.COMMENT_EXPERIENCE} == {None}


@pytest.fixture
def table() -> Iterator[str]:
    with mock_aws():
        yield make_table()


@pytest.mark.parametrize("more", [{}, {"mood": "calm", "since": [1, {"a": True}]}])
@pytest.mark.parametrize("folder", written("table"))
def test_records(folder: Path, more: dict[str, Any], table: str) -> None:
    """Newer versions may have added members to the records."""
    for record in json.loads((folder / "records.json").read_text()):
        client("dynamodb").put_item(TableName=table, Item=_item(more | record))
    tenants = Tenants(table)
    (tenant,) = tenants.all()
    assert (tenant.id, tenant.timezone) == ("acme", "Europe/Berlin")
    assert tenant.thresholds == {"voice.accept": ((samples.DAY, 20),)}
    if int(folder.name) > 2:
        told = {"shop": ((samples.DAY, True), (samples.DAY + days.ONE_DAY, False))}
        assert tenant.dimensions == told | {"floor": ((samples.DAY, True),)}
        assert [*tenant.dimensions] == ["shop", "floor"]
    state = tenant.table("scores").years[2026]
    if int(folder.name) < 3:  # one object held the year
        whole = Part("", frozenset(DateRange(date(2026, 1, 1), date(2026, 12, 31))), {CUBE: 0})
        assert state == YearState((whole,), "built from this", samples.NOON_US, samples.DAY, 0)
    else:
        assert state == samples.YEAR
    built = replace(state, parts=samples.YEAR.parts, revision=state.revision + 1)
    tenants.set_year("acme", "scores", 2026, built, before=state)
    with pytest.raises(ConflictError):
        tenants.set_year("acme", "scores", 2026, built, before=state)
    (tenant,) = tenants.all()
    assert tenant.table("scores").years == {2026: built}
    survey = tenants.survey("acme", "checkout")
    assert survey is not None
    assert survey.current_rule == Rule.make("csat", 1, 5, good=5)
    assert (survey.display.event, survey.display.again_days) == ("paid", 7)
    (key,) = tenants.keys("acme")
    assert (key.kind, key.surveys) == ("report", ("checkout",))
    entry = Ledger(table).entries("responses")[samples.DAY]
    assert (entry.version, entry.claimed_run, entry.compacted_version) == (1, "01RUN", 1)
    row = {"tenant": "acme", "customer": "C-1042", "received_us": samples.NOON_US}
    assert Erasures(table).tombstones().cover("responses", row, samples.DAY)
    assert customer_hash("acme", "C-1042")


FORMER = {"built_from": "of a former version", "as_of_us": 5, "first_day": None, "published": True}


def of_year(record: Mapping[str, Any]) -> set[str]:
    return {name for name in record if name.startswith("scores.2026")}


def test_a_former_version_passes_over_a_year_of_parts_and_builds_it_itself(table: str) -> None:
    """A former version takes a name that ends in a dot and digits for one of its own states."""
    records = Records(table)
    tenants = Tenants(table)
    tenants.create(Tenant("acme", "Acme"))
    tenants.set_year("acme", "scores", 2026, samples.YEAR, before=None)
    assert of_year(records.get("TENANTS", "acme") or {}) == {"scores.2026.parts"}

    # it is taken back to, and builds the year
    attributes = {"#year": "scores.2026"}
    records.update("TENANTS", "acme", "SET #year = :y", names=attributes, values={":y": FORMER})
    later = replace(samples.YEAR, revision=samples.YEAR.revision + 1)
    with pytest.raises(ConflictError):  # of one that has not seen it
        tenants.set_year("acme", "scores", 2026, later, before=samples.YEAR)

    # and this version comes back
    (tenant,) = tenants.all()
    found = tenant.table("scores").years[2026]
    assert (found.content, found.revision) == ("of a former version", 0)
    tenants.set_year("acme", "scores", 2026, later, before=found)
    assert of_year(records.get("TENANTS", "acme") or {}) == {"scores.2026.parts"}
    (tenant,) = tenants.all()
    assert tenant.table("scores").years == {2026: later}


def test_a_year_that_a_former_version_has_begun_is_not_written_as_a_new_one(table: str) -> None:
    tenants = Tenants(table)
    tenants.create(Tenant("acme", "Acme"))
    attributes = {"#year": "scores.2026"}
    Records(table).update(
        "TENANTS", "acme", "SET #year = :y", names=attributes, values={":y": FORMER}
    )
    with pytest.raises(ConflictError):
        tenants.set_year("acme", "scores", 2026, samples.YEAR, before=None)


# -- what the next version writes


def of_the_next_version(body: bytes, reader: int) -> bytes:
    """A report object with a dimension and a measure more, and without another of each."""
    rows = ParquetFile(pa.BufferReader(body)).read()
    rows = rows.append_column("mood", pa.array(["calm"] * len(rows)))
    rows = rows.append_column("sighs", pa.array([3] * len(rows)))
    told = {"pulse.format": "9", "pulse.reader": f"{reader}"}
    sink = pa.BufferOutputStream()
    write_table(rows.drop_columns(["c7", "os"]).replace_schema_metadata(told), sink)
    return sink.getvalue().to_pybytes()


def test_a_report_object_may_have_columns_more_and_fewer() -> None:
    body = of_the_next_version(samples.report_objects()["scores.parquet"], reader=2)
    block = reports.read(body, lake.SCORES, ROLLUPS["scores"][0])
    ((key, sums),) = by_key(block.group(None, {}, ["os"])).items()
    assert sums == [2, 4, 6, 8, 10, 12, 14, 0, 18, 20, 22]
    assert key == (None,)


def test_a_report_object_that_would_be_misread_is_not_read() -> None:
    body = of_the_next_version(samples.report_objects()["scores.parquet"], reader=9)
    with pytest.raises(NewerFormatError, match="readers of format 9, this version knows 4"):
        reports.read(body, lake.SCORES, ROLLUPS["scores"][0])
    with pytest.raises(NewerFormatError):
        tenant_year.read(lake.SCORES, ROLLUPS["scores"][0], [body])


def test_an_object_that_tells_nothing_can_be_read() -> None:
    Format(1).check(None)
    Format(1).check({b"pandas": b"{}"})
    Format(2).check({b"pulse.reader": b"2"})
