"""Runs commands against a Pulse in one process; its HTTP interface is its functions."""

import io
import json
import threading
import urllib.request
from contextlib import redirect_stdout
from itertools import count
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from pulse.cli.api import Api, HttpReply
from pulse.cli.main import app
from tests.driver import Driver

MAPPED = ("--map", "score=rating", "--map", "answered_at=date", "--map", "customer_id=user")

names = (f"shop-{number}" for number in count())


class Shell:
    """Runs commands against a stack whose HTTP interface is its functions, called directly."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.asked: list[urllib.request.Request] = []
        self._runner = CliRunner()
        self._lock = threading.Lock()

    def run(self, *arguments: str, code: int | None = 0, stack: str = "pulse") -> Result:
        """Run a command; fail the test unless it ends with that exit code (None: any).

        Arguments after `--` are no options, however they begin.
        """
        end = arguments.index("--") if "--" in arguments else len(arguments)
        typed = [*arguments[:end], "--stack", stack, *arguments[end:]]
        result = self._runner.invoke(app, typed)
        assert code in (None, result.exit_code), (result.output, result.exception)
        return result

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code).stdout)

    def tenant(self, *surveys: str, timezone: str = "UTC") -> str:
        """Make a tenant with nps surveys."""
        tenant = next(names)
        self.run("tenant", "create", tenant, "--timezone", timezone)
        for survey in surveys:
            self.run("survey", "add", tenant, survey, "--metric", "nps", "--scale", "0-10")
        return tenant

    def load(self, tenant: str, file: Path, *more: str, code: int = 0) -> Any:
        """Import a file with the columns date, user and rating; return the result."""
        arguments = (str(file), "--tenant", tenant, "--survey", "email", *MAPPED, *more)
        return self.json("import", "responses", *arguments, code=code)

    def scores(self, tenant: str) -> list[int]:
        """The scores that the reports count, from the built totals."""
        self.driver.build()
        reply = self.driver.report(tenant, "nps", "preset=all_time")
        return [row["score_value"] for row in reply["breakdown"] for _ in range(row["responses"])]

    def stored(self) -> list[dict[str, Any]]:
        """Take the events from the queue that the interface has accepted, in no order."""
        return [
            item
            for message in self.driver.messages()
            for item in json.loads(message["body"])["items"]
        ]

    def answer(self, api: Api, request: urllib.request.Request) -> HttpReply:
        # the functions' metrics go to their stdout, which is not the command's
        with self._lock, redirect_stdout(io.StringIO()):
            self.asked.append(request)
            got = self.driver.call(
                request.get_method(),
                request.full_url.removeprefix(api.url),
                key=api.key,
                body=request.data if isinstance(request.data, bytes) else None,
                headers={name.lower(): value for name, value in request.header_items()},
            )
        lower = {name.lower(): value for name, value in got.headers.items()}
        return HttpReply(got.status, got.body.encode(), lower)
