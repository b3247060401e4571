"""Every function runs under its own role, and no role allows what is never used.

One event of each kind goes the whole way on the embedded stack, where IAM judges every call. Then
each right of each role is taken away in thought: some call of the run must have needed it. What
AWS alone asks for stands in UNSEEN, with its reason. docs/decisions/0019 says more.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from local.iam import CONTEXT_KEYS, Permission, permitted
from local.stack import PERMISSIONS, Stack
from pulse import days, lake
from pulse.raw.compact import LEAST_OBJECTS
from pulse.store import clients
from pulse.store.compactions import Compaction, Compactions
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.keys import Key, new_key_text, sha256
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Survey, Texts
from pulse.tenants.tenant import Tenant
from tests.unit.raw.mmdb import database

pytestmark = pytest.mark.only_whole

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
COUNTRIES = "config/countries.mmdb"
PARAMETERS = {
    "WriteWindowSeconds": "1",
    "RememberSeconds": "0",
    "CountryDatabase": COUNTRIES,
    "LargestTenantRows": "1",
    "MostComments": "1",
}
BUSY_FOR_S = 60
COMMENTS = iter(("Called once", "Called twice"))
"""Another one each time that something is written."""

ATHENA_IN_PARTS = "Athena writes large results in parts, and gives up parts of a failed statement"
ATHENA_READS = "Athena's documentation asks for it of whoever reads a table"
ATHENA_DEFAULT = "its guide calls it mandatory for whoever may use one database only"
TOO_LITTLE_TIME = "it wakes itself where fifteen minutes are too few"
UNSEEN = {
    ("*", "athena:StopQueryExecution", "*"): "a statement that takes as long as a function may",
    ("*", "s3:GetBucketLocation", "*"): "Athena asks where the bucket of its results is",
    ("*", "s3:ListBucketMultipartUploads", "*"): ATHENA_IN_PARTS,
    ("*", "s3:ListMultipartUploadParts", "*"): ATHENA_IN_PARTS,
    ("ExportRows", "s3:AbortMultipartUpload", "*/exports/*"): "a large file's upload may fail",
    ("*", "s3:AbortMultipartUpload", "*"): ATHENA_IN_PARTS,
    ("ExportRows", "s3:GetObject", "*/athena/*"): "Athena's documentation asks for it of results",
    ("*", "glue:GetDatabase", "*"): ATHENA_READS,
    ("*", "glue:GetDatabases", "*"): ATHENA_READS,
    ("*", "glue:CreateDatabase", "*"): ATHENA_DEFAULT,
    ("*", "glue:GetPartition", "*"): ATHENA_READS,
    ("*", "glue:BatchGetPartition", "*"): ATHENA_READS,
    ("BuildDaily", "glue:GetPartitions", "*/raw_*"): ATHENA_READS,
    ("BuildReports", "glue:GetPartitions", "*/large_*"): ATHENA_READS,
    ("ServeReports", "glue:GetPartitions", "*"): ATHENA_READS,
    ("ServeReports", "dynamodb:DeleteItem", "*"): "a statement for a question may fail",
    ("ServeReports", "s3:GetObject", "*/athena/*"): "Athena's documentation asks for it of results",
    ("ExportRows", "glue:GetPartitions", "*"): ATHENA_READS,
    ("ExportRevenue", "events:PutEvents", "*"): TOO_LITTLE_TIME,
    ("CompactRaw", "events:PutEvents", "*"): TOO_LITTLE_TIME,
    ("Housekeep", "events:PutEvents", "*"): TOO_LITTLE_TIME,
    ("*", "sqs:SendMessage", "*FailedEvents*"): "Lambda sends what a function failed at each time",
}
"""What this run cannot need: role, action and resource, and when it is needed."""


@dataclass
class Run:
    """One run of everything, and what it needed."""

    stack: Stack
    log_dir: Path

    @property
    def outputs(self) -> Mapping[str, str]:
        return self.stack.deployment.outputs

    @property
    def lake(self) -> str:
        return self.outputs["LakeBucket"]

    def request(self, method: str, path: str, key: str, body: Any = None) -> requests.Response:
        """Sends a request to the API; fails the test unless it is answered well."""
        reply = requests.request(
            method,
            self.stack.api_url + path,
            headers={"Authorization": f"Bearer {key}"},
            json=body,
            timeout=30,
        )
        assert reply.ok, reply.text
        return reply

    def settle(self) -> None:
        self.stack.wait_until_idle(BUSY_FOR_S)

    def build(self) -> None:
        """Raw to finance: one builder wakes the next."""
        self.settle()
        self.stack.invoke("BuildDaily", {})
        self.settle()

    @property
    def roles(self) -> dict[str, str]:
        """The names of the roles, by the function or the output of the template."""
        arns = {name: f.role_arn for name, f in self.stack.deployment.functions.items()}
        arns["FinanceRole"] = self.outputs["FinanceRole"]
        return {name: arn.rsplit("/", 1)[1] for name, arn in arns.items()}

    def needed(self, role: str) -> list[Permission]:
        """Everything that the calls of a role needed."""
        lines = (self.log_dir / PERMISSIONS).read_text().splitlines()
        judged = map(Permission.read, lines)
        return [needed for caller, needed in judged if f":assumed-role/{role}/" in caller]

    def rights(self, role: str) -> set["Right"]:
        """Everything that a role allows."""
        made = self.stack.deployment.of_type("AWS::IAM::Role").values()
        (found,) = [one.properties for one in made if one.physical_id == role]
        return {
            right
            for policy in found["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            for right in rights_of(statement)
        }

    @cached_property
    def finance(self) -> Any:
        """The S3 client of somebody who took the finance role."""
        role = self.outputs["FinanceRole"]
        sts = self.stack.client("sts")
        given = sts.assume_role(RoleArn=role, RoleSessionName="finance")["Credentials"]
        return boto3.client(
            "s3",
            endpoint_url=self.stack.endpoint_url,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )


@dataclass(frozen=True)
class Right:
    """The smallest piece of a role: one action on one resource, under one value of a condition."""

    action: str
    resource: str
    condition: tuple[str, str, str] | None
    """Operator, key and value, of those that the embedded IAM judges."""

    @property
    def statement(self) -> dict[str, Any]:
        """A statement that allows this alone."""
        condition = {}
        if self.condition:
            operator, key, value = self.condition
            condition = {operator: {key: value}}
        return {
            "Effect": "Allow",
            "Action": self.action,
            "Resource": self.resource,
            "Condition": condition,
        }


def rights_of(statement: Mapping[str, Any]) -> Iterator[Right]:
    """All pieces of a statement."""
    conditions: list[tuple[str, str, str] | None] = [
        (operator, key, value)
        for operator, asked in statement.get("Condition", {}).items()
        for key, values in asked.items()
        for value in texts(values)
        if key in CONTEXT_KEYS
    ]
    for action, resource, condition in product(
        texts(statement["Action"]), texts(statement["Resource"]), conditions or [None]
    ):
        yield Right(action, resource, condition)


def texts(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A stack on which everything has happened."""
    logs = tmp_path_factory.mktemp("logs")
    with (
        pytest.MonkeyPatch.context() as patch,
        Stack.start(TEMPLATE, port=0, parameters=PARAMETERS, log_dir=logs) as stack,
    ):
        _forget_clients()
        for name, value in stack.admin_credentials.items():
            patch.setenv(name, value)
        run = Run(stack, logs)
        do_everything(run)
        yield run
    _forget_clients()


def _forget_clients() -> None:
    """The next client is made with the credentials of then."""
    clients._made.cache_clear()
    clients._session.cache_clear()


def do_everything(run: Run) -> None:
    """Every function does all that it ever does, at least once."""
    s3 = run.stack.client("s3")
    s3.put_object(Bucket=run.lake, Key=COUNTRIES, Body=database({"192.0.2.0/24": {}}))
    publishable, secret = tenant(run.outputs["Table"])
    now = days.now()
    linked_over_another_number_of_days(run)
    write(run, publishable, secret, now)
    run.build()
    write(run, publishable, secret, now)  # days that are there already change
    run.build()
    read(run, secret)
    export(run, secret, now)
    compact(run, (now - timedelta(days=60)).date())
    clear_up(run)
    fetch(run)


def linked_over_another_number_of_days(run: Run) -> None:
    """There is the record of a builder from before LinkDays was changed, which is removed."""
    Ledger(run.outputs["Table"]).changes.begin("experience-1", lake.ulid())


def tenant(table: str) -> tuple[str, str]:
    """A tenant with a survey; its publishable and its secret key."""
    tenants = Tenants(table)
    tenants.create(Tenant("acme", "Acme", "UTC"))
    texts = {"en": Texts("How was it?", "Thank you.")}
    rules = ((0, Rule.make("csat", 1, 5)),)
    tenants.put_survey(Survey("acme", "support", rules, texts=texts))
    made = {kind: new_key_text(kind) for kind in ("publishable", "secret")}
    for kind, text in made.items():
        tenants.add_key(Key(sha256(text), kind, "acme", days.now_us()))
    return made["publishable"], made["secret"]


def write(run: Run, publishable: str, secret: str, now: datetime) -> None:
    """Events of each stream, of a closed month too, and a message that cannot be read."""
    past = (now - timedelta(days=60)).isoformat()
    run.request("GET", "/v1/surveys/support", publishable)
    run.request("POST", "/v1/responses", publishable, {"survey_id": "support", "score": 5})
    answers = [{"survey_id": "support", "score": 4, "agent_id": "a", "agent_name": "Ada"}]
    answers[0]["comment"] = next(COMMENTS)
    run.request("POST", "/v1/batch/responses", secret, {"responses": answers})
    call = {"interaction_id": days.iso(days.now_us()), "media_type": "voice", "entered_at": past}
    paid = {"revenue": {"amount": "12.50", "currency": "EUR"}, "finished_at": past}
    run.request("POST", "/v1/interactions", secret, call | paid)
    # answers of today may be linked to what enters today
    recent = {"interaction_id": "recent", "entered_at": days.iso(days.now_us())}
    run.request("POST", "/v1/interactions", secret, call | recent)
    session = {"session_id": "s", "agent_id": "a", "media_type": "voice", "day": past[:10]}
    seconds = {"active_seconds": 60, "engaged_seconds": 30}
    run.request("POST", "/v1/agent-sessions", secret, session | seconds)
    queue = run.outputs["QueueUrl"]
    run.stack.client("sqs").send_message(QueueUrl=queue, MessageBody="nobody can read this")


def read(run: Run, secret: str) -> None:
    """Reports over each table, and every kind of names."""
    preset = "preset=last_90_days"
    for path in ("daily", f"revenue?{preset}", f"agent-activity?{preset}", f"experience?{preset}"):
        run.request("GET", f"/v1/reports/{path}", secret)
    # no object covers this one: two answers make the tenant a large one here
    dates = f"start_date={days.now() - timedelta(days=9):%Y-%m-%d}&end_date={days.now():%Y-%m-%d}"
    path = f"csat?group_by=agent,country,browser&granularity=week&{dates}"
    assert run.request("GET", f"/v1/reports/{path}", secret).json()["meta"]["engine"] == "athena"
    comments = f"/v1/comments?{dates}"
    # those of a month are more than a process may hold here
    found = run.request("GET", f"{comments}&q=twice", secret).json()
    assert (found["count"], found["meta"]["engine"]) == (1, "athena")
    for dimension in ("agent", "survey"):
        run.request("GET", f"/v1/dimensions/{dimension}", secret)


def export(run: Run, secret: str, now: datetime) -> None:
    """Two exports are ordered, made one after the other, and fetched by their links."""
    wanted = {"stream": "responses", "start_date": f"{now:%Y-%m-01}", "end_date": f"{now:%Y-%m-%d}"}
    made = [run.request("POST", "/v1/exports", secret, wanted).headers["Location"] for _ in "12"]
    run.settle()
    for path in made:
        link = run.request("GET", path, secret).json()["link"]
        assert "support" in requests.get(link, timeout=30).text
    assert run.stack.invoke("OrderExports", {}) == {"woken": []}


def compact(run: Run, day: date) -> None:
    """Twice: the second time there is a manifest of the first."""
    s3, ledger = run.stack.client("s3"), Ledger(run.outputs["Table"])
    prefix = lake.raw_prefix("interactions", day)
    first = s3.list_objects_v2(Bucket=run.lake, Prefix=prefix)["Contents"][0]["Key"]
    source = {"Bucket": run.lake, "Key": first}
    for _ in range(2):
        for _ in range(LEAST_OBJECTS):
            key = lake.raw_key("interactions", day, lake.ulid())
            s3.copy_object(Bucket=run.lake, Key=key, CopySource=source)
            ledger.add("interactions", day)
        run.stack.invoke("CompactRaw", {})


def clear_up(run: Run) -> None:
    """What builds and compactions left behind long ago is removed, and a day that expired."""
    s3, ledger = run.stack.client("s3"), Ledger(run.outputs["Table"])
    long_ago, day = "01ARZ3NDEKTSV4RRFFQ69G5FAV", date(2020, 1, 1)
    runs = [lake.run_prefix(lake.SCORES, long_ago), lake.staging_prefix(lake.SCORES, long_ago)]
    runs.append(lake.large_run_prefix(lake.SCORES, "acme", long_ago))
    runs.append(f"{lake.COMMENT_STAGING}run={long_ago}/")
    names = (long_ago, lake.ulid(), lake.ulid())
    served, undone, made = (lake.raw_key("responses", day, name) for name in names)
    part = lake.part_prefix(lake.SCORES, "acme", 2020, long_ago)
    runs.append(part)
    for key in (*(f"{prefix}left" for prefix in runs), served, undone, made):
        s3.put_object(Bucket=run.lake, Key=key, Body=b"")
    compactions = Compactions(Objects(run.lake))
    over = Compaction("responses", day, long_ago, (made,), sources=(served,), finished_us=1)
    dead = Compaction("responses", day, lake.ulid(), sources=(undone,), finished_us=1)
    for one in (over, dead, Compaction("sessions", day, long_ago)):
        compactions.put(one)
    ledger.add("sessions", day)
    assert ledger.expire("sessions", day, 1)
    removed = run.stack.invoke("Housekeep", {})["removed"]
    expected = [*runs[:-1], part.rstrip("/"), over.key, dead.key, lake.raw_prefix("sessions", day)]
    assert sorted(removed) == sorted(expected)


def fetch(run: Run) -> None:
    """Finance lists its files and reads one."""
    bucket = run.outputs["FinanceBucket"]
    (key, *_) = revenue_files(run)
    run.finance.get_object(Bucket=bucket, Key=key)


def revenue_files(run: Run) -> list[str]:
    bucket = run.outputs["FinanceBucket"]
    listed = run.finance.list_objects_v2(Bucket=bucket, Prefix="revenue/tenant=acme/")
    return [found["Key"] for found in listed["Contents"]]


def test_the_run_was_refused_nothing(run: Run) -> None:
    for name, role in run.roles.items():
        needed, statements = run.needed(role), [right.statement for right in run.rights(role)]
        assert needed, f"{name} did nothing"
        assert [one for one in needed if not permitted(statements, one)] == []


def test_no_role_has_a_right_that_nothing_needed(run: Run) -> None:
    idle: set[tuple[str, Right]] = set()
    for name, role in run.roles.items():
        rights = run.rights(role)
        needed_alone = set()
        for one in run.needed(role):
            allowing = {right for right in rights if permitted([right.statement], one)}
            if len(allowing) == 1:  # without it the call would have been refused
                needed_alone |= allowing
        idle |= {(name, right) for right in rights - needed_alone}
    excused = {found: excuse(*found) for found in idle}
    unexcused = {f"{name}: {right}" for (name, right), why in excused.items() if why is None}
    assert unexcused == set()
    assert set(UNSEEN) - set(excused.values()) == set(), "what the run has needed after all"


def excuse(role: str, right: Right) -> tuple[str, str, str] | None:
    """The entry of UNSEEN that is about the right."""
    asked = (role, right.action, right.resource)
    for entry in UNSEEN:
        if all(map(fnmatchcase, asked, entry)):
            return entry
    return None


def test_a_right_more_would_be_found(run: Run) -> None:
    """The test before relies on this: no part of a policy's statement is overlooked."""
    statement = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": ["a", "b"],
        "Condition": {"StringLike": {"s3:prefix": ["x", "y"]}, "Bool": {"aws:unknown": "true"}},
    }
    found = set(rights_of(statement))
    assert len(found) == 8
    assert Right("s3:PutObject", "b", ("StringLike", "s3:prefix", "y")) in found


def refused(call: Callable[[], Any]) -> bool:
    with pytest.raises(ClientError) as caught:
        call()
    return bool(caught.value.response["Error"]["Code"] == "AccessDenied")


def test_finance_reads_its_files_and_no_more(run: Run) -> None:
    finance, bucket = run.finance, run.outputs["FinanceBucket"]
    files = revenue_files(run)
    month = lake.revenue_prefix("acme", f"{days.now() - timedelta(days=60):%Y-%m}")
    assert {key.removeprefix(month) for key in files if key.startswith(month)} == {
        "manifest.json",
        "revenue.csv",
        "revenue.parquet",
        "adjustments/0001.csv",
        "adjustments/0001.parquet",
    }
    body = finance.get_object(Bucket=bucket, Key=f"{month}revenue.csv")["Body"].read()
    assert b',"voice",,,"EUR",1,12.5000,12.5000' in body

    prefix = lake.tenant_prefix(lake.INTERACTIONS, "acme")
    report = next(Objects(run.lake).keys(prefix))
    assert refused(lambda: finance.put_object(Bucket=bucket, Key=f"{month}x", Body=b""))
    assert refused(lambda: finance.delete_object(Bucket=bucket, Key=f"{month}revenue.csv"))
    assert refused(lambda: finance.get_object(Bucket=bucket, Key="elsewhere"))
    assert refused(lambda: finance.list_objects_v2(Bucket=bucket))
    assert refused(lambda: finance.get_object(Bucket=run.lake, Key=report))
    assert refused(lambda: finance.list_objects_v2(Bucket=run.lake))
