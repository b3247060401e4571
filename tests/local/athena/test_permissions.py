"""With moto's IAM checks on, a statement may do only what its caller may do on S3 and in Glue."""

import json
from collections.abc import Callable

import pytest
from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin

from tests.local.athena.conftest import SESSION, Lake

ATHENA = ["athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults"]
GLUE = ["glue:GetTable", "glue:GetPartitions"]
READ = ["s3:ListBucket", "s3:GetObject"]
WRITE = ["s3:PutObject"]


def policy(actions: list[str]) -> str:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def table(lake: Lake) -> None:
    """A table `t` to read."""
    lake.table("t", {"n": "bigint"})
    lake.put("t/a.parquet", {"n": [1]})


@pytest.fixture
def user_with(table: None) -> Callable[[list[str]], Lake]:
    """Makes a user who may do these actions."""
    iam = SESSION.client("iam")

    def make(actions: list[str]) -> Lake:
        name = f"user-{len(actions)}"
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(actions))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Lake(
            aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )

    return make


def judge_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on moto checks the rights of every call."""
    monkeypatch.setattr(settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)
    monkeypatch.setattr(ActionAuthenticatorMixin, "request_count", 0)


def test_a_caller_with_every_right_gets_the_rows(
    user_with: Callable[[list[str]], Lake], monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = user_with([*ATHENA, *GLUE, *READ, *WRITE])
    judge_every_call(monkeypatch)
    assert caller.rows("SELECT n FROM t") == [("1",)]


@pytest.mark.parametrize(
    "rights",
    [
        [*ATHENA, *READ, *WRITE],
        [*ATHENA, *GLUE, "s3:ListBucket", *WRITE],
        [*ATHENA, *GLUE, "s3:GetObject", *WRITE],
        [*ATHENA, *GLUE, *READ],
    ],
    ids=["no catalogue", "no object", "no listing", "no result"],
)
def test_a_caller_who_lacks_a_right_is_failed_even_if_another_has_read_the_object(
    lake: Lake,
    user_with: Callable[[list[str]], Lake],
    monkeypatch: pytest.MonkeyPatch,
    rights: list[str],
) -> None:
    assert lake.rows("SELECT n FROM t") == [("1",)]
    caller = user_with(rights)
    judge_every_call(monkeypatch)
    assert caller.reason("SELECT n FROM t").startswith("PERMISSION_DENIED")


@pytest.mark.usefixtures("table")
def test_a_role_reads_as_far_as_its_policy_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    iam, sts = SESSION.client("iam"), SESSION.client("sts")
    callers = []
    for name, rights in (("all", [*ATHENA, *GLUE, *READ, *WRITE]), ("blind", [*ATHENA, *GLUE])):
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(rights))
        given = sts.assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
        callers.append(
            Lake(
                aws_access_key_id=given["AccessKeyId"],
                aws_secret_access_key=given["SecretAccessKey"],
                aws_session_token=given["SessionToken"],
            )
        )
    judge_every_call(monkeypatch)
    assert callers[0].rows("SELECT n FROM t") == [("1",)]
    assert callers[1].reason("SELECT n FROM t").startswith("PERMISSION_DENIED")
