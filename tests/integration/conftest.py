"""Fixtures on the embedded Athena: moto alone reports success for any statement."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from awswrangler import _utils
from moto import mock_aws

from functions.ingest import app as ingest
from functions.write_raw import app as write_raw
from local.athena import install
from pulse import days
from pulse.cli.api import Api
from pulse.settings import ExportRevenueSettings
from pulse.store.clients import client
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.tenant import Tenant
from tests.account import OPEN_TO_ALL, make_bucket, make_table
from tests.books import Books
from tests.driver import Driver, running
from tests.eraser import World, start_anew
from tests.ingest_events import people
from tests.raw_messages import COUNTRIES
from tests.shell import Shell


@pytest.fixture(scope="session", autouse=True)
def _statements_really_run() -> None:
    install()


@pytest.fixture(scope="session", autouse=True)
def _awswrangler_makes_its_clients_once() -> Iterator[None]:
    """It makes one for every call, which takes half of the time of a build on moto."""
    real: Any = _utils.client
    made = cache(lambda service: real(service_name=service))

    def remembered(service_name: str, session: Any = None, **given: Any) -> Any:
        if session or given:
            return real(service_name=service_name, session=session, **given)
        return made(service_name)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_utils, "client", remembered)
        yield


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    """One deployment for the tests of a module."""
    with running() as driver:
        yield driver


@pytest.fixture
def shell(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The command on the module's deployment, its requests answered there."""
    driver.messages()  # what the test before has left
    driver.forget()
    monkeypatch.delenv("PULSE_KEY", raising=False)
    shell = Shell(driver)
    monkeypatch.setattr(Api, "_ask", lambda api, request: shell.answer(api, request))
    return shell


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """A file of six answers, two of them equal."""
    path = tmp_path / "nps.csv"
    path.write_text(
        "date,user,rating\n"
        "2026-03-02,u1,10\n"
        "2026-03-02,u1,10\n"
        "2026-03-02T09:00:00+01:00,u2,9\n"
        "2026-03-03 08:30,u3,7.0\n"
        '2026-03-03,"u,4",0\n'
        "2026-03-04,,10\n"
    )
    return path


@pytest.fixture
def world(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The module's stack with nothing in it but two tenants."""
    monkeypatch.setattr("pulse.store.queue._WAIT_S", 0)
    start_anew(driver)
    world = World(driver)
    with days.clock(lambda: world.now):
        yield world


@pytest.fixture
def books() -> Iterator[Books]:
    """Noon of 6 November 2026: October has ended and is still open for two days."""
    with mock_aws():
        settings = ExportRevenueSettings(
            make_table(), make_bucket(), make_bucket("finance"), "7", "pulse.pulse"
        )
        client("s3").put_bucket_versioning(
            Bucket="finance", VersioningConfiguration={"Status": "Enabled"}
        )
        books = Books(settings)
        with days.clock(lambda: books.now):
            books.tenant()
            yield books


@pytest.fixture
def queue(noon: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an empty queue, beside a table with one tenant, its surveys and keys.

    The clock stands where the sample events were made.
    """
    with mock_aws():
        make_table()
        url: str = client("sqs").create_queue(QueueName="pulse")["QueueUrl"]
        people(Tenants("pulse"))
        monkeypatch.setenv("PULSE_TABLE", "pulse")
        monkeypatch.setenv("PULSE_QUEUE_URL", url)
        for name, value in OPEN_TO_ALL.items():
            monkeypatch.setenv(name, value)
        ingest.stage.cache_clear()
        yield url
    ingest.stage.cache_clear()


@pytest.fixture
def lake_objects(monkeypatch: pytest.MonkeyPatch) -> Iterator[Objects]:
    """An empty lake beside a table with one tenant in Berlin."""
    with mock_aws():
        make_table()
        make_bucket()
        objects = Objects("lake")
        objects.put("config/test.mmdb", COUNTRIES)
        Tenants("pulse").create(Tenant("demo", "Demo", "Europe/Berlin"))
        monkeypatch.setenv("PULSE_TABLE", "pulse")
        monkeypatch.setenv("PULSE_LAKE_BUCKET", "lake")
        monkeypatch.setenv("PULSE_COUNTRY_DATABASE", "config/test.mmdb")
        monkeypatch.setenv("PULSE_RAW_RETENTION_DAYS", "0")
        monkeypatch.setenv("PULSE_EVENT_SOURCE", "pulse.pulse")
        write_raw.stage.cache_clear()
        yield objects
    write_raw.stage.cache_clear()
