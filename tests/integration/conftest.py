"""Athena is the embedded one in every test here: bare moto says SUCCEEDED to any text."""

import pytest

from local.athena import install


@pytest.fixture(scope="session", autouse=True)
def _statements_really_run() -> None:
    install()
