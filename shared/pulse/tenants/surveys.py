"""Surveys: what is asked, on which scale, and the rules that were in force when."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pulse.tenants.rules import Rule

STYLES = ("faces", "stars", "numbers")
RIGHT_TO_LEFT = ("ar", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi")
DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True)
class Texts:
    """What a page shows in one language; `labels` name the scores from the lowest on."""

    question: str
    thanks: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Survey:
    """A survey of a tenant. `rules` are (in force since µs, rule), oldest first."""

    tenant: str
    id: str
    rules: tuple[tuple[int, Rule], ...]
    style: str = "numbers"
    texts: Mapping[str, Texts] = field(default_factory=dict)
    default_language: str = DEFAULT_LANGUAGE

    @property
    def current_rule(self) -> Rule:
        """The newest rule; it may be about to begin."""
        return self.rules[-1][1]

    def rule_at(self, us: int) -> Rule:
        """The rule in force at an instant; before the first one began, the first."""
        in_force = [rule for since, rule in self.rules if since <= us]
        return in_force[-1] if in_force else self.rules[0][1]

    def language(self, wanted: str | None) -> str:
        """The best language that the survey has: as wanted, its base language, the default."""
        for language in (wanted, (wanted or "").split("-")[0], self.default_language):
            if language and language in self.texts:
                return language
        return self.default_language


def direction(language: str) -> str:
    """How a language is written: `ltr` or `rtl`."""
    return "rtl" if language.split("-")[0] in RIGHT_TO_LEFT else "ltr"
