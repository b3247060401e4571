"""`pulse smoke` passes on the deployed functions, each of which has its own role."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.e2e.asking import pulse
from tests.e2e.conftest import RunningStack


def keys_left(stack: RunningStack) -> list[Any]:
    found: list[Any] = json.loads(pulse(stack, "key", "list", "smoke", "--json"))
    return found


@pytest.mark.only_whole
def test_a_stack_that_works_passes_every_step_and_keeps_no_key(stack: RunningStack) -> None:
    steps = json.loads(pulse(stack, "smoke", "--json"))
    assert [step["name"] for step in steps] == [
        "tenant",
        "unknown key",
        "bad answer",
        "pages",
        "post",
        "store",
        "build and read",
    ]
    assert all(step["ok"] for step in steps)
    assert keys_left(stack) == []


def test_the_first_step_that_fails_ends_it_and_its_keys(stack: RunningStack) -> None:
    command = [sys.executable, "-m", "pulse.cli.main", "smoke", "--wait", "0", "--json"]
    done = subprocess.run(command, cwd=stack.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    *passed, last = json.loads(done.stdout)
    assert all(step["ok"] for step in passed)
    assert (last["name"], last["ok"]) in (("store", False), ("build and read", False))
    assert last["found"] in done.stderr
    assert keys_left(stack) == []
