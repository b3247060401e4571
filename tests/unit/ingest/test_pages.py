"""What GET /v1/surveys/{id} says to a page beside the texts of the survey."""

from dataclasses import replace
from datetime import datetime

import pytest

from pulse import days
from pulse.ingest.pages import page
from pulse.ingest.reader import AHEAD_S
from pulse.ingest.translations import LANGUAGES, ends, translation
from pulse.streams.responses import METRICS
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Display, Survey, Texts
from pulse.tenants.tenant import Tenant

TENANT = Tenant("t", "The name within")
CSAT = ((0, Rule.make("csat", 1, 5)),)


def test_every_language_has_every_word_and_both_ends_of_every_metric() -> None:
    for language in LANGUAGES:
        assert all(translation(language).values()), language
        assert translation(language).keys() == translation("en").keys()
        for metric in METRICS:
            low, high = ends(metric, language, lower_is_better=False)
            assert low and high and low != high
            assert language == "en" or low != ends(metric, "en", lower_is_better=False)[0]


def test_words_follow_the_base_language_and_fall_back_to_english() -> None:
    assert translation("de-AT") == translation("de")
    assert translation("cs") == translation("en")


def test_the_ends_are_the_labels_where_there_are_any() -> None:
    texts = {"en": Texts("How?", "Ta", ("Bad", "So-so", "OK", "Good", "Great"))}
    assert page(TENANT, Survey("t", "s", CSAT, texts=texts), "en")["ends"] == ["Bad", "Great"]


def test_the_ends_swap_where_lower_is_better() -> None:
    rules = ((0, Rule.make("ces", 1, 7, lower_is_better=True)),)
    shown = page(TENANT, Survey("t", "s", rules), "en")
    assert shown["scale"] == {"min": 1, "max": 7, "lower_is_better": True}
    assert shown["ends"] == ["Very easy", "Very difficult"]


def test_a_page_learns_the_time_and_when_to_show(noon: datetime) -> None:
    display = Display("delay", delay=20, sample_pct=10, again_days=90)
    shown = page(TENANT, Survey("t", "s", CSAT, display=display), None)
    assert shown["served_at"] == days.iso(days.to_us(noon))
    assert 0 < shown["fresh_s"] <= AHEAD_S  # the API takes what a page may be wrong by
    assert shown["display"] == {
        "trigger": "delay",
        "delay": 20,
        "event": None,
        "sample_pct": 10,
        "again_days": 90,
    }


def test_who_asks_is_what_the_tenant_says_in_public_and_not_its_name_within() -> None:
    survey = Survey("t", "s", CSAT)
    assert page(TENANT, survey, None)["asked_by"] == {
        "name": None,
        "logo_url": None,
        "privacy_url": None,
    }
    public = replace(
        TENANT,
        display_name="Zoë & Söhne",
        logo_url="https://cdn.example/l.svg",
        privacy_url="https://example.com/privacy",
    )
    assert page(public, survey, None)["asked_by"] == {
        "name": "Zoë & Söhne",
        "logo_url": "https://cdn.example/l.svg",
        "privacy_url": "https://example.com/privacy",
    }


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ({"trigger": "always"}, "trigger must be one of"),
        ({"trigger": "event"}, "has the event's name"),
        ({"event": "done"}, "has the event's name"),
        ({"trigger": "event", "event": "x" * 65}, "1 to 64 characters"),
        ({"delay": -1}, "delay lies within"),
        ({"sample_pct": 101}, "sample_pct lies within"),
        ({"again_days": 4000}, "again_days lies within"),
    ],
)
def test_rules_that_no_widget_could_follow(rule: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Display(**rule)  # type: ignore[arg-type] # wrong on purpose


@pytest.mark.parametrize("wanted", ["pt", "PT", "pt_BR", "pt-br", "pt-Latn-BR"])
def test_a_language_is_found_however_its_tag_is_written(wanted: str) -> None:
    texts = {"en": Texts("How?", "Ta"), "pt": Texts("Como?", "Obrigado")}
    assert page(TENANT, Survey("t", "s", CSAT, texts=texts), wanted)["language"] == "pt"


def test_a_variant_that_the_survey_has_comes_before_its_base_language() -> None:
    texts = {"pt": Texts("Como?", "Obrigado"), "pt-BR": Texts("Como foi?", "Valeu")}
    assert page(TENANT, Survey("t", "s", CSAT, texts=texts), "PT_br")["language"] == "pt-BR"
