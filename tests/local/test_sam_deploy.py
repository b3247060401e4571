"""What `make deploy` asks, what it keeps, and what it passes to sam."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from local import sam_deploy
from local.sam_deploy import CRASHING_LAYER, LAYER_OF_AWS, OURS, AwsRegion, Deploy, DeployError
from tests.contract.test_template import ROOT, TEMPLATE

ARN = "arn:aws:lambda:eu-west-1:336392948345:layer:AWSSDKPandas-Python313-Arm64:9"
CRASHING = ARN.removesuffix("9") + "8"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0c9a-77"
FAKE_SAM = f"""#!{sys.executable}
import json, os, pathlib, sys
told = {{"arguments": sys.argv[1:], "telemetry": os.environ.get("SAM_CLI_TELEMETRY")}}
with pathlib.Path(__file__).with_name("calls").open("a") as file:
    print(json.dumps(told), file=file)
sys.exit(int(os.environ.get("FAKE_SAM_EXITS", "0")))
"""


@dataclass
class FakeRegion:
    """A region that has AWS's layers, and no stack unless one is put there."""

    layers: dict[str, str] = field(
        default_factory=lambda: {LAYER_OF_AWS: ARN, CRASHING_LAYER: CRASHING}
    )
    stack: dict[str, str] = field(default_factory=dict)

    def layer(self, parameter: str) -> str | None:
        return self.layers.get(parameter)

    def parameters(self, stack: str) -> dict[str, str]:
        return dict(self.stack)


@dataclass
class Shell:
    """Somebody at a shell who types `make deploy`."""

    folder: Path
    patch: pytest.MonkeyPatch
    region: FakeRegion = field(default_factory=FakeRegion)
    asked: list[str] = field(default_factory=list)

    @property
    def deploy(self) -> Deploy:
        sam = self.folder / "sam"
        sam.write_text(FAKE_SAM)
        sam.chmod(0o755)

        def region(name: str) -> FakeRegion:
            self.asked.append(name)
            return self.region

        return replace(OURS, folder=self.folder / ".stacks", sam=sam, region=region)

    def run(self, *arguments: str, typed: str = "", **environment: str) -> int:
        """The exit code; `typed` is all that is typed before the end of input."""
        self.patch.setattr("sys.stdin", io.StringIO(typed))
        for name, value in environment.items():
            self.patch.setenv(name, value)
        code = sam_deploy.main(arguments, self.deploy)
        for name in environment:
            self.patch.delenv(name)
        return code

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of every call of sam."""
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line)["arguments"] for line in lines]

    def kept(self, stack: str = "pulse") -> str:
        return (self.folder / ".stacks" / f"{stack}.toml").read_text()


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Without a region of its own."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "SHOW"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    return Shell(tmp_path, monkeypatch)


def option(call: list[str], name: str) -> str:
    return call[call.index(name) + 1]


def overrides(call: list[str]) -> dict[str, str]:
    """The parameters that sam was given, taken out of their quotes."""
    pairs = [text.partition("=") for text in call[call.index("--parameter-overrides") + 1 :]]
    assert all(value[0] == value[-1] == '"' for _, _, value in pairs)
    return {name: value[1:-1].replace('\\"', '"') for name, _, value in pairs}


def test_the_first_run_asks_for_the_region_and_a_later_one_asks_nothing(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.run("pulse", typed="Frankfurt\neu-west-1\n") == 0
    told = capsys.readouterr().out
    assert told.count("In which region") == 2
    assert "is called like eu-central-1" in told
    assert shell.run("pulse", typed="") == 0
    assert "In which region" not in capsys.readouterr().out
    first, second = shell.calls
    assert first == second
    assert option(first, "--region") == "eu-west-1"
    assert option(first, "--stack-name") == "pulse"


def test_what_is_to_be_asked_is_asked_before_anything_is_built(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.run("--ask", "pulse", "WriteRate=7", typed="eu-west-1\n") == 0
    assert shell.calls == []
    assert shell.run("pulse") == 0
    assert overrides(shell.calls[0])["WriteRate"] == "7"
    shell.region.layers = {}
    assert shell.run("--ask", "pulse") == 1
    assert "AWS's layer for pandas is not in eu-west-1" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_shells_region_is_taken_unasked(shell: Shell, name: str) -> None:
    assert shell.run("pulse", **{name: "eu-west-1"}) == 0
    assert option(shell.calls[0], "--region") == "eu-west-1"


def test_the_profiles_region_is_taken_unasked(shell: Shell, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[profile work]\nregion = ap-southeast-2\n")
    assert shell.run("pulse", AWS_PROFILE="work", AWS_CONFIG_FILE=str(config)) == 0
    assert option(shell.calls[0], "--region") == "ap-southeast-2"


def test_a_stack_stays_in_its_region_whatever_the_shell_says_later(shell: Shell) -> None:
    shell.run("pulse", AWS_REGION="eu-west-1")
    shell.run("pulse", AWS_REGION="us-east-1")
    assert [option(call, "--region") for call in shell.calls] == ["eu-west-1"] * 2


def test_without_anybody_to_ask_the_region_is_named_as_missing(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.run("pulse", typed="") == 1
    assert "AWS_REGION=" in capsys.readouterr().err
    assert shell.calls == []


def test_sam_is_never_asked_to_ask(shell: Shell) -> None:
    """sam's guided mode asks for each route without authentication whether that is okay."""
    shell.run("pulse", AWS_REGION="eu-west-1")
    (call,) = shell.calls
    assert call[0] == "deploy"
    assert "--guided" not in call
    assert "--no-confirm-changeset" in call
    assert "--resolve-s3" in call
    assert option(call, "--capabilities") == "CAPABILITY_IAM"
    assert "--save-params" not in call


def test_what_it_would_do_can_be_shown_alone(shell: Shell) -> None:
    shell.run("pulse", AWS_REGION="eu-west-1", SHOW="1")
    shell.run("pulse")
    shown, done = shell.calls
    assert "--no-execute-changeset" in shown
    assert "--no-execute-changeset" not in done


def test_what_was_shown_alone_is_not_done_by_a_later_run(shell: Shell) -> None:
    shell.run("pulse", "WriteRate=900", AWS_REGION="eu-west-1", SHOW="1")
    shell.run("pulse")
    shown, done = map(overrides, shell.calls)
    assert (shown["WriteRate"], done["WriteRate"]) == ("900", "500")


def test_what_belongs_together_is_taken_together(shell: Shell) -> None:
    given = (f"PagesCertificateArn={CERTIFICATE}", "PagesDomain=a.example.com", "BudgetAmount=9")
    assert shell.run("pulse", *given, "BudgetEmail=a@example.com", AWS_REGION="eu-west-1") == 0
    assert overrides(shell.calls[0])["PagesDomain"] == "a.example.com"


def test_every_parameter_is_told_and_those_given_are_kept(shell: Shell) -> None:
    arguments = ["IntradayRate=rate(15 minutes)", "AlarmTopic=arn:aws:sns:eu-west-1:123456789012:a"]
    shell.run("pulse", *arguments, AWS_REGION="eu-west-1")
    shell.run("pulse")
    shell.run("pulse", "AlarmTopic=")
    first, later, without = map(overrides, shell.calls)
    defaults = {name: str(p["Default"]) for name, p in TEMPLATE["Parameters"].items()}
    given = dict(text.split("=", 1) for text in arguments)
    assert first == later == defaults | given | {"PandasLayer": ARN}
    assert without == defaults | {"PandasLayer": ARN, "IntradayRate": "rate(15 minutes)"}
    assert "AlarmTopic" not in shell.kept()


def test_an_empty_value_brings_the_default_back(shell: Shell) -> None:
    shell.run("pulse", "PandasLayer=own", "WriteRate=7", AWS_REGION="eu-west-1")
    shell.run("pulse", "PandasLayer=", "WriteRate=")
    assert overrides(shell.calls[1])["PandasLayer"] == ARN
    assert overrides(shell.calls[1])["WriteRate"] == "500"
    assert shell.kept().endswith("[parameters]\n")


def test_what_is_kept_may_be_edited(shell: Shell) -> None:
    shell.run("pulse", AWS_REGION="eu-west-1")
    path = shell.folder / ".stacks" / "pulse.toml"
    edited = path.read_text() + "# twice as many as before\nWriteRate = 1000\n"
    path.write_text(edited)
    shell.run("pulse")
    assert overrides(shell.calls[1])["WriteRate"] == "1000"
    assert path.read_text() == edited


def test_a_file_that_cannot_be_read_is_named(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run("pulse", AWS_REGION="eu-west-1")
    (shell.folder / ".stacks" / "pulse.toml").write_text("region = eu")
    assert shell.run("pulse") == 1
    assert "pulse.toml cannot be read" in capsys.readouterr().err


def test_two_stacks_have_answers_of_their_own(shell: Shell) -> None:
    shell.run("pulse", "WriteRate=7", AWS_REGION="eu-west-1")
    shell.run("pulse-test", AWS_REGION="us-east-1")
    assert overrides(shell.calls[1])["WriteRate"] == "500"
    assert "us-east-1" in shell.kept("pulse-test")


def test_a_stack_that_was_deployed_from_elsewhere_keeps_its_parameters(shell: Shell) -> None:
    shell.region.stack = {
        "WriteRate": "900",
        "ReadRate": "100",
        "PandasLayer": CRASHING,
        "Dropped": "long ago",
    }
    shell.run("pulse", AWS_REGION="eu-west-1")
    assert overrides(shell.calls[0])["WriteRate"] == "900"
    assert overrides(shell.calls[0])["PandasLayer"] == ARN
    assert "Dropped" not in overrides(shell.calls[0])
    assert "ReadRate" not in shell.kept()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "STACK=NAME"),
        (("",), "STACK=NAME"),
        (("--ask",), "STACK=NAME"),
        (("Pulse",), "small letters"),
        (("my_stack",), "small letters"),
        (("p" * 98,), "97 in all"),
        (("pulse", "AlarmTopic"), "PARAMETER=VALUE"),
        (("pulse", "AlarmTopics=a"), "no parameter AlarmTopics"),
        (("pulse", "AlarmTopics="), "no parameter AlarmTopics"),
        (("pulse", "AlarmTopic=mail@example.com"), "AlarmTopic=mail@example.com"),
        (("pulse", "LogRetentionDays=8"), "allowed are 7, 14"),
        (("pulse", "WriteRate=many"), "WriteRate=many is no number"),
        (("pulse", "WriteWindowSeconds=0"), "WriteWindowSeconds=0: the least is 1"),
        (("pulse", "FinanceCloseDays=367"), "FinanceCloseDays=367: the greatest is 366"),
        (("pulse", "BudgetAmount=200"), "needs a BudgetEmail or an AlarmTopic"),
        (("pulse", "PagesDomain=a.example.com"), "PagesDomain needs a PagesCertificateArn"),
        (("pulse", f"PagesCertificateArn={CERTIFICATE}"), "is for a PagesDomain"),
    ],
)
def test_what_aws_would_refuse_is_refused_before_sam_begins(
    shell: Shell, arguments: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.run(*arguments, AWS_REGION="eu-west-1") == 1
    assert reason in capsys.readouterr().err
    assert shell.calls == []
    assert not (shell.folder / ".stacks").exists()


def test_a_region_without_awss_layer_is_told_with_what_there_is_instead(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.region.layers = {}
    assert shell.run("pulse", AWS_REGION="eu-west-1") == 1
    told = capsys.readouterr().err
    assert LAYER_OF_AWS in told
    assert "make deploy STACK=pulse PARAMETERS=PandasLayer=own" in told
    assert "PandasLayer=arn:" in told
    assert shell.calls == []


@pytest.mark.parametrize("layer", ["own", ARN.replace("AWSSDKPandas", "ours")])
def test_another_layer_needs_nothing_of_awss(shell: Shell, layer: str) -> None:
    shell.region.layers = {}
    shell.run("pulse", f"PandasLayer={layer}", AWS_REGION="eu-west-1")
    shell.run("pulse")
    assert [overrides(call)["PandasLayer"] for call in shell.calls] == [layer] * 2


@pytest.mark.parametrize("layer", [CRASHING, CRASHING_LAYER])
def test_the_layer_that_crashes_is_refused_with_the_reason(
    shell: Shell, layer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.run("pulse", f"PandasLayer={layer}", AWS_REGION="eu-west-1") == 1
    assert "crashes on every datetime64" in capsys.readouterr().err
    assert shell.calls == []


def test_awss_layer_is_the_version_that_the_tests_run_with() -> None:
    assert f"awswrangler=={LAYER_OF_AWS.split('/')[4]} " in (ROOT / "requirements.txt").read_text()


def test_the_longest_name_fits_where_the_template_writes_it() -> None:
    distribution = TEMPLATE["Resources"]["Pages"]["Properties"]["DistributionConfig"]
    comment = distribution["Comment"]["Fn::Sub"].replace("${AWS::StackName}", "p" * 97)
    assert sam_deploy.STACK_NAME.fullmatch("p" * 97)
    assert len(comment) <= 128  # CloudFront's limit


def test_sams_failure_is_makes(shell: Shell) -> None:
    assert shell.run("pulse", AWS_REGION="eu-west-1", FAKE_SAM_EXITS="3") == 3


def stubbed(
    monkeypatch: pytest.MonkeyPatch, service: str, prepare: Callable[[Stubber], Any]
) -> None:
    make_client: Any = boto3.client
    client = make_client(
        service, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    stubber = Stubber(client)
    prepare(stubber)
    stubber.activate()
    monkeypatch.setattr(boto3, "client", lambda name, region_name: client)


def test_a_layer_is_looked_up_in_the_regions_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(ssm: Stubber) -> None:
        asked = {"Name": LAYER_OF_AWS}
        ssm.add_response("get_parameter", {"Parameter": {"Value": ARN}}, asked)
        ssm.add_client_error("get_parameter", "ParameterNotFound", expected_params=asked)
        ssm.add_client_error("get_parameter", "AccessDeniedException", "not allowed")

    stubbed(monkeypatch, "ssm", prepare)
    region = AwsRegion("eu-west-1")
    assert region.layer(LAYER_OF_AWS) == ARN
    assert region.layer(LAYER_OF_AWS) is None
    with pytest.raises(DeployError, match="not allowed"):
        region.layer(LAYER_OF_AWS)


def test_an_existing_stack_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stack: Mapping[str, Any] = {
        "StackName": "pulse",
        "CreationTime": "2026-11-30T00:00:00Z",
        "StackStatus": "CREATE_COMPLETE",
        "Parameters": [{"ParameterKey": "WriteRate", "ParameterValue": "900"}],
    }

    def prepare(stacks: Stubber) -> None:
        stacks.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "pulse"})
        gone = "Stack with id pulse does not exist"
        stacks.add_client_error("describe_stacks", "ValidationError", gone)
        stacks.add_client_error("describe_stacks", "ExpiredToken", "the token has expired")

    stubbed(monkeypatch, "cloudformation", prepare)
    region = AwsRegion("eu-west-1")
    assert region.parameters("pulse") == {"WriteRate": "900"}
    assert region.parameters("pulse") == {}
    with pytest.raises(DeployError, match="the token has expired"):
        region.parameters("pulse")


def make(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """make on its own, not as a part of the make that runs the tests."""
    program = shutil.which("make")
    assert program
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        [program, *arguments],
        cwd=ROOT,
        env=alone,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_make_deploy_without_a_stack_ends_at_once() -> None:
    done = make("deploy")
    assert done.returncode != 0
    assert "make deploy STACK=NAME" in done.stdout + done.stderr
    assert "sam" not in done.stdout


def test_make_deploy_hands_on_the_stack_and_its_parameters() -> None:
    """make only prints what it would run."""
    asked = "PARAMETERS=IntradayRate='rate(15 minutes)' WriteRate=7"
    last = make("--dry-run", "deploy", "STACK=pulse", asked).stdout.splitlines()
    asked_first, deployed = [text for text in last if "local.sam_deploy" in text]
    handed_on = """"pulse" IntradayRate='rate(15 minutes)' WriteRate=7"""
    assert asked_first.endswith(f"-m local.sam_deploy --ask {handed_on}")
    assert deployed.endswith(f"-m local.sam_deploy {handed_on}")
    (built,) = [text for text in last if "sam build" in text]
    assert last.index(asked_first) < last.index(built) < last.index(deployed)


def test_answers_outlive_make_clean_and_stay_out_of_git() -> None:
    assert ".stacks" not in make("--dry-run", "clean").stdout
    assert ".stacks/" in (ROOT / ".gitignore").read_text().splitlines()


def test_nothing_that_git_keeps_holds_a_deployments_answers() -> None:
    """sam would read such a file, and write it again in its guided mode."""
    assert not (ROOT / "samconfig.toml").exists()
