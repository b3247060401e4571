"""What every test stands on: a made-up AWS account and a clock that can be set."""

import atexit
import gc
import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from pulse import days

gc.disable()  # until all tests are imported: what is imported stays, and is searched for nothing

# Before any client is made: nothing here may ever reach a real account.
os.environ.update(
    AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE",  # pragma: allowlist secret
    AWS_SECRET_ACCESS_KEY="made-up",
    AWS_DEFAULT_REGION="eu-central-1",
    AWS_REGION="eu-central-1",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    AWS_EC2_METADATA_DISABLED="true",
    POWERTOOLS_METRICS_NAMESPACE="Pulse",
    POWERTOOLS_SERVICE_NAME="pulse",
)
for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
    os.environ.pop(name, None)

from local import dynamodb, layer_codecs, quick_moto  # noqa: E402
from local.athena import clock as athenas_clock  # noqa: E402
from pulse.observe import logger  # noqa: E402 - it reads the environment
from tests import drawing, sampling, signing  # noqa: E402
from tests.silence import Listener, leaks  # noqa: E402

drawing.install()
signing.install()
quick_moto.install()
dynamodb.install()
layer_codecs.install()
athenas_clock.follow(days.now)

LONGEST = (
    "tests/e2e/",
    "tests/integration/test_crash.py",
    "tests/integration/test_bench.py",
    "tests/integration/test_cli_import.py",
    "tests/integration/test_erase_at_work.py",
)
"""Half a minute each and more: begun last, one of them would keep one worker while others rest."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--whole` leaves no test and no case out."""
    parser.addoption("--whole", action="store_true", help="all tests, with all of their cases")


class ByDeployment(LoadScopeScheduling):  # type: ignore[misc]
    """Tests that share a deployment run in one worker: those of a file, and all in a browser."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "tests/e2e" if file.startswith("tests/e2e/") else file


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest come first, in the order above; all others as they were found.

    Property tests draw as many examples as their profile says. What only `make test-whole` runs is
    left out by all others. On a real Trino, those that cannot be asked of it are skipped with their
    reason.
    """
    drawing.spare(getattr(item, "obj", None) for item in items)
    left_out = {item for item in items if _is_left_out(item)}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]

    def place(item: pytest.Item) -> int:
        ranks = (rank for rank, name in enumerate(LONGEST) if item.nodeid.startswith(name))
        return next(ranks, len(LONGEST))

    items.sort(key=place)
    if os.environ.get("PULSE_ENGINE") == "trino":
        for item in items:
            for mark in item.iter_markers("not_on_trino"):
                item.add_marker(pytest.mark.skip(reason=f"not on Trino: {mark.args[0]}"))


def _is_left_out(item: pytest.Item) -> bool:
    """Is the test one that this run does without?"""
    return item.get_closest_marker("only_whole") is not None and not sampling.is_whole()


def pytest_collection_finish() -> None:
    """What has been imported stays; searching it for garbage takes a tenth of the time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """Sets how many cases tests look at, before any is imported.

    Only once pytest has ended is memory searched again, for extensions that look for what is left:
    pytest itself looks for garbage twice when it ends.
    """
    sampling.install(whole=config.getoption("whole"))
    atexit.register(gc.unfreeze)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByDeployment:
    """How `pytest -n` shares the tests out. (xdist 3.8's own groups do nothing in pytest 9.2.)"""
    gc.enable()  # this process imports no tests
    config.option.loadscopereorder = False  # by the number of tests in a file
    return ByDeployment(config, log)


NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def heard() -> Iterator[Listener]:
    """What Pulse logs during the test: a test fails if that holds what no log may hold."""
    listener = Listener(logger.registered_formatter)
    log = logging.getLogger("pulse")
    log.addHandler(listener)
    yield listener
    log.removeHandler(listener)
    assert leaks("\n".join(listener.lines)) == []


@pytest.fixture
def noon() -> Iterator[datetime]:
    """The clock stands at noon (UTC) of Saturday, 2026-11-21."""
    with days.clock(lambda: NOON):
        yield NOON
