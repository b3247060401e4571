"""Countries and their codes."""

import pytest

from pulse.iso3166 import COUNTRIES, country


def test_the_list_has_the_countries_of_iso_3166_and_kosovo() -> None:
    assert len(COUNTRIES) == 249 + 1  # ISO's own count of assigned codes


@pytest.mark.parametrize(
    ("code", "expected"),
    [("DE", "DE"), ("de", "DE"), ("GB", "GB"), ("UK", "GB"), ("uk", "GB"), ("XK", "XK"),
     ("EU", None), ("XX", None), ("T1", None), ("ZZ", None), ("AN", None), ("", None)],
)  # fmt: skip
def test_a_code_is_its_country_s_or_nobodys(code: str, expected: str | None) -> None:
    assert country(code) == expected
