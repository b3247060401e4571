"""What a page needs to ask a survey: the body of GET /v1/surveys/{id}."""

from dataclasses import asdict
from typing import Any

from pulse import days
from pulse.ingest.reader import AHEAD_S
from pulse.ingest.responses import PUBLISHABLE_BACK_S
from pulse.ingest.translations import ends, translation
from pulse.tenants.surveys import Survey, Texts, direction
from pulse.tenants.tenant import Tenant

FRESH_S = AHEAD_S
"""How long a cache may keep the reply. No longer than a clock may be ahead: a page cannot tell a
clock that is ahead from a reply that has lain in a cache."""

_NO_TEXTS = Texts(question="", thanks="")


def page(tenant: Tenant, survey: Survey, wanted: str | None) -> dict[str, Any]:
    """The tenant's survey in the wanted language, or the nearest that it has.

    `labels` name the scores from the lowest on, or are empty; `ends` name the lowest and the
    highest in any case. `words` are what the page's own buttons and messages say, `display` when
    the widget is to show it, `asked_by` who asks, as far as the tenant says so in public. By
    `served_at` and `fresh_s` a page sees how wrong its visitor's clock is, and `back_s` tells for
    how long an answer can be sent.
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
