"""Which stack a command works on: the embedded one of this folder, or a deployed one by name.

The embedded stack leaves `.pulse/stack.json` while it runs; a command started in its folder or
below finds it there. With `--stack NAME`, or PULSE_STACK in the environment, the shell's own AWS
credentials are used.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from pulse.cli import output
from pulse.cli.exits import WrongUseError
from pulse.errors import SettingsError
from pulse.settings import BuildDailySettings, ExportRevenueSettings
from pulse.store.held import HeldRuns
from pulse.store.stack import StackOutputs
from pulse.store.tenants import Tenants

StackName = Annotated[
    str | None,
    typer.Option(
        "--stack",
        metavar="NAME",
        envvar="PULSE_STACK",
        help="The deployed stack to work on, with this shell's AWS credentials. "
        "Without it: the embedded stack of this folder.",
    ),
]

STACK_FILE = Path(".pulse", "stack.json")


@dataclass(frozen=True)
class Target:
    """A stack. `demo_keys` are the keys of `demo_tenant`, which only the embedded stack has."""

    stack: str
    """Its name in CloudFormation."""
    outputs: StackOutputs
    api_url: str
    pages_url: str
    """The address of the dashboard, survey pages and the widget, without a slash at its end."""
    demo_tenant: str | None = None
    demo_keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def tenants(self) -> Tenants:
        """The stack's tenants, surveys and keys."""
        return Tenants(self.outputs.table, skipped=lambda error: output.say(f"Left out: {error}."))

    def as_of(self) -> Mapping[str, int]:
        """For each report table the moment before which nothing is missing (UTC, microseconds)."""
        return HeldRuns(self.outputs.table).as_of()

    @property
    def build_settings(self) -> BuildDailySettings:
        """The builders' settings on this stack."""
        return BuildDailySettings(
            table=self.outputs.table,
            lake_bucket=self.outputs.lake_bucket,
            database=self.outputs.database,
            workgroup=self.outputs.workgroup,
            event_source=self.outputs.event_source,
            public_values=self.outputs.public_values,
            largest_tenant_rows=self.outputs.largest_tenant_rows,
            link_days=self.outputs.link_days,
            raw_retention_days=self.outputs.raw_retention_days,
        )

    @property
    def finance_settings(self) -> ExportRevenueSettings:
        """The settings of export_revenue on this stack."""
        return ExportRevenueSettings(
            table=self.outputs.table,
            lake_bucket=self.outputs.lake_bucket,
            finance_bucket=self.outputs.finance_bucket,
            finance_close_days=self.outputs.finance_close_days,
            event_source=self.outputs.event_source,
        )


def find_target(stack: str | None) -> Target:
    """The stack of that name, or the embedded one of the current folder or one above it.

    For the embedded one this sets the process's AWS environment, so it must be called before the
    first AWS call. Raises WrongUseError if there is no such stack.
    """
    if stack is not None:
        if not stack.strip():
            raise WrongUseError("--stack takes the name of a deployed stack.")
        outputs = _outputs(stack)
        return Target(stack, outputs, outputs.api_url.rstrip("/"), outputs.pages_url.rstrip("/"))
    described = _read(_find_stack_file())
    _use_embedded_aws(described)
    name = described["aws"]["stack"]
    return Target(
        name,
        _outputs(name),
        described["api"].rstrip("/"),
        described["pages"].rstrip("/"),
        described["tenant"],
        described["keys"],
    )


def _outputs(stack: str) -> StackOutputs:
    try:
        return StackOutputs.of(stack)
    except SettingsError as error:
        raise WrongUseError(str(error)) from error


def _find_stack_file() -> Path:
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / STACK_FILE).is_file():
            return folder / STACK_FILE
    raise WrongUseError(
        f"No running stack here: {STACK_FILE} is neither in this folder nor in one above. "
        "Start the embedded stack with `make run`, or name a deployed one with --stack NAME."
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        described: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise WrongUseError(f"{path} cannot be read ({error}): start `make run` again.") from error
    if not is_running(described.get("pid", 0)):
        raise WrongUseError(
            f"The stack of {path} is no longer running: start it again with `make run`."
        )
    return described


def is_running(pid: int) -> bool:
    """True while there is a process of that id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is another user's
    return True


def _use_embedded_aws(described: Mapping[str, Any]) -> None:
    """Let this process's AWS clients use the embedded stack, whatever the shell says."""
    given = described["aws"]
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    local = "127.0.0.1,localhost"
    os.environ |= {
        "AWS_ENDPOINT_URL": described["endpoint_url"],
        "AWS_REGION": given["region"],
        "AWS_DEFAULT_REGION": given["region"],
        "AWS_ACCESS_KEY_ID": given["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": given["secret_access_key"],
        # addresses of this machine must not go through a company's proxy
        "NO_PROXY": ",".join(filter(None, (os.environ.get("NO_PROXY"), local))),
        "no_proxy": ",".join(filter(None, (os.environ.get("no_proxy"), local))),
    }
