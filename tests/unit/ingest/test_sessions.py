"""Agent sessions of a request, read with one tenant in memory."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse import days, lake
from pulse.ingest.fields import RejectedError
from pulse.ingest.sessions import SessionReader
from pulse.streams import SESSIONS
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant
from tests.unit.ingest.memory import directory

NOW_US = 1_795_262_400_000_000  # 2026-11-21T12:00:00Z
KEY = Key("0" * 64, "secret", "bank", 0)
SESSION = {
    "session_id": "s-1",
    "agent_id": "a-1",
    "media_type": "chat",
    "day": "2026-11-20",
    "active_seconds": 3600,
    "engaged_seconds": 1800.5,
}


def reader(timezone: str = "UTC", now_us: int = NOW_US) -> SessionReader:
    return SessionReader(directory(Tenant("bank", "Bank", timezone)), KEY, "bank", now_us)


def test_a_session_is_kept_under_the_tables_names() -> None:
    session = reader().read(SESSION)
    assert session.values == {
        "session_id": "s-1",
        "agent": "a-1",
        "media_type": "chat",
        "day": "2026-11-20",
        "active_us": 3600000000,
        "engaged_us": 1800500000,
    }
    assert set(session.values) - {"day"} <= set(lake.SESSIONS.raw_columns)


@pytest.mark.parametrize(
    ("active", "engaged", "us"),
    [
        (0, 0, (0, 0)),
        (90_000, 90_000.0, (90_000_000_000, 90_000_000_000)),
        (0.1, "0.000001", (100_000, 1)),
        ("12.50", 12.5, (12_500_000, 12_500_000)),
    ],
)
def test_durations_are_exact_down_to_the_microsecond(
    active: object, engaged: object, us: tuple[int, int]
) -> None:
    session = reader().read(SESSION | {"active_seconds": active, "engaged_seconds": engaged})
    assert (session["active_us"], session["engaged_us"]) == us


@pytest.mark.parametrize(
    ("timezone", "latest"),
    [("UTC", "2026-11-21"), ("Pacific/Kiritimati", "2026-11-22"), ("Pacific/Pago_Pago", None)],
)
def test_the_latest_day_is_the_tenants_today(timezone: str, latest: str | None) -> None:
    early = days.parse_instant("2026-11-21T10:30:00Z")  # in Pago Pago it is still the 20th
    latest = latest or "2026-11-20"
    assert reader(timezone, early).read(SESSION | {"day": latest})["day"] == latest
    after = days.local_day(early, timezone) + days.ONE_DAY
    with pytest.raises(RejectedError) as caught:
        reader(timezone, early).read(SESSION | {"day": after.isoformat()})
    assert caught.value.fault.code == "day_in_future"


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(0, 100_000)
    | st.floats()
    | st.text()
    | st.sampled_from(["chat", "1990-01-01", "1989-12-31", "2026-W47-5", "20261120"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=3,
)


@given(VALUES | st.dictionaries(st.sampled_from([*SESSIONS.sent, "x"]), VALUES))
def test_any_json_is_a_session_or_rejected_with_a_code(item: Any) -> None:
    if isinstance(item, dict):
        item = SESSION | item
    try:
        session = reader().read(item)
    except RejectedError as error:
        assert error.fault.code
    else:
        json.dumps(session.values)
        assert 0 <= session["engaged_us"] <= session["active_us"] <= 90_000 * days.SECOND
