"""Every test has a lake on moto with one tenant's years, and the clock stands at noon."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from functions.serve_reports import app
from pulse.store.tenants import Tenants
from pulse.tenants.tenant import Tenant
from tests.account import OPEN_TO_ALL, make_bucket, make_table
from tests.integration.serve_reports.calling import ANSWERS, KEYS, NOON_US, publish


@pytest.fixture(autouse=True)
def _at_noon(noon: object) -> None:
    """The clock stands where the sample events were made."""


@pytest.fixture(autouse=True)
def lake_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a bucket with one tenant's years, beside a table with tenants and keys."""
    with mock_aws():
        make_table()
        make_bucket()
        tenants = Tenants("pulse")
        tenants.create(Tenant("demo", "Demo", "Europe/Berlin"))
        tenants.create(Tenant("other", "Other"))
        for key in KEYS.values():
            tenants.add_key(key)
        tenants.revoke_key(KEYS["rk_revoked"].id, NOON_US - 1)
        publish(ANSWERS)
        monkeypatch.setenv("PULSE_TABLE", "pulse")
        monkeypatch.setenv("PULSE_LAKE_BUCKET", "lake")
        for name, value in OPEN_TO_ALL.items():
            monkeypatch.setenv(name, value)
        app.stage.cache_clear()
        yield "lake"
    app.stage.cache_clear()
