"""Everything that is stored uses a Parquet codec that pyarrow on Lambda has."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from pyarrow import parquet

from local.layer_codecs import CODECS
from pulse import days
from pulse.store.clients import client
from pulse.tenants.rules import Rule
from tests.driver import Driver, running

pytestmark = pytest.mark.only_whole

MAGIC = b"PAR1"
TODAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PAST = date(2026, 11, 2)


@pytest.fixture
def pulse() -> Iterator[Driver]:
    with days.clock(lambda: TODAY), running() as driver:
        driver.tenant("acme")
        driver.survey("acme", "email", Rule.make("nps", 0, 10))
        yield driver


def stored(pulse: Driver) -> dict[str, bytes]:
    """Every Parquet object of the lake and of finance's bucket, by its key."""
    s3 = client("s3")
    found = {}
    for bucket in (pulse.settings.lake_bucket, pulse.finance_settings.finance_bucket):
        for one in s3.list_objects_v2(Bucket=bucket).get("Contents", ()):
            body = s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
            if body[:4] == MAGIC:
                found[one["Key"]] = body
    return found


def codecs(body: bytes) -> set[str]:
    """Those of an object's columns."""
    told = parquet.ParquetFile(pa.BufferReader(body)).metadata
    groups = [told.row_group(number) for number in range(told.num_row_groups)]
    return {
        group.column(n).compression.lower() for group in groups for n in range(told.num_columns)
    }


def test_whatever_is_stored_can_be_read_on_lambda(pulse: Driver) -> None:
    at = f"{PAST}T10:00:00Z"
    score = {"survey_id": "email", "score": 9, "answered_at": at, "comment": "fine"}
    call = {"media_type": "voice", "entered_at": at, "finished_at": f"{PAST}T10:05:00Z"}
    revenue = {"amount": "19.90", "currency": "EUR"}
    shift = {"agent_id": "a1", "media_type": "voice", "day": f"{PAST}"}
    work = {"active_seconds": 60, "engaged_seconds": 30}
    for number in range(8):  # each in an object of its own, so many that they are compacted
        pulse.post("acme", [{**score, "response_id": f"r{number}"}])
        pulse.post_interactions(
            "acme", [{**call, "interaction_id": f"i{number}", "revenue": revenue}]
        )
        pulse.post_sessions("acme", [{"session_id": f"s{number}", **shift, **work}])
        assert pulse.write() == []
    pulse.build()
    pulse.export_revenue()
    assert pulse.compact().compacted
    for stream in ("responses", "interactions"):
        day = {"start_date": f"{PAST}", "end_date": f"{PAST}"}
        assert pulse.export("acme", stream=stream, format="parquet", **day)["state"] == "done"
    found = stored(pulse)
    prefixes = {key.split("/")[0] for key in found}
    assert {"raw", "daily", "reports", "exports"} <= prefixes
    assert any("revenue" in key for key in found)
    assert {key: codecs(body) for key, body in found.items() if not codecs(body) <= CODECS} == {}
