"""With OnlyThroughPages the API answers only requests through the distribution of the pages."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.routes import DEFAULT, read_http_api
from local.sample.site import PulseSite
from local.stack import REGION, STACK_NAME, Stack
from pulse.cli.api import Api, HttpReply
from pulse.http import ORIGIN

ROOT = Path(__file__).parents[2]
PARAMETERS = {
    "OnlyThroughPages": "true",
    "WriteWindowSeconds": "1",
    "IntradayRate": "off",
    "RememberSeconds": "1",
}


@dataclass(frozen=True)
class Running:
    stack: Stack
    folder: Path
    """Where `pulse` finds the stack."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("behind")
    pages = folder / "dist"
    pages.mkdir()
    for name in ("index.html", "survey.html"):
        (pages / name).write_text("<html></html>")
    with Stack.start(
        ROOT / "template.yaml",
        port=0,
        parameters=PARAMETERS,
        log_dir=folder / "logs",
        pages=PulseSite(pages),
    ) as stack:
        credentials = stack.admin_credentials
        described = {
            "api": stack.api_url,
            "pages": stack.api_url,
            "tenant": "demo",
            "keys": {},
            "endpoint_url": stack.endpoint_url,
            "pid": os.getpid(),
            "aws": {
                "stack": STACK_NAME,
                "region": REGION,
                "access_key_id": credentials["AWS_ACCESS_KEY_ID"],
                "secret_access_key": credentials["AWS_SECRET_ACCESS_KEY"],
            },
        }
        (folder / ".pulse").mkdir()
        (folder / ".pulse" / "stack.json").write_text(json.dumps(described))
        yield Running(stack, folder)


def code(answer: HttpReply) -> str:
    problem = answer.json()
    return str(problem["code"])


def test_no_route_answers_by_the_apis_own_address(running: Running) -> None:
    api = read_http_api(running.stack.deployment)
    assert api
    paths = {route.path.split("{")[0] for route in api.routes if route.path != DEFAULT}
    direct = Api(running.stack.gateway_url, "sk_any")
    for path in (*sorted(paths), "/v1/nothing"):
        for answer in (direct.get(path), direct.post(path, b"{}")):
            assert (answer.status, code(answer)) == (403, "only_through_pages"), path
            assert answer.headers["content-type"] == "application/problem+json"


def test_the_same_requests_are_answered_by_the_pages_address(running: Running) -> None:
    through = Api(running.stack.api_url, "sk_any")
    assert through.get("/v1/openapi.json").status == 200
    for path in ("/v1/reports", "/v1/exports/x", "/v1/surveys/x"):
        assert (through.get(path).status, code(through.get(path))) == (401, "invalid_key")
    assert through.post("/v1/responses", b"{}").status == 401
    assert through.get("/v1/nothing").status == 404


def test_the_outputs_name_the_pages_address_alone(running: Running) -> None:
    outputs = running.stack.deployment.outputs
    assert outputs["ApiUrl"] == outputs["PagesUrl"]


@pytest.mark.only_whole
def test_smoke_finds_its_way(running: Running) -> None:
    done = subprocess.run(  # our own command
        [sys.executable, "-m", "pulse.cli.main", "smoke", "--wait", "180"],
        cwd=running.folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "shared")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    log = (running.folder / "logs" / "Ingest.log").read_text()
    assert ORIGIN not in log
    assert (
        running.stack.deployment.functions["Ingest"].environment["PULSE_ORIGIN_SECRET"] not in log
    )
