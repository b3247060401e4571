"""Unit tests open no socket."""

import pytest


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled: None) -> None:
    """Sockets are off (pytest-socket)."""
