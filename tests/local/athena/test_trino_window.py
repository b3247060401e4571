"""What Trino can read of moto, and that others cannot read it."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.athena.trino_window import Window, window
from pulse import days
from tests.local.athena.conftest import ACCESS_KEY, REGION, SESSION, Lake
from tests.local.athena.test_permissions import judge_every_call

NOW = dt.datetime(2028, 2, 29, 23, 59, 59, tzinfo=dt.UTC)


@pytest.fixture
def shown(lake: Lake) -> Iterator[Window]:
    """A window on the lake."""
    with window() as made:
        yield made


def through(shown: Window, service: str, **credentials: str) -> Any:
    session: Any = SESSION
    given = {
        "aws_access_key_id": shown.access_key,
        "aws_secret_access_key": shown.secret_key,
    } | credentials
    return session.client(service, region_name=REGION, endpoint_url=shown.url, **given)


def test_it_shows_everything_though_every_call_is_judged(
    lake: Lake, shown: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.table("t", {"n": "bigint"})
    lake.s3.put_object(Bucket="lake", Key="t/a", Body=b"abc")
    judge_every_call(monkeypatch)
    s3, glue = through(shown, "s3"), through(shown, "glue")
    assert s3.get_object(Bucket="lake", Key="t/a")["Body"].read() == b"abc"
    assert s3.head_object(Bucket="lake", Key="t/a")["ContentLength"] == 3
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="lake")["Contents"]] == ["t/a"]
    assert glue.get_table(DatabaseName="db", Name="t")["Table"]["Name"] == "t"
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket="lake", Key="t/b")


def test_a_call_from_elsewhere_is_judged_as_before(
    lake: Lake, shown: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    with window() as another:
        through(another, "s3").list_buckets()
    through(shown, "s3").list_buckets()
    judge_every_call(monkeypatch)
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        lake.s3.list_buckets()


def test_no_other_key_opens_it(shown: Window) -> None:
    with pytest.raises(ClientError, match="403"):
        through(shown, "s3", aws_access_key_id=ACCESS_KEY).list_buckets()


def test_the_now_of_a_projection_is_the_day_of_our_clock(lake: Lake, shown: Window) -> None:
    properties = {
        "projection.enabled": "true",
        "projection.dt.type": "date",
        "projection.dt.range": "1990-01-01,NOW+2DAYS",
        "projection.dt.format": "yyyy-MM-dd",
        "projection.month.type": "date",
        "projection.month.format": "yyyy-MM",
        "projection.month.range": "2020-01,NOW",
        "projection.old.format": "yyyy-MM-dd",
        "projection.old.range": "NOW-3YEARS,NOW",
        "projection.n.type": "integer",
        "projection.n.range": "1,3",
        "comment": "NOW and then",
    }
    lake.table("t", {"a": "bigint"}, {"dt": "string", "n": "int"}, properties)
    lake.table("plain", {"a": "bigint"})
    glue = through(shown, "glue")
    expected = properties | {
        "projection.dt.range": "1990-01-01,2028-03-02",
        "projection.old.range": "NOW-3YEARS,2028-02-29",
    }
    with days.clock(lambda: NOW):
        assert glue.get_table(DatabaseName="db", Name="t")["Table"]["Parameters"] == expected
        told = glue.get_tables(DatabaseName="db")["TableList"]
    assert {table["Name"]: table.get("Parameters") or {} for table in told} == {
        "t": expected,
        "plain": {},
    }
    ours = lake.glue.get_table(DatabaseName="db", Name="t")["Table"]["Parameters"]
    assert ours == properties
