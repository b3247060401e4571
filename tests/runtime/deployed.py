"""The built template on moto, with the tenants and keys that the events in events/ name.

Moto is a process of its own with the embedded Athena and judges the functions' roles.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.aws import Account, Moto
from local.deployment import Deployment, FunctionConfig, create_stack
from local.functions import environment_of
from local.template import translate
from pulse.store import clients
from pulse.store.tenants import Tenants
from pulse.tenants.keys import Key, sha256
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Survey
from pulse.tenants.tenant import Tenant

REGION = "eu-central-1"
BUCKET = "code-of-pulse"
KEYS = {
    "pk_sample-of-a-publishable-key": "publishable",
    "sk_sample-of-a-secret-key": "secret",
    "rk_sample-of-a-report-key": "report",
}
FEED = "fk_sample-of-a-feed-key"
RULES = {
    "checkout": Rule.make("csat", 1, 5),
    "email": Rule.make("nps", 0, 10),
    "zendesk": Rule.make("csat", 1, 2),
}


def logical_id_of(folder: str) -> str:
    """The name in the template of the function that is made of functions/FOLDER."""
    return "".join(part.title() for part in folder.split("_"))


@dataclass(frozen=True)
class Deployed:
    """A stack, and how its functions see the world."""

    deployment: Deployment
    account: Account
    pandas: Path | None
    """What stands for AWS's layer for pandas; None for the layer that was built."""

    def function(self, folder: str) -> FunctionConfig:
        """The function that is made of functions/FOLDER."""
        return self.deployment.functions[logical_id_of(folder)]

    def environment(self, config: FunctionConfig) -> dict[str, str]:
        """The variables that Lambda would give it. The last layer comes first, as in /opt."""
        code, *layers = config.code_dirs
        path = [str(code), *map(str, map(self._layer, reversed(layers)))]
        return environment_of(config, self.account) | {
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "PYTHONPATH": ":".join(path),
            "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's folders of code are read-only
        }

    def _layer(self, folder: Path) -> Path:
        return self.pandas if self.pandas and "PandasOwnLayer" in folder.parts else folder


@contextmanager
def deployed(built: Path, pandas: Path | None, log: Path) -> Iterator[Deployed]:
    """The template that `sam build` left in `built`, in an account of its own."""

    def call_function(_: dict[str, Any]) -> None:
        """The tests wake the functions; what moto would call is not called."""

    with log.open("wb") as file:
        moto = Moto(call_function, file, None)
        try:
            account = moto.wait(REGION)
            translated = translate(built / "template.yaml", {}, bucket=BUCKET, region=REGION)
            deployment = create_stack(translated, account, stack_name="pulse", bucket=BUCKET)
            _introduce(deployment.outputs["Table"], account)
            yield Deployed(deployment, account, pandas)
        finally:
            moto.stop()


def _introduce(table: str, account: Account) -> None:
    """The tenant demo with the surveys and keys of the events."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ENDPOINT_URL", account.endpoint_url or "")
        for name, value in account.credentials.items():
            patched.setenv(name, value)
        _forget_clients()
        tenants = Tenants(table)
        tenants.create(Tenant("demo", "Demo", "America/New_York"))
        for survey, rule in RULES.items():
            tenants.put_survey(Survey("demo", survey, ((0, rule),)))
        for text, kind in KEYS.items():
            tenants.add_key(Key(sha256(text), kind, "demo", 0))
        tenants.add_key(Key(sha256(FEED), "feed", "demo", 0, report="daily"))
    _forget_clients()


def _forget_clients() -> None:
    clients._made.cache_clear()
    clients._session.cache_clear()
