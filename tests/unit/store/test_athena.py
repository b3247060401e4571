"""Statements share a session of boto3, and none is longer than Athena accepts."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import awswrangler as wr
import boto3
import pytest

from pulse import days, lake, sql
from pulse.daily.statement_days import batches, day_parameters
from pulse.erasure.search import parts
from pulse.errors import AthenaError
from pulse.export_orders import FILTERS
from pulse.exports.orders import BODY_LIMIT
from pulse.exports.request import read_request
from pulse.exports.write import filter_parameters
from pulse.store.athena import Athena, statement_text
from pulse.tenant_years.comparing import MOST_PLACES, pair
from pulse.tenant_years.publishing import MOST_NAMED
from pulse.tenants.tenant import Tenant
from pulse.tombstones import identity_hash, prefix

ATHENA_TAKES = 262_144
"""Bytes of UTF-8, https://docs.aws.amazon.com/athena/latest/ug/service-limits.html"""
UNLOAD_ADDS = 2_048
TENANT = "t" * 63
"""No tenant's id is longer."""


def test_awswrangler_does_not_make_a_session_for_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert wr._utils.ensure_session() is not wr._utils.ensure_session()
    Athena("database", "workgroup")
    assert wr._utils.ensure_session() is wr._utils.ensure_session()


def test_a_statement_is_as_long_as_its_bytes_with_the_values_in_it() -> None:
    fits = "SELECT :name AS a".replace(":name", f"'{'ä' * ((ATHENA_TAKES - 18) // 2)}'")
    room = ATHENA_TAKES - len(fits.encode())
    assert statement_text(fits + " " * room, {}) == fits + " " * room
    with pytest.raises(AthenaError, match="262,145 bytes"):
        statement_text(fits + " " * (room + 1), {})
    with pytest.raises(AthenaError, match="'SELECT :name AS a'"):
        statement_text("SELECT :name AS a", {"name": "x" * ATHENA_TAKES})


@pytest.mark.parametrize("ask", ["rows", "unload"])
def test_what_is_too_long_is_not_sent(monkeypatch: pytest.MonkeyPatch, ask: str) -> None:
    def send(**given: Any) -> str:
        raise AssertionError("it was sent")

    monkeypatch.setattr(wr.athena, "start_query_execution", send)
    more: dict[str, Any] = {"target": "s3://lake/x/", "partition": "dt"} if ask == "unload" else {}
    with pytest.raises(AthenaError, match="fewer values"):
        getattr(Athena("database", "workgroup"), ask)(
            "SELECT :names AS a", {"names": ["x" * 60] * 5_000}, remaining_s=lambda: 0, **more
        )


def filters(stream: str, text: str) -> dict[str, Any]:
    """What an export's statement is given, where its order names as many values as it may."""
    members = {"stream": stream, "start_date": "2026-01-01", "end_date": "2026-12-31"}
    request = read_request(
        members | {FILTERS[stream][-1 if stream == "interactions" else 4]: text},
        Tenant("acme", "Acme"),
    )
    return dict(filter_parameters(request))


def most_filters(stream: str) -> list[dict[str, Any]]:
    """Orders that are as large as a body may be: of many short values, and of one that doubles."""
    room = BODY_LIMIT - 200
    short = ",".join(chr(letter) for letter in range(0x4E00, 0x4E00 + room // 4))
    return [filters(stream, short), filters(stream, "'" * room)]


def most() -> dict[str, list[dict[str, Any]]]:
    """The longest lists that statements are given, by the folder or file that takes them."""
    hashes = [identity_hash("customer", TENANT, str(number)) for number in range(5_000)]
    every_day = [days.FIRST_DAY + timedelta(days=number) for number in range(1_000)]
    prefixes = {f"{k}_prefix": prefix(k, TENANT) for k in ("customer", "interaction", "response")}
    common = {
        **prefixes,
        **day_parameters(next(batches(every_day))),
        "answered": [str(day) for day in every_day[:100]],
        "link_us": 35 * days.DAY,
        "hashes": next(parts(hashes)),
        "customers": ["😀" * 128] * 98,  # one name in all its codings
        "tenants": [TENANT] * MOST_NAMED,
        "everybody": False,
        "runs": [lake.ulid()] * MOST_PLACES,
        "pairs": [pair(lake.ulid(), days.FIRST_DAY)] * MOST_PLACES,
        "newest": [pair(lake.ulid(), days.FIRST_DAY)] * 366,
        "compared": MOST_PLACES,
        "without": [str(days.FIRST_DAY)] * 10_000,
        "tenant": TENANT,
        "customer": hashes[0],
        "key_id": "0" * 12,
        "run": lake.ulid(),
        **dict.fromkeys(
            ("from_us", "to_us", "width_us", "received_us", "public_values"), (1 << 63) - 1
        ),
    }
    assert len(common["days"]) == 100
    return {
        "": [common],
        **{
            f"daily/{linked}": [common | {"days": [str(day) for day in every_day[:282]]}]
            for linked in ("experience", "comments")
        },
        **{f"exports/{s}": [common | more for more in most_filters(s)] for s in FILTERS},
    }


@pytest.mark.parametrize(
    "name",
    sorted(
        f"{file.parent.name}/{file.stem}"
        for file in Path(sql.__path__[0]).glob("*/*.sql")
        if file.parent.name != "counted"  # parts of others
    ),
)
def test_every_statement_fits_with_the_most_that_it_may_be_given(name: str) -> None:
    given = most()
    for params in given.get(name, given[""]):
        text = statement_text(*sql.spread(sql.statement(*name.split("/")), params, "runs"))
        assert len(text.encode()) <= ATHENA_TAKES - UNLOAD_ADDS
        assert not re.search(r"(?<!:):[a-z]\w*", re.sub("'[^']*'", "", text)), "a value is missing"
