"""`make run`: the embedded stack with the sample tenant, until Ctrl-C or SIGTERM.

PULSE_PORT is the API's port (8080); PULSE_SAMPLE=0 leaves the demo tenant without data;
PULSE_PARAMETERS="KeyWritesPerMinute=60 …" gives the template's parameters other values. While
it runs, `.pulse/stack.json` in the folder where it was started says where everything is (the
command `pulse` finds it there), and `.pulse/logs/` holds what CloudWatch would.
"""

import errno
import fcntl
import json
import os
import shlex
import shutil
import signal
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from local.sample import shop
from local.sample.load import create_tenant, load, sample
from local.sample.site import PulseSite
from local.sample.tenant import TENANT
from local.stack import REGION, STACK_NAME, FunctionError, Stack
from local.template import TemplateError
from pulse import days
from pulse.cli import output
from pulse.cli.api import Api
from pulse.cli.target import STACK_FILE
from pulse.errors import PulseError
from pulse.lake import DATASETS
from pulse.store.tenants import Tenants

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "web" / "dist"
SURVEY = "support"
"""The demo tenant's survey that is shown first."""
FILE = Path.cwd() / STACK_FILE
LOCK = FILE.parent / "lock"
LOGS = FILE.parent / "logs"

PARAMETERS = {"WriteWindowSeconds": "1", "IntradayRate": "rate(1 minute)", "RememberSeconds": "1"}
"""The parameters that differ from the template's defaults, so that nobody has to wait a minute."""

_IDLE_WITHIN_S = 120.0

console = Console(highlight=False, markup=False, soft_wrap=True)


class StartError(PulseError):
    """The stack cannot be started."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; return the exit code.

    Raises SystemExit for `--help`, and for arguments, of which there are none.
    """
    ArgumentParser(
        prog="python -m local", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    ).parse_args(arguments)
    # SIGINT is set because a shell that starts this in the background lets it be ignored
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _run(_port(), _parameters(), with_sample=os.environ.get("PULSE_SAMPLE", "1") != "0")
    except KeyboardInterrupt:
        console.print("Stopped; nothing is kept.")
    except (PulseError, FunctionError) as error:
        console.print(f"make run: {error}")
        return 1
    return 0


def _run(port: int, parameters: Mapping[str, str], *, with_sample: bool) -> None:
    began = time.monotonic()
    with _folder_taken(), _start(port, parameters) as stack:
        try:
            described = _describe(stack, _fill(stack, with_sample=with_sample))
            with shop.serving(
                PAGES, described["pages"], described["keys"]["publishable"], SURVEY
            ) as site:
                _greet(described, site, time.monotonic() - began, with_sample=with_sample)
                write_stack_file(described)  # last, because its existence says that all is ready
                while True:
                    signal.pause()
        finally:
            signal.signal(
                signal.SIGINT, signal.SIG_IGN
            )  # a second Ctrl-C must not interrupt the end
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            FILE.unlink(missing_ok=True)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _port() -> int:
    text = os.environ.get("PULSE_PORT", "8080")
    if not text.isdecimal() or int(text) > 65535:
        raise StartError(f"PULSE_PORT must be a port, not {text!r}.")
    return int(text)


def _parameters() -> Mapping[str, str]:
    text = os.environ.get("PULSE_PARAMETERS", "")
    try:
        given = [each.partition("=") for each in shlex.split(text)]
    except ValueError as error:
        raise StartError(f"PULSE_PARAMETERS lack a quotation mark: {text!r}.") from error
    if wrong := [name for name, sign, _ in given if not sign]:
        raise StartError(
            f"PULSE_PARAMETERS are NAME=VALUE, with spaces between; not {wrong[0]!r}. "
            "A value that has spaces stands in quotation marks."
        )
    return PARAMETERS | {name: value for name, _, value in given}


@contextmanager
def _folder_taken() -> Iterator[None]:
    """Within the block only this process runs in the folder; files of an earlier one are removed.

    The lock ends when the process ends. Raises StartError if another one runs, or the folder cannot
    be written.
    """
    try:
        FILE.parent.mkdir(exist_ok=True)
        lock = LOCK.open("a+")
    except OSError as error:
        raise StartError(f"{FILE.parent} cannot be written: {error.strerror}.") from error
    with lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise StartError(
                f"a stack runs in this folder already, as process {lock.read()}: end it first."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        FILE.unlink(missing_ok=True)
        shutil.rmtree(LOGS, ignore_errors=True)
        yield


def _start(port: int, parameters: Mapping[str, str]) -> Stack:
    console.print("Starting the embedded stack …")
    try:
        return Stack.start(
            ROOT / "template.yaml",
            port=port,
            parameters=parameters,
            log_dir=LOGS,
            pages=PulseSite(PAGES),
        )
    except TemplateError as error:
        raise StartError(f"{error}.") from error
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise StartError(
            f"port {port} is taken. Use another one: PULSE_PORT={port + 1} make run"
        ) from error


def _fill(stack: Stack, *, with_sample: bool) -> Mapping[str, str]:
    """Make the demo tenant; `with_sample` load its sample and build the reports.

    Returns its keys by kind.
    """
    os.environ |= stack.admin_credentials
    tenants = Tenants(stack.deployment.outputs["Table"])
    keys = create_tenant(tenants)
    if with_sample:
        api = Api(stack.api_url, keys["secret"])
        told = sample(days.now())
        with output.progress("Loading the sample", sum(map(len, told.values()))) as step:
            load(told, api.post, step)
        console.print("Building the reports …")
        stack.wait_until_idle(_IDLE_WITHIN_S)
        stack.invoke("BuildDaily", {})
        stack.wait_until_idle(_IDLE_WITHIN_S)  # it invokes the builder of reports, and so on
        _check_arrival(tenants)
    return keys


def _check_arrival(tenants: Tenants) -> None:
    """Raise StartError unless the reports have the sample: its messages may be dead letters."""
    tenant = tenants.get(TENANT.id)
    if tenant is None or any(tenant.table(d.name).first_day is None for d in DATASETS):
        raise StartError(f"the sample was accepted, but is in no report: {LOGS} tells why.")


def _describe(stack: Stack, keys: Mapping[str, str]) -> dict[str, Any]:
    """The content of `.pulse/stack.json`."""
    outputs = stack.deployment.outputs
    buckets = {"lake": outputs["LakeBucket"], "finance": outputs.get("FinanceBucket", "")}
    return {
        "api": stack.api_url,
        "pages": stack.api_url,
        "gateway": stack.gateway_url,  # the API's own address, without CloudFront before it
        "tenant": TENANT.id,
        "keys": dict(keys),
        "endpoint_url": stack.endpoint_url,
        "buckets": {name: bucket for name, bucket in buckets.items() if bucket},
        "pid": os.getpid(),
        "aws": {
            "stack": STACK_NAME,
            "region": REGION,
            "access_key_id": stack.admin_credentials["AWS_ACCESS_KEY_ID"],
            "secret_access_key": stack.admin_credentials["AWS_SECRET_ACCESS_KEY"],
        },
    }


def write_stack_file(described: Mapping[str, Any]) -> None:
    """Write `.pulse/stack.json` in one step, readable only by its owner, because it holds keys."""
    draft = FILE.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(described, file, indent=2)
    draft.replace(FILE)


def _greet(
    described: Mapping[str, Any], site: str | None, seconds: float, *, with_sample: bool
) -> None:
    api, keys = described["api"], described["keys"]
    content = "90 days of sample data" if with_sample else "no answers yet (PULSE_SAMPLE=0)"
    console.print(
        f"""
Pulse is running after {seconds:.0f} s, with {content} of the tenant "{TENANT.id}" ({TENANT.name}).

{_pages(described, site)}

  API          {api}
  AWS          {described["endpoint_url"]} (S3, Athena, SQS, DynamoDB, …)
  logs         {LOGS}
  all of this  {FILE}

  publishable  {keys["publishable"]}
  secret       {keys["secret"]}
  report       {keys["report"]}
  operator     {keys["operator"]}

Try it:

  curl -H "Authorization: Bearer {keys["report"]}" \\
    "{api}/v1/reports/daily?preset=last_30_days"

  curl -H "Authorization: Bearer {keys["publishable"]}" \\
    -d '{{"survey_id": "support", "score": 5, "comment": "Hello"}}' {api}/v1/responses

  .venv/bin/pulse build
  .venv/bin/pulse report nps --tenant {TENANT.id} --granularity month --preset last_90_days
  .venv/bin/pulse report customer-perspective --tenant {TENANT.id} --preset last_7_days --subtotals

Ctrl-C ends it."""
    )


def _pages(described: Mapping[str, Any], site: str | None) -> str:
    """The addresses of pages. The key is in the fragment, which browsers send to no server."""
    pages, keys = described["pages"], described["keys"]
    if site is None:
        return "  pages        not built: `make run` builds them"
    return f"""  dashboard    {pages}/#key={keys["report"]}
  survey page  {pages}/s/{keys["publishable"]}?survey={SURVEY}
  widget       {site} (on a site of another origin)"""
