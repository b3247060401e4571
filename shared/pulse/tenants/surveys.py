"""Surveys: their texts, scale, dated rules, and when a page shows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pulse.tenants.rules import Rule

STYLES = ("faces", "stars", "numbers")
AGENTS = ("free", "signed")
INTERACTIONS = ("signed", "free")
TRIGGERS = ("button", "delay", "event", "api")
RIGHT_TO_LEFT = ("ar", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi")
DEFAULT_LANGUAGE = "en"
EVENT_LIMIT = 64
_LONGEST_DELAY = 24 * 3600
_LONGEST_PAUSE = 3650


@dataclass(frozen=True)
class Texts:
    """A survey's texts in one language; `labels` are names of the scores, the lowest first."""

    question: str
    thanks: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Display:
    """When the widget opens a survey; the tag on the page may say otherwise.

    With `button` the visitor opens it, with `delay` it opens after so many seconds, with `event`
    when the host page reports that event, with `api` when the host page calls for it. `sample_pct`
    of a hundred visitors are asked, and none again within `again_days`. Raises ValueError for
    contradictory values.
    """

    trigger: str = "button"
    delay: int = 0
    event: str | None = None
    sample_pct: int = 100
    again_days: int = 30

    def __post_init__(self) -> None:
        if self.trigger not in TRIGGERS:
            raise ValueError(f"trigger must be one of {', '.join(TRIGGERS)}, not {self.trigger!r}")
        if (self.trigger == "event") != (self.event is not None):
            raise ValueError("the trigger event has the event's name, and no other trigger has one")
        if self.event is not None and not 1 <= len(self.event) <= EVENT_LIMIT:
            raise ValueError(f"an event's name has 1 to {EVENT_LIMIT} characters")
        for name, value, most in (
            ("delay", self.delay, _LONGEST_DELAY),
            ("sample_pct", self.sample_pct, 100),
            ("again_days", self.again_days, _LONGEST_PAUSE),
        ):
            if not 0 <= value <= most:
                raise ValueError(f"{name} lies within 0 and {most}; {value} does not")


GRACE_US = 3_600_000_000
"""How long after a survey is closed answers still count, from pages that were open then."""


@dataclass(frozen=True)
class Survey:
    """A survey of a tenant. `rules` are (in force since (µs), rule), the oldest first.

    If `agents` is "signed", an agent that comes with a publishable key counts only in a response
    from a link that was signed with `link_secret` (signatures.py). If `interactions` is "signed", a
    response that comes with such a key is linked to its interaction only if it comes from a link
    that was signed for it. Only ingest and the command may read the secret.
    """

    tenant: str
    id: str
    rules: tuple[tuple[int, Rule], ...]
    style: str = "numbers"
    texts: Mapping[str, Texts] = field(default_factory=dict)
    default_language: str = DEFAULT_LANGUAGE
    display: Display = field(default_factory=Display)
    agents: str = "free"
    interactions: str = "signed"
    link_secret: str = field(default="", repr=False)
    closed_us: int | None = None
    """Since when it is closed (UTC, microseconds); None while it is open."""

    def takes(self, answered_us: int) -> bool:
        """Whether an answer of that moment counts. Pages that were open have GRACE_US more time."""
        return self.closed_us is None or answered_us < self.closed_us + GRACE_US

    @property
    def current_rule(self) -> Rule:
        """The newest rule, which may begin in the future."""
        return self.rules[-1][1]

    def rule_at(self, us: int) -> Rule:
        """The rule in force at a moment; before the first rule began it is the first."""
        in_force = [rule for since, rule in self.rules if since <= us]
        return in_force[-1] if in_force else self.rules[0][1]

    def language(self, wanted: str | None) -> str:
        """The survey's best language for `wanted`: that, else its base language, else the default.

        Language tags are compared without case (BCP 47), and an underscore counts as a hyphen,
        because programs also write pt_BR.
        """
        known = {_tag(language): language for language in self.texts}
        tag = _tag(wanted or "")
        return known.get(tag) or known.get(tag.split("-")[0]) or self.default_language


def _tag(language: str) -> str:
    return language.strip().replace("_", "-").lower()


def direction(language: str) -> str:
    """In which direction a language is written: `ltr` or `rtl`."""
    return "rtl" if language.split("-")[0] in RIGHT_TO_LEFT else "ltr"
