"""What a page needs to ask a survey: the body of GET /v1/surveys/{id}."""

from typing import Any

from pulse import days
from pulse.tenants.surveys import Survey, Texts, direction

_NO_TEXTS = Texts(question="", thanks="")


def page(survey: Survey, wanted: str | None) -> dict[str, Any]:
    """The survey in the wanted language, or the nearest that it has.

    `labels` name the scores from the lowest on, or are empty. `display` are the rules for when
    to show it; a survey without any is shown always.
    """
    language = survey.language(wanted)
    texts = survey.texts.get(language, _NO_TEXTS)
    rule = survey.rule_at(days.now_us())
    return {
        "id": survey.id,
        "question": texts.question,
        "style": survey.style,
        "metric": rule.metric,
        "scale": {"min": rule.low, "max": rule.high},
        "labels": list(texts.labels),
        "thanks": texts.thanks,
        "language": language,
        "direction": direction(language),
        "display": {},
    }
