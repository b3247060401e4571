"""How the options of `pulse survey add` become rules for showing a survey."""

import pytest

from pulse.cli.exits import WrongUseError
from pulse.cli.surveys import _display, _display_in_words
from pulse.tenants.surveys import Display


def changed(
    before: Display,
    *,
    trigger: str | None = None,
    delay: int | None = None,
    event: str | None = None,
    sample: int | None = None,
    again: int | None = None,
) -> Display:
    return _display(before, trigger, delay, event, sample, again)


def test_what_is_not_given_stays() -> None:
    before = Display("event", event="done", sample_pct=10, again_days=90)
    assert changed(before) == before
    assert changed(before, sample=20) == Display(
        "event", event="done", sample_pct=20, again_days=90
    )


def test_a_delay_or_an_event_is_a_trigger_by_itself() -> None:
    assert changed(Display(), delay=5) == Display("delay", delay=5)
    assert changed(Display("delay", delay=5), event="done") == Display("event", event="done")
    assert changed(Display("event", event="done"), trigger="api") == Display("api")


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"trigger": "button", "delay": 5}, "--delay and --trigger button contradict"),
        ({"trigger": "api", "event": "x"}, "--event and --trigger api contradict"),
        ({"event": "x", "delay": 5}, "contradict"),
        ({"trigger": "event"}, "needs the event's name"),
        ({"sample": 101}, "sample_pct lies within 0 and 100"),
    ],
)
def test_what_contradicts_itself(given: dict[str, object], complaint: str) -> None:
    with pytest.raises(WrongUseError, match=complaint):
        changed(Display(), **given)  # type: ignore[arg-type] # of several kinds


@pytest.mark.parametrize(
    ("display", "words"),
    [
        (Display(), "behind a button"),
        (Display("api"), "when the page calls Pulse.show"),
        (Display("delay", delay=9), "after 9 s, to 100 % of visitors, again after 30 days"),
        (
            Display("event", event="done", sample_pct=10, again_days=90),
            "at the event done, to 10 % of visitors, again after 90 days",
        ),
    ],
)
def test_it_is_told_in_words(display: Display, words: str) -> None:
    assert _display_in_words(display) == words
