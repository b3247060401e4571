"""Two versions of Pulse on one stack read what the other has built."""

import pytest

from pulse import formats
from pulse.checks import run_checks
from pulse.formats import Format
from pulse.tenants.rules import Rule
from tests.driver import Driver

TO_TODAY = "start_date=2026-11-01&end_date=2026-11-21"


@pytest.mark.usefixtures("noon")
def test_what_a_newer_version_has_built_is_not_served_as_it_is_but_built_again(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.tenant("acme")
    driver.survey("acme", "email", Rule.make("nps", 0, 10))
    answers = [{"survey_id": "email", "score": score} for score in (9, 10, 3)]
    assert driver.post("acme", answers).status == 202
    with monkeypatch.context() as newer:
        newer.setattr(formats, "REPORT", Format(9, reader=9))
        _, built = driver.build()
        assert built.rewritten == (("acme", 2026),)
        before = driver.report("acme", "nps", TO_TODAY)
    driver.forget()
    for path in ("/v1/reports/nps", "/v1/dimensions/survey"):
        answer = driver.call("GET", f"{path}?{TO_TODAY}", key=driver.key("acme", "report"))
        assert (answer.status, answer.json["code"]) == (503, "built_by_newer_version")
        assert answer.headers["Retry-After"] == "60"
    assert reports_checked(driver) == "waiting"

    assert driver.build_reports().rewritten == (("acme", 2026),)
    driver.forget()
    after = driver.report("acme", "nps", TO_TODAY)
    assert after["rows"] == before["rows"]
    assert reports_checked(driver) == "ok"
    assert driver.build_reports().rewritten == ()


@pytest.mark.usefixtures("noon")
def test_what_only_adds_to_reports_is_served_until_it_is_built_again(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.tenant("globex")
    driver.survey("globex", "email", Rule.make("nps", 0, 10))
    assert driver.post("globex", [{"survey_id": "email", "score": 9}]).status == 202
    with monkeypatch.context() as newer:
        newer.setattr(formats, "REPORT", Format(9))
        driver.build()
    driver.forget()
    before = driver.report("globex", "nps")["totals"]
    assert ("globex", 2026) in driver.build_reports().rewritten
    driver.forget()
    assert driver.report("globex", "nps")["totals"] == before


def reports_checked(driver: Driver) -> str:
    """How the comparison of the score reports with their days comes out."""
    results = {result.name: result.state for result in run_checks(driver.settings)}
    return results["reports scores = daily_scores"]


@pytest.mark.usefixtures("noon")
def test_a_survey_with_a_rule_that_only_a_newer_version_knows_takes_no_answer_for_now(
    driver: Driver,
) -> None:
    """Answers to the other survey are accepted."""
    driver.tenant("umbrella")
    for survey in ("known", "newer"):
        driver.survey("umbrella", survey, Rule.make("nps", 0, 10))
    driver.tenants._records.update(
        "SURVEYS#umbrella",
        "newer",
        "SET #rules = :rules",
        names={"#rules": "rules"},
        values={":rules": [[0, "joy", "1-3"]]},
    )
    driver.forget()
    answer = driver.post("umbrella", [{"survey_id": "newer", "score": 1}])
    assert (answer.status, answer.json["code"]) == (503, "unavailable")
    assert driver.post("umbrella", [{"survey_id": "known", "score": 1}]).status == 202


@pytest.mark.usefixtures("noon")
def test_what_a_newer_version_adds_to_a_surveys_display_is_passed_over(driver: Driver) -> None:
    driver.tenant("initech")
    driver.survey("initech", "email", Rule.make("nps", 0, 10))
    driver.tenants._records.update(
        "SURVEYS#initech",
        "email",
        "SET display = :display",
        values={":display": {"trigger": "delay", "delay": 5, "corner": "left"}},
    )
    survey = driver.tenants.survey("initech", "email")
    assert survey is not None
    assert (survey.display.trigger, survey.display.delay) == ("delay", 5)
