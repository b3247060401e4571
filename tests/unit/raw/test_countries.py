"""Countries of addresses, from databases that the tests write."""

from pathlib import Path

import pytest

from pulse.errors import SettingsError
from pulse.observe import metrics
from pulse.raw.countries import Countries
from tests.unit.raw.mmdb import database

NESTED = {
    "203.0.113.0/24": {"country": {"iso_code": "DE"}, "registered_country": {"iso_code": "US"}},
    "2001:db8::/32": {"country": {"iso_code": "FR"}},
    "198.51.100.0/24": {"registered_country": {"iso_code": "US"}},
    "192.0.2.0/24": {"country": {"iso_code": ["DE"]}},
    "10.0.0.0/8": "only a text",
}
FLAT = {"203.0.113.0/24": {"country_code": "de"}, "2001:db8::/32": {"country_code": ""}}


def countries(content: bytes) -> Countries:
    return Countries.from_bytes(content, "test.mmdb")


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("203.0.113.7", "DE"),
        ("::ffff:203.0.113.7", "DE"),
        ("::ffff:cb00:7107", "DE"),
        ("2001:db8::7", "FR"),
        ("198.51.100.1", None),  # where the network's owner sits is not where its user is
        ("192.0.2.1", None),
        ("10.1.2.3", None),
        ("8.8.8.8", None),
        ("2001:4860::8888", None),
        ("", None),
        (None, None),
        ("not an address", None),
        ("203.0.113.7:443", None),
    ],
)
def test_the_country_of_an_address(address: str | None, country: str | None) -> None:
    assert countries(database(NESTED)).of(address) == country


def test_the_flat_layout_is_read_too() -> None:
    flat = countries(database(FLAT))
    assert flat.of("::ffff:203.0.113.7") == "DE"
    assert flat.of("2001:db8::7") is None


def test_a_database_of_ipv4_alone_does_not_know_ipv6() -> None:
    ipv4 = countries(database({"203.0.113.0/24": {"country_code": "DE"}}, ip_version=4))
    assert ipv4.of("203.0.113.7") == "DE"
    assert ipv4.of("::ffff:203.0.113.7") == "DE"
    assert ipv4.of("2001:db8::7") is None


def test_a_database_without_ipv4_knows_no_ipv4() -> None:
    ipv6 = countries(database({"2001:db8::/32": {"country_code": "FR"}}))
    assert ipv6.of("203.0.113.7") is None
    assert ipv6.of("2001:db8::7") == "FR"


def test_a_record_that_cannot_be_read_is_counted_and_gives_none() -> None:
    content = database(NESTED)
    broken = countries(content.replace(b"\x47country\xe1", b"\x47country\x00"))
    metrics.clear_metrics()
    assert broken.of("203.0.113.7") is None
    assert metrics.metric_set["CountryLookupsFailed"]["Value"] == [1.0]
    metrics.clear_metrics()


@pytest.mark.parametrize("content", [b"", b"not a database", database(NESTED)[:-200]])
def test_a_file_that_is_no_database_is_an_error_that_names_it(content: bytes) -> None:
    with pytest.raises(SettingsError, match=r"test\.mmdb"):
        countries(content)


def test_the_built_in_database_is_found_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.path", ["", str(tmp_path / "none"), str(tmp_path)])
    with pytest.raises(SettingsError, match=r"country\.mmdb"):
        Countries.built_in()
    (tmp_path / "country.mmdb").write_bytes(database(FLAT))
    assert Countries.built_in().of("203.0.113.7") == "DE"


def test_the_database_that_set_up_fetches_knows_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Path(__file__).parents[3] / "layers" / "enrich"
    if not (layer / "country.mmdb").exists():
        pytest.skip("set-up has not fetched the country database")
    monkeypatch.syspath_prepend(layer)
    built_in = Countries.built_in()
    known = {"8.8.8.8": "US", "2001:4860:4860::8888": "US", "::ffff:193.99.144.80": "DE"}
    assert {address: built_in.of(address) for address in known} == known
