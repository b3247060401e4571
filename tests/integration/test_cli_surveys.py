"""`pulse survey list` and `pulse survey close`."""

from tests.shell import Shell


def test_surveys_are_listed_with_what_they_ask(shell: Shell) -> None:
    tenant = shell.tenant("email")
    asked = ("--metric", "csat", "--scale", "1-5", "--style", "faces", "--question", "Nice?")
    shell.run("survey", "add", tenant, "site", *asked)
    email, site = shell.json("survey", "list", tenant)
    assert (email["id"], email["metric"], email["scale"]) == ("email", "nps", "0-10")
    assert (site["style"], site["question"], site["languages"]) == ("faces", "Nice?", ["en"])
    assert "Nice?" in shell.run("survey", "list", tenant).output
    assert shell.json("survey", "list", shell.tenant()) == []


def test_a_closed_survey_is_shown_nowhere_and_keeps_what_was_answered(shell: Shell) -> None:
    tenant = shell.tenant("email")
    driver = shell.driver
    publishable = driver.key(tenant, "publishable")

    def shown() -> tuple[int, str | None]:
        driver.forget()
        answer = driver.call("GET", "/v1/surveys/email", key=publishable)
        return answer.status, answer.json.get("code")

    assert shown() == (200, None)
    assert shell.json("survey", "close", tenant, "email")["state"] == "closed"
    assert shown() == (404, "survey_closed")
    assert [one["state"] for one in shell.json("survey", "list", tenant)] == ["closed"]
    before = {"survey_id": "email", "score": 9, "answered_at": "2026-01-05T10:00:00Z"}
    assert driver.post(tenant, [before]).status == 202
    shell.run("survey", "add", tenant, "email", "--metric", "nps", "--scale", "0-10")
    assert shown() == (404, "survey_closed")  # a change of its texts does not open it
    shell.run("survey", "close", tenant, "email", "--reopen")
    assert shown() == (200, None)
    assert "no survey" in shell.run("survey", "close", tenant, "x", code=2).stderr
