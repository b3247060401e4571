"""Creates or updates a stack on AWS with `sam deploy`: the last step of `make deploy`.

    python -m local.sam_deploy [--ask] STACK [PARAMETER=VALUE …]

The stack's region, and the parameters that differ from the template's defaults, are kept in
`.stacks/STACK.toml`. The first run asks for the region if the shell names none; later runs ask
nothing. Values from the command line are kept, too; an empty value restores the default. `sam
deploy` prints its change set before it changes anything. With SHOW=1 in the environment it only
prints that, and new values are not kept. With --ask the answers are only asked for and checked.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.template import TemplateError, check_parameters, read_yaml

ROOT = Path(__file__).resolve().parents[1]
SAM = ROOT / ".venv-build" / "bin" / "sam"

STACK_NAME = re.compile(r"[a-z][a-z0-9-]{0,96}")
"""The form of a stack's name: that of CloudFormation, but without capitals, because the Glue
database has the stack's name, and shorter, because the distribution's comment, of at most 128
characters, contains it."""
REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+")

LAYER = "PandasLayer"
LAYERS_OF_AWS = "/aws/service/aws-sdk-pandas/"
LAYER_OF_AWS = f"{LAYERS_OF_AWS}3.17.1/py3.13/arm64/layer-arn"
"""The SSM parameter of the layer that is used unless another is named."""
AN_ARN_OF_AWS = re.compile(r"^/aws/service/aws-sdk-pandas/|:layer:AWSSDKPandas-")
CRASHING_LAYER = f"{LAYERS_OF_AWS}3.17.0/py3.13/arm64/layer-arn"
CRASH = (
    "version 3.17.0 of AWS's layer for pandas crashes on every datetime64, "
    "see https://github.com/aws/aws-sdk-pandas/issues/3393"
)


class DeployError(Exception):
    """The stack cannot be deployed like this; nothing was done."""


class Region(Protocol):
    """What a deployment reads from an account in a region."""

    def layer(self, parameter: str) -> str | None:
        """The layer's ARN in a public SSM parameter of AWS; None if the region has none yet."""

    def parameters(self, stack: str) -> dict[str, str]:
        """The parameters of an existing stack; empty if there is no such stack."""


@dataclass(frozen=True)
class AwsRegion:
    """A region of AWS with the shell's credentials. Raises DeployError if AWS refuses a call."""

    name: str

    def layer(self, parameter: str) -> str | None:
        """See Region."""
        try:
            found = self._client("ssm").get_parameter(Name=parameter)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ParameterNotFound":
                return None
            raise _refused(error) from error
        except BotoCoreError as error:
            raise _refused(error) from error
        return str(found["Parameter"]["Value"])

    def parameters(self, stack: str) -> dict[str, str]:
        """See Region."""
        try:
            found = self._client("cloudformation").describe_stacks(StackName=stack)
        except ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return {}
            raise _refused(error) from error
        except BotoCoreError as error:
            raise _refused(error) from error
        declared = found["Stacks"][0].get("Parameters", [])
        return {p["ParameterKey"]: p["ParameterValue"] for p in declared}

    def _client(self, service: str) -> Any:
        make: Any = boto3.client
        return make(service, region_name=self.name)


def _refused(error: Exception) -> DeployError:
    return DeployError(f"AWS cannot be asked with this shell's credentials: {error}")


@dataclass(frozen=True)
class StackSettings:
    """The region and the parameters that a stack is deployed with."""

    region: str
    parameters: Mapping[str, str]
    """Those that differ from the template's defaults."""

    @classmethod
    def read(cls, path: Path) -> StackSettings | None:
        """The answers in a file; None if there is none. Raises DeployError if it cannot be read."""
        try:
            told = tomllib.loads(path.read_text("utf-8"))
            parameters = {name: str(value) for name, value in told.get("parameters", {}).items()}
            return cls(str(told["region"]), parameters)
        except FileNotFoundError:
            return None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError, KeyError) as error:
            raise DeployError(f"{path} cannot be read ({error}): mend it, or delete it") from error

    def write(self, path: Path) -> None:
        """Write the answers to a file, for `read` and for people."""
        lines = [
            f"# `make deploy STACK={path.stem}` uses these values. You may edit them.",
            f"region = {_toml(self.region)}",
            "",
            "[parameters]",
            *(f"{name} = {_toml(value)}" for name, value in sorted(self.parameters.items())),
        ]
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(lines) + "\n", "utf-8")


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


@dataclass(frozen=True)
class Deploy:
    """Deploys a template by sam; `ask` and `say` talk to the person who runs it."""

    template: Path
    folder: Path
    """The folder in which answers are kept."""
    sam: Path
    region: Callable[[str], Region]
    ask: Callable[[str], str] = input
    say: Callable[[str], None] = print

    def run(
        self, stack: str, given: Mapping[str, str], environment: Mapping[str, str]
    ) -> Sequence[str]:
        """Keep the stack's answers; return the command that deploys it.

        Raises DeployError for a name, a region or a parameter that AWS would refuse, and if AWS's
        layer is not available.
        """
        if not STACK_NAME.fullmatch(stack):
            raise DeployError(
                f"{stack!r} is no name for a stack: small letters, digits and hyphens, a letter "
                "first and 97 in all, such as make deploy STACK=pulse"
            )
        source = _source(self.template)
        declared: dict[str, dict[str, Any]] = source["Parameters"]
        path = self.folder / f"{stack}.toml"
        answers = StackSettings.read(path) or self._first_answers(stack, declared, environment)
        if unknown := sorted(given.keys() - declared.keys()):
            raise DeployError(f"the template has no parameter {', '.join(unknown)}")
        merged = {**answers.parameters, **given}
        parameters = {name: value for name, value in merged.items() if value}
        region = self.region(answers.region)
        resolved = {**parameters, LAYER: self._layer(region, answers.region, stack, parameters)}
        try:
            check_parameters(source, resolved)
        except TemplateError as error:
            raise DeployError(str(error)) from error
        show = bool(environment.get("SHOW"))
        kept = answers if show else replace(answers, parameters=_differing(declared, parameters))
        if kept != StackSettings.read(path):
            kept.write(path)
        self._tell(stack, answers.region, path, parameters, resolved[LAYER])
        everything = {name: str(p["Default"]) for name, p in declared.items()} | resolved
        return self._command(stack, answers.region, everything, show=show)

    def _first_answers(
        self, stack: str, declared: Mapping[str, Any], environment: Mapping[str, str]
    ) -> StackSettings:
        """The answers of a first run: a region, and the stack's parameters if it exists already."""
        region = _region_of(environment) or self._ask_region()
        if not REGION.fullmatch(region):
            raise DeployError(f"{region!r} is no region: one is called like eu-central-1")
        before = self.region(region).parameters(stack)
        if AN_ARN_OF_AWS.search(before.get(LAYER, "")):
            del before[LAYER]  # it is looked up each time, so that an upgrade uses a new one
        return StackSettings(region, _differing(declared, before))

    def _ask_region(self) -> str:
        while True:
            try:
                region = self.ask("In which region, such as eu-central-1? ").strip()
            except EOFError as error:
                raise DeployError(
                    "a region is needed: AWS_REGION=eu-central-1 make deploy STACK=…"
                ) from error
            if REGION.fullmatch(region):
                return region
            self.say("A region is called like eu-central-1, us-east-1 or ap-southeast-2.")

    def _layer(
        self, region: Region, region_name: str, stack: str, parameters: Mapping[str, str]
    ) -> str:
        """The template's parameter for the layer of pyarrow and awswrangler."""
        wanted = parameters.get(LAYER, LAYER_OF_AWS)
        if wanted == "own":
            return wanted
        if not wanted.startswith(LAYERS_OF_AWS):
            if wanted == region.layer(CRASHING_LAYER):
                raise DeployError(f"{CRASH}. {_alternatives(stack)}")
            return wanted
        if wanted.startswith(f"{LAYERS_OF_AWS}3.17.0/"):
            raise DeployError(f"{CRASH}. {_alternatives(stack)}")
        found = region.layer(wanted)
        if found is None:
            raise DeployError(
                f"AWS's layer for pandas is not in {region_name} (SSM has no parameter {wanted}); "
                f"it comes to some regions later. {_alternatives(stack)}"
            )
        return found

    def _tell(
        self, stack: str, region: str, path: Path, parameters: Mapping[str, str], layer: str
    ) -> None:
        self.say(f"Stack {stack} in {region}, with {LAYER}={layer} and")
        others = {name: value for name, value in sorted(parameters.items()) if name != LAYER}
        for name, value in others.items():
            self.say(f"  {name} = {value}")
        self.say(
            f"{'all other' if others else 'all'} parameters as the template has them. To change "
            f"some: edit {path}, or make deploy STACK={stack} PARAMETERS='NAME=VALUE …'"
        )

    def _command(
        self, stack: str, region: str, parameters: Mapping[str, str], *, show: bool
    ) -> list[str]:
        return [
            str(self.sam),
            "deploy",
            *("--stack-name", stack),
            *("--region", region),
            "--resolve-s3",
            *("--s3-prefix", stack),
            *("--capabilities", "CAPABILITY_IAM"),
            "--no-confirm-changeset",
            "--no-fail-on-empty-changeset",
            *(["--no-execute-changeset"] if show else ["--on-failure", "DELETE"]),
            "--parameter-overrides",
            *(f"{name}={_quoted(value)}" for name, value in parameters.items()),
        ]


@cache
def _source(template: Path) -> dict[str, Any]:
    source: dict[str, Any] = read_yaml(template.read_text("utf-8"))
    return source


def _alternatives(stack: str) -> str:
    return (
        "Instead: the layer that make build has made, by "
        f"make deploy STACK={stack} PARAMETERS={LAYER}=own, or another with the ARN that you name, "
        f"by PARAMETERS={LAYER}=arn:…"
    )


def _differing(declared: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, str]:
    """The values that differ from the defaults: the template's, and AWS's layer."""
    defaults = {name: str(p.get("Default")) for name, p in declared.items()} | {LAYER: LAYER_OF_AWS}
    return {name: v for name, v in values.items() if name in declared and v != defaults[name]}


def _region_of(environment: Mapping[str, str]) -> str | None:
    """The shell's region: AWS_REGION, which boto3 ignores, or else that of boto3's profile."""
    if named := environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION"):
        return named
    try:
        return boto3.Session(profile_name=environment.get("AWS_PROFILE")).region_name
    except BotoCoreError as error:
        raise _refused(error) from error


def _quoted(value: str) -> str:
    """The value in the form that sam takes, even if it is empty or has spaces."""
    escaped = value.replace('"', '\\"')
    return f'"{escaped}"'


def _given(arguments: Sequence[str]) -> dict[str, str]:
    pairs = [argument.partition("=") for argument in arguments]
    if wrong := [name for name, equals, _ in pairs if not equals or not name]:
        raise DeployError(f"{wrong[0]!r} is not of the form PARAMETER=VALUE")
    return {name: value for name, _, value in pairs}


OURS = Deploy(ROOT / "template.yaml", ROOT / ".stacks", SAM, AwsRegion)


def main(arguments: Sequence[str], deploy: Deploy = OURS) -> int:
    """Ask for what is missing and, without --ask, run `sam deploy`; return the exit code.

    It is sam's, 0 after --ask, or 1, with the reason on stderr, if sam was not started.
    """
    asking_alone = list(arguments[:1]) == ["--ask"]
    arguments = arguments[1:] if asking_alone else arguments
    if not arguments or not arguments[0]:
        print("Which stack? make deploy STACK=NAME, such as STACK=pulse", file=sys.stderr)  # noqa: T201
        return 1
    try:
        command = deploy.run(arguments[0], _given(arguments[1:]), os.environ)
    except DeployError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    if asking_alone:
        return 0
    telling_nobody = os.environ | {"SAM_CLI_TELEMETRY": "0"}
    return subprocess.run(command, cwd=ROOT, env=telling_nobody).returncode  # noqa: S603


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)  # a shell's exit code for Ctrl-C, without Python's traceback
