"""What functions read from their environment."""

import pytest

from pulse.errors import SettingsError
from pulse.settings import BuildDailySettings


def build_daily(link_days: str, raw_retention_days: str) -> BuildDailySettings:
    names = ("table", "lake_bucket", "database", "workgroup", "event_source")
    others = dict.fromkeys((*names, "largest_tenant_rows", "public_values"), "1")
    given = others | {"link_days": link_days, "raw_retention_days": raw_retention_days}
    return BuildDailySettings.from_environment(
        {f"PULSE_{name.upper()}": value for name, value in given.items()}
    )


@pytest.mark.parametrize(
    ("given", "kept", "expected"),
    [
        ("35", "0", 35),  # for ever
        ("35", "400", 35),
        ("35", "70", 35),
        ("35", "69", 34),
        ("35", "35", 17),
        ("1", "35", 1),
    ],
)
def test_links_span_at_most_half_of_what_raw_keeps(given: str, kept: str, expected: int) -> None:
    assert build_daily(given, kept).most_link_days == expected


def test_a_number_of_days_that_is_none_is_named() -> None:
    with pytest.raises(SettingsError, match="PULSE_LINK_DAYS"):
        _ = build_daily("many", "0").most_link_days
