"""What `python -m local` takes from the environment, and says when it is asked for help."""

import pytest

from local.sample import run


@pytest.fixture(autouse=True)
def never(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*given: object, **named: object) -> None:
        raise AssertionError("a stack is started")

    monkeypatch.setattr(run, "_run", start)


@pytest.mark.parametrize("argument", ["-h", "--help"])
def test_help_tells_the_settings_and_starts_nothing(
    argument: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run.main([argument])
    assert ended.value.code == 0
    assert "PULSE_SAMPLE=0" in capsys.readouterr().out


def test_an_argument_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run.main(["--port=9000"])
    assert ended.value.code == 2
    assert "unrecognized arguments: --port=9000" in capsys.readouterr().err


def test_a_parameter_with_spaces_stands_in_quotation_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    given = "KeyWritesPerMinute=60 'IntradayRate=rate(1 minute)' Empty="
    monkeypatch.setenv("PULSE_PARAMETERS", given)
    assert run._parameters() == run.PARAMETERS | {
        "KeyWritesPerMinute": "60",
        "IntradayRate": "rate(1 minute)",
        "Empty": "",
    }


@pytest.mark.parametrize("given", ["IntradayRate=rate(1 minute)", "'IntradayRate=off"])
def test_what_is_no_parameter_is_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("PULSE_PARAMETERS", given)
    with pytest.raises(run.StartError, match="PULSE_PARAMETERS"):
        run._parameters()
