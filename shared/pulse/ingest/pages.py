"""The body of GET /v1/surveys/{id}: what a page needs to show a survey."""

from dataclasses import asdict
from typing import Any

from pulse import days
from pulse.ingest.reader import AHEAD_S
from pulse.ingest.responses import PUBLISHABLE_BACK_S
from pulse.ingest.translations import ends, translation
from pulse.tenants.surveys import Survey, Texts, direction
from pulse.tenants.tenant import Tenant

FRESH_S = AHEAD_S
"""How many seconds a cache may keep the reply. It is as long as a clock may be ahead, because a
page cannot distinguish a clock that is ahead from a reply that comes from a cache."""

_NO_TEXTS = Texts(question="", thanks="")


def page(tenant: Tenant, survey: Survey, wanted: str | None) -> dict[str, Any]:
    """The tenant's survey in the language `wanted`, or in the nearest language that it has.

    `labels` are names of the scores, from the lowest to the highest, or empty; `ends` are names of
    the lowest and the highest and never empty. `words` are the texts of the page's own buttons and
    messages, `display` says when the widget shows itself, and `asked_by` is what the tenant says of
    itself in public. From `served_at` and `fresh_s` a page learns how wrong its visitor's clock is.
    `back_s` is how many seconds after it was given an answer can still be sent.
    """
    now_us = days.now_us()
    language = survey.language(wanted)
    texts = survey.texts.get(language, _NO_TEXTS)
    rule = survey.rule_at(now_us)
    by_metric = ends(rule.metric, language, lower_is_better=rule.lower_is_better)
    return {
        "id": survey.id,
        "question": texts.question,
        "style": survey.style,
        "metric": rule.metric,
        "scale": {"min": rule.low, "max": rule.high, "lower_is_better": rule.lower_is_better},
        "labels": list(texts.labels),
        "ends": [texts.labels[0], texts.labels[-1]] if texts.labels else list(by_metric),
        "thanks": texts.thanks,
        "language": language,
        "direction": direction(language),
        "words": dict(translation(language)),
        "display": asdict(survey.display),
        "asked_by": {
            "name": tenant.display_name or None,
            "logo_url": tenant.logo_url or None,
            "privacy_url": tenant.privacy_url or None,
        },
        "served_at": days.iso(now_us),
        "fresh_s": FRESH_S,
        "back_s": PUBLISHABLE_BACK_S,
    }
