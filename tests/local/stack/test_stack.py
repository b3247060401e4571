"""Starting and stopping a stack leaves nothing behind, whatever happens."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.stack import FunctionError, Stack
from local.template import TemplateError
from tests.documents import texts
from tests.local.stack.conftest import APP, eventually
from tests.processes import children_of, is_running

ROOT = APP.parents[4]
START = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from local.stack import FunctionError, Stack
stack = Stack.start(Path(sys.argv[1]), port=0, parameters={}, log_dir=None)
print(stack.invoke("Echo", {"do": "about"})["pid"], stack.endpoint_url, flush=True)
time.sleep(60)
"""


def answers(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False


def test_stop_ends_every_process_and_frees_the_ports_within_3_seconds() -> None:
    before = children_of(os.getpid())
    with Stack.start(APP, port=0, parameters={}, log_dir=None) as stack:
        for function in ("Echo", "Worker"):
            stack.invoke(function, {"do": "about"})
        started = children_of(os.getpid()) - before
        assert len(started) >= 3  # moto and one process per function
        urls = [stack.api_url, stack.endpoint_url]
        assert all(answers(url) for url in urls)
        event = {"do": "sleep", "seconds": 30}
        busy = ThreadPoolExecutor(1).submit(stack.invoke, "Echo", event)
        assert eventually(lambda: not stack.idle())
        stopping = time.monotonic()
    assert time.monotonic() - stopping < 3
    assert not any(is_running(pid) for pid in started)
    assert not any(answers(url) for url in urls)
    assert isinstance(busy.exception(timeout=1), FunctionError)
    stack.stop()  # a second time does no harm


def test_nothing_outlives_a_stack_that_is_killed() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", START, str(APP)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    with process.stdout:
        worker, endpoint_url = process.stdout.readline().split()
    started = children_of(process.pid)
    assert int(worker) in started
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert eventually(lambda: not any(is_running(pid) for pid in started), seconds=3)
    # the last of a process's threads gives its port free, which may be a moment after the first
    assert eventually(lambda: not answers(endpoint_url), seconds=3)


def test_the_readmes_program_runs_a_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, program = texts(ROOT / "local" / "README.md", "python")
    shutil.copytree(APP.parent, tmp_path / "app")
    monkeypatch.chdir(tmp_path / "app")
    exec(compile(program, "README.md", "exec"), {})  # noqa: S102 # it is ours
    address, about, status = capsys.readouterr().out.splitlines()
    assert address.startswith("http://127.0.0.1:")
    assert "'pid'" in about
    assert status == "200"
    assert (tmp_path / "app" / "logs" / "permissions.jsonl").is_file()


def test_a_template_that_cannot_be_deployed_leaves_nothing_running(tmp_path: Path) -> None:
    before = children_of(os.getpid())
    with pytest.raises(TemplateError):
        Stack.start(tmp_path / "missing.yaml", port=0, parameters={}, log_dir=None)
    assert children_of(os.getpid()) == before


def test_a_port_in_use_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        port = taken.getsockname()[1]
        Stack.start(APP, port=port, parameters={}, log_dir=None)


def test_admin_credentials_are_an_environment_for_tools(stack: Stack) -> None:
    credentials = stack.admin_credentials
    assert credentials["AWS_ENDPOINT_URL"] == stack.endpoint_url
    assert credentials["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert credentials["AWS_ACCESS_KEY_ID"] and credentials["AWS_SECRET_ACCESS_KEY"]
