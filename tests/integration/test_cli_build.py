"""`pulse build`, `pulse check` and `pulse redrive` on a deployed stack."""

from pathlib import Path

import boto3
import pytest

from local.athena.faults import cancelled, next_executions
from pulse.store.events import Events
from pulse.store.queue import Queue, depth
from tests.shell import Shell


def test_build_says_what_it_rebuilt_and_does_nothing_twice(
    shell: Shell, answers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.json("build")  # what other tests have left
    tenant = shell.tenant("email")
    shell.load(tenant, answers)
    shell.driver.write()
    announced: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(Events, "announce", lambda events, kind: announced.append(kind))
        built = shell.json("build")
    assert announced == ["reports built"]  # nobody races the command for the reports
    assert built["days"] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert built["reports"] == [{"tenant": tenant, "year": 2026}]
    again = shell.json("build")
    assert (again["days"], again["reports"]) == ([], [])
    by_hand = shell.run("build", "--start", "2026-03-03", "--end", "2026-03-03")
    assert "days rebuilt: 2026-03-03\n" in by_hand.stdout
    assert "remembers for a minute" in by_hand.stderr
    idle = shell.run("build")
    assert "days rebuilt: none" in idle.stdout
    assert "remembers for a minute" not in idle.stderr


@pytest.mark.only_whole
def test_build_goes_on_to_the_reports_of_what_could_be_built_and_tells_what_could_not(
    shell: Shell, answers: Path
) -> None:
    tenant = shell.tenant("email")
    shell.load(tenant, answers)
    call = {"interaction_id": "i1", "media_type": "voice", "entered_at": "2026-03-02T12:00:00Z"}
    assert shell.driver.post_interactions(tenant, [call]).status == 202
    shell.driver.write()
    with next_executions(cancelled(), region="eu-central-1"):
        told = shell.run("build", code=1).stderr
    assert "CANCELLED" in told
    assert "the rest is built" in " ".join(told.split())
    assert {key.split("/")[1] for key in shell.driver.objects("reports/") if tenant in key} == {
        "experience",
        "interactions",
    }
    assert shell.json("build")["reports"] == [{"tenant": tenant, "year": 2026}]


def test_build_does_not_wait_for_ever_for_the_queue(shell: Shell, answers: Path) -> None:
    tenant = shell.tenant("email")
    shell.load(tenant, answers)
    assert "1 messages are still on their way" in shell.run("build", "--wait", "0").stderr
    shell.driver.write()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--start", "2026-03-01"], "come together"),
        (["--start", "2026-03-02", "--end", "2026-03-01"], "after --end"),
        (["--start", "soon", "--end", "later"], "a day such as"),
        (["--wait", "-1"], "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_built(shell: Shell, arguments: list[str], complaint: str) -> None:
    assert complaint in " ".join(shell.run("build", *arguments, code=2).stderr.split())


@pytest.mark.only_whole
def test_check_passes_on_a_sound_lake_and_fails_on_another(shell: Shell, answers: Path) -> None:
    tenant = shell.tenant("email")
    shell.load(tenant, answers)
    shell.driver.build()
    assert all(check["ok"] for check in shell.json("check"))
    (key,) = shell.driver.objects(f"reports/scores/tenant={tenant}/")
    whole = shell.driver.read(key)
    other = shell.tenant("email")
    answers.write_text("date,user,rating\n2026-03-02,u1,3\n")
    shell.load(other, answers)
    shell.driver.build()
    (foreign,) = shell.driver.objects(f"reports/scores/tenant={other}/")
    bucket = shell.driver.settings.lake_bucket
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=shell.driver.read(foreign))
    try:
        result = shell.run("check", code=1)
        assert "failed" in result.stdout
        assert "pulse: Failed: " in result.stderr
    finally:
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=whole)


def test_redrive_gives_dead_letters_another_chance(shell: Shell) -> None:
    outputs = shell.driver.deployment.outputs
    Queue(outputs["DeadLetterQueueUrl"]).send("not what write_raw reads", {})
    assert shell.json("redrive") == {"moved": 1}
    assert depth(outputs["DeadLetterQueueUrl"]) == 0
    assert [record["body"] for record in shell.driver.messages()] == ["not what write_raw reads"]
