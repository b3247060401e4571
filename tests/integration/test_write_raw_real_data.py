"""Real User-Agents and MaxMind's test databases, and the stored rows that they lead to.

Needs PULSE_REAL_DATA, a folder with uap-core's test_ua.yaml and test_os.yaml (as
uap_core_test_*.yaml) and MaxMind-DB's test-data and source-data.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from moto import mock_aws
from pyarrow.parquet import ParquetFile

from pulse.observe import metrics
from pulse.raw.countries import Countries
from pulse.raw.write import WriteRaw
from pulse.settings import WriteRawSettings
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.tenant import Tenant
from tests.account import make_bucket, make_table

FOLDER = Path(os.environ.get("PULSE_REAL_DATA", "none"))
T0 = 1_795_262_400_000_000  # 2026-11-21T12:00:00Z, where the clock stands
SETTINGS = WriteRawSettings("pulse", "0", "lake", "config/country.mmdb", "pulse.pulse")

pytestmark = [
    pytest.mark.skipif(not FOLDER.is_dir(), reason="PULSE_REAL_DATA names no folder"),
    pytest.mark.usefixtures("noon"),
]


@pytest.fixture
def lake_objects() -> Iterator[Objects]:
    """A lake with MaxMind's city test database, beside a table with one tenant."""
    with mock_aws():
        make_table()
        make_bucket()
        Tenants("pulse").create(Tenant("demo", "Demo"))
        objects = Objects("lake")
        use(objects, "GeoIP2-City-Test.mmdb")
        yield objects


def use(objects: Objects, name: str) -> None:
    """Let write_raw have another country database."""
    objects.put(SETTINGS.country_database, (FOLDER / name).read_bytes())


def stored(objects: Objects, messages: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The rows that write_raw stores of the messages, by response_id."""
    metrics.clear_metrics()
    assert WriteRaw.from_settings(SETTINGS).write(messages) == []
    rows = [
        row
        for key in objects.keys("raw/")
        for row in ParquetFile(pa.BufferReader(objects.get(key))).read().to_pylist()
    ]
    metrics.clear_metrics()
    assert not list(objects.keys("quarantine/"))
    return {row["response_id"]: row for row in rows}


def message(kind: str, *items: Mapping[str, Any], ip: str = "", **envelope: Any) -> dict[str, Any]:
    body = {
        "v": 1,
        "stream": "responses",
        "tenant": "demo",
        "key_kind": kind,
        "received_us": T0,
        "request_id": "id",
        "items": [
            {
                "survey": "checkout",
                "metric": "csat",
                "scale": "1-5",
                "answered_us": T0,
                "score": 5,
                "channel": "external",
                **item,
            }
            for item in items
        ],
        "user_agent": None,
        **envelope,
    }
    attributes = {"client_ip": {"stringValue": ip, "dataType": "String"}} if ip else {}
    return {"messageId": f"m{ip}", "body": json.dumps(body), "messageAttributes": attributes}


# -- user agents


@pytest.mark.parametrize(("file", "column"), [("ua", "browser"), ("os", "os")])
def test_every_user_agent_of_uap_core_has_the_family_that_its_file_says(
    lake_objects: Objects, file: str, column: str
) -> None:
    text = (FOLDER / f"uap_core_test_{file}.yaml").read_text()
    cases = yaml.safe_load(text)["test_cases"]
    expected = {str(n): case["family"] for n, case in enumerate(cases)}
    items = [
        {"response_id": str(n), "user_agent": case["user_agent_string"]}
        for n, case in enumerate(cases)
    ]

    rows = stored(lake_objects, [message("secret", *items)])

    assert len(expected) > 400
    assert {name: row[column] for name, row in rows.items()} == expected


def test_a_pages_user_agents_come_out_like_a_servers(lake_objects: Objects) -> None:
    cases = yaml.safe_load((FOLDER / "uap_core_test_ua.yaml").read_text())["test_cases"][::40]
    messages = [
        message("publishable", {"response_id": str(n)}, user_agent=case["user_agent_string"])
        for n, case in enumerate(cases)
    ]
    rows = stored(lake_objects, messages)
    assert [rows[str(n)]["browser"] for n in range(len(cases))] == [c["family"] for c in cases]


# -- countries


def networks() -> dict[str, str | None]:
    """First address → country of every network of the city database's source.

    Four records have no country: an anycast one, and three that know their continent alone.
    """
    listed = json.loads((FOLDER / "GeoIP2-City-Test.json").read_text())
    return {
        first_address(network): record.get("country", {}).get("iso_code")
        for entry in listed
        for network, record in entry.items()
    }


def first_address(network: str) -> str:
    """As customers have it: the source writes most of IPv4 as ::a.b.c.d."""
    first = ip_network(network).network_address
    return str(IPv4Address(int(first)) if int(first) < 2**32 else first)


def test_every_network_of_maxminds_source_has_its_country_whoever_names_the_address(
    lake_objects: Objects,
) -> None:
    expected = networks()
    assert len(expected) == 250
    assert sum("." in address for address in expected) == 20
    assert list(expected.values()).count(None) == 4
    page = [
        message("publishable", {"response_id": f"page-{address}"}, ip=address)
        for address in expected
    ]
    items = [{"response_id": f"server-{address}", "ip": address} for address in expected]

    rows = stored(lake_objects, [*page, message("secret", *items)])

    for address, country in expected.items():
        assert rows[f"page-{address}"]["country"] == country, address
        assert rows[f"server-{address}"]["country"] == country, address


def test_an_ipv4_address_that_is_written_as_ipv6_has_its_country(lake_objects: Objects) -> None:
    ipv4 = {address: country for address, country in networks().items() if "." in address}
    items = [
        {"response_id": address, "ip": str(IPv6Address(f"::ffff:{address}"))} for address in ipv4
    ]
    rows = stored(lake_objects, [message("secret", *items)])
    assert {address: rows[address]["country"] for address in ipv4} == ipv4


@pytest.mark.parametrize("name", ["GeoIP2-Country-Test.mmdb", "GeoLite2-Country-Test.mmdb"])
def test_the_country_databases_are_read_too(lake_objects: Objects, name: str) -> None:
    use(lake_objects, name)
    items = [{"response_id": ip, "ip": ip} for ip in ("2.125.160.216", "2001:218::1", "10.0.0.1")]
    rows = stored(lake_objects, [message("secret", *items)])
    assert [rows[item["ip"]]["country"] for item in items] == ["GB", "JP", None]


def test_a_database_without_an_ipv4_tree_knows_no_country(lake_objects: Objects) -> None:
    use(lake_objects, "MaxMind-DB-no-ipv4-search-tree.mmdb")
    items = [{"response_id": ip, "ip": ip} for ip in ("2.125.160.216", "::1", "2001:218::1")]
    rows = stored(lake_objects, [message("secret", *items)])
    assert {row["country"] for row in rows.values()} == {None}


def test_a_database_with_broken_records_loses_no_response(lake_objects: Objects) -> None:
    use(lake_objects, "GeoIP2-City-Test-Broken-Double-Format.mmdb")
    items = [{"response_id": ip, "ip": ip} for ip in ("2.125.160.216", "2001:218::1")]
    rows = stored(lake_objects, [message("secret", *items)])
    assert [row["country"] for row in rows.values()] == [None, None]

    content = (FOLDER / "GeoIP2-City-Test-Broken-Double-Format.mmdb").read_bytes()
    assert Countries.from_bytes(content, "broken").of("2.125.160.216") is None
    assert metrics.metric_set["CountryLookupsFailed"]["Value"] == [1.0]
    metrics.clear_metrics()
