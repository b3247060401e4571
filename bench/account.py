"""An AWS account on this machine: the embedded stack's, with the template deployed.

Nothing of Pulse runs in it by itself. Functions are called in this process, with the environment
that the template gives them; what they ask of AWS is answered by a process of its own.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from local.aws import Moto
from local.deployment import Deployment, deploy
from pulse import days
from pulse.store.tenants import Tenants
from pulse.tenants.keys import Key, new_key_text, sha256
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Survey, Texts
from pulse.tenants.tenant import Tenant

ROOT = Path(__file__).resolve().parents[1]
REGION = "eu-central-1"
CONTEXT = SimpleNamespace(
    function_name="pulse-bench",
    memory_limit_in_mb=1024,
    invoked_function_arn=f"arn:aws:lambda:{REGION}:123456789012:function:pulse-bench",
    aws_request_id="0dc1c3d8-6a3d-4c3c-8a44-4c7d3f6f3b1e",
    get_remaining_time_in_millis=lambda: 900_000,
)


WIDE_LIMITS = {
    f"{whose}{what}PerMinute": "1000000"
    for whose in ("Key", "Tenant")
    for what in ("Writes", "Reads")
}
"""Higher limits, since a bench sends more requests than keys may. All are counted nevertheless."""


@dataclass(frozen=True)
class Account:
    """A deployed stack, and the process that stands for AWS."""

    deployment: Deployment
    process: int

    def environment(self, function: str) -> dict[str, str]:
        """The environment variables of the function with that logical id."""
        return dict(self.deployment.functions[function].environment)

    @property
    def cpu_seconds(self) -> float:
        """How many seconds of a processor's time the process that stands for AWS has taken."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def tenants(self) -> Tenants:
        """The store of the stack's tenants."""
        return Tenants(self.environment("Ingest")["PULSE_TABLE"])

    def tenant(self, tenant: str, survey: str = "") -> None:
        """Make a tenant, and a survey of one to five points."""
        self.tenants.create(Tenant(tenant, tenant, "UTC"))
        if survey:
            rules = ((0, Rule.parse("csat", "1-5")),)
            texts = {"en": Texts("How was it?", "Thank you.")}
            self.tenants.put_survey(Survey(tenant, survey, rules, texts=texts))

    def key(self, tenant: str, kind: str) -> str:
        """Make a key and return its text."""
        text = new_key_text(kind)
        self.tenants.add_key(Key(sha256(text), kind, tenant, days.now_us()))
        return text


@contextmanager
def deployed(**variables: str) -> Iterator[Account]:
    """Within the block this process's environment is that of all functions, and these variables."""
    before = dict(os.environ)
    moto = Moto(_no_function, subprocess.DEVNULL, None)
    try:
        account = moto.wait(REGION)
        os.environ.update(account.credentials)
        os.environ.update(
            AWS_DEFAULT_REGION=REGION,
            AWS_REGION=REGION,
            AWS_ENDPOINT_URL=account.endpoint_url or "",
            POWERTOOLS_LOG_LEVEL="ERROR",
            **variables,
        )
        deployment = deploy(
            ROOT / "template.yaml", stack_name="pulse", parameters=WIDE_LIMITS, account=account
        )
        for function in deployment.functions.values():
            given = function.environment.items()
            os.environ.update({name: value for name, value in given if "PULSE" in name})
        yield Account(deployment, moto.process_id)
    finally:
        moto.stop()
        os.environ.clear()
        os.environ.update(before)


def _no_function(call: Mapping[str, Any]) -> None:
    """Do nothing where AWS would invoke a function, as a rule does."""
