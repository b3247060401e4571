"""`pulse survey link`, `email` and `embed`: links, mails and widget tags (docs/asking.md).

Values of a link may hold a help desk's placeholders, such as `{{ticket.id}}`. They stay as they
are, and the help desk replaces them; the survey page ignores those that were not replaced.
"""

import base64
import hashlib
import http.client
import re
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Annotated
from urllib.parse import quote

import typer

from pulse import days
from pulse.cli import output
from pulse.cli.arguments import known_survey
from pulse.cli.exits import FailedError, NotAllowedError, WrongUseError
from pulse.cli.target import StackName, Target, find_target
from pulse.ingest.origins import origin
from pulse.ingest.translations import ends
from pulse.pages import WIDGET
from pulse.streams.fields import WORD_LIMIT
from pulse.streams.responses import CHANNELS
from pulse.tenants.keys import Key, sha256
from pulse.tenants.rules import Rule
from pulse.tenants.signatures import LETTERS, sign
from pulse.tenants.surveys import Survey, Texts, direction
from pulse.texts import is_word, tidy

_PLACEHOLDER = re.compile(
    r"""(\{\{[^{}"'<>&]*\}\}|\{[!$][^{}"'<>&]*\}|\{%[^{}"'<>&]*%\}"""
    r"""|[#%$]\{[^{}"'<>&]*\}|\*\|[^*|"'<>&]*\|\*|<OTRS_[A-Za-z0-9_]+>)"""
)
"""A help desk's placeholders. web/src/ask/answer.ts ignores the same ones."""
_TIMEOUT_S = 20

TenantArgument = Annotated[str, typer.Argument(metavar="TENANT")]
SurveyArgument = Annotated[str, typer.Argument(metavar="ID", help="One of its surveys.")]
KeyOption = Annotated[
    str | None,
    typer.Option("--key", help="A publishable key of the tenant. On the demo tenant: its own."),
]
ChannelOption = Annotated[
    str | None,
    typer.Option("--channel", help=f"Where it is asked: {', '.join(CHANNELS)} or another."),
]
AgentOption = Annotated[str | None, typer.Option("--agent", metavar="ID", help="Whom it is about.")]
InteractionOption = Annotated[
    str | None,
    typer.Option("--interaction", metavar="ID", help="The ticket or call that it is about."),
]
LanguageOption = Annotated[
    str | None, typer.Option("--lang", metavar="L", help="Default: the visitor's own.")
]


def link(
    tenant: TenantArgument,
    survey: SurveyArgument,
    key: KeyOption = None,
    channel: ChannelOption = None,
    agent: AgentOption = None,
    interaction: InteractionOption = None,
    lang: LanguageOption = None,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Print the address of a survey's page. Placeholders of a help desk stay as they are.

    Where the survey has a secret (pulse survey set … interactions=signed) the link is signed for
    the agent and the interaction that it names; placeholders cannot be.

    Example:

        pulse survey link demo support --channel ticket --interaction "{{ticket.id}}"
    """
    place = _place(find_target(stack), tenant, survey, key, on_pages=True)
    address = place.link(place.signed(_values(channel, agent, interaction, lang)))
    output.show({"link": address}, address, as_json=as_json)


def email(
    tenant: TenantArgument,
    survey: SurveyArgument,
    key: KeyOption = None,
    channel: ChannelOption = None,
    agent: AgentOption = None,
    interaction: InteractionOption = None,
    lang: LanguageOption = None,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Print HTML for the end of a mail: the question with one link per score.

    A click opens the survey's page with that score chosen. It counts once the reader has sent
    it there: mail scanners follow links, too.

    Example:

        pulse survey email demo support --channel ticket --agent "{{ticket.assignee.id}}" \\
          --interaction "{{ticket.id}}" > signature.html
    """
    place = _place(find_target(stack), tenant, survey, key, on_pages=True)
    values = place.signed(_values(channel, agent, interaction, lang))
    language = place.survey.language(lang)
    rule = place.survey.rule_at(days.now_us())
    links = {score: place.link({**values, "score": str(score)}) for score in rule.scores}
    html = signature(place.survey, language, rule, links)
    output.show({"html": html, "links": links}, html, as_json=as_json)


def embed(
    tenant: TenantArgument,
    survey: SurveyArgument,
    key: KeyOption = None,
    channel: ChannelOption = None,
    agent: AgentOption = None,
    interaction: InteractionOption = None,
    lang: LanguageOption = None,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Print the tag that shows a survey on a site of yours, bound to the very script it names.

    Example:

        pulse survey embed demo support --channel chat
    """
    place = _place(find_target(stack), tenant, survey, key)
    source = f"{place.pages_url}/{WIDGET}"
    integrity = subresource_integrity(_fetch(source))
    values = place.signed(_values(channel, agent, interaction, lang))
    data = {"key": place.key, "survey": survey, **values}
    tag = widget_tag(source, integrity, data)
    output.show({"tag": tag, "src": source, "integrity": integrity}, tag, as_json=as_json)
    if place.origins and not as_json:
        output.say(f"This key works on pages of {', '.join(place.origins)} alone.")


@dataclass(frozen=True)
class _Place:
    """A survey of a stack, and the key with which it is shown."""

    pages_url: str
    key: str
    origins: tuple[str, ...]
    survey: Survey

    def signed(self, values: Mapping[str, str]) -> dict[str, str]:
        """The values, with a signature if the survey has a secret.

        Raises WrongUseError for an agent that has to be signed and cannot be.
        """
        survey = self.survey
        fixed = {
            name: value
            for name, value in values.items()
            if name in LETTERS and not _PLACEHOLDER.search(value)
        }
        if survey.agents == "signed" and "agent" in values and "agent" not in fixed:
            raise WrongUseError(
                f"The agents of {survey.id!r} are signed, and what a help desk fills in cannot be: "
                "leave --agent out, give one agent's id, or ask by a survey with agents=free."
            )
        if not survey.link_secret or not fixed:
            return dict(values)
        signature = sign(survey.link_secret, survey.tenant, survey.id, fixed)
        return {**values, "sig": signature}

    def link(self, values: Mapping[str, str]) -> str:
        """The address of the survey's page, with values for its response."""
        query = {"survey": self.survey.id, **values}
        pairs = "&".join(f"{name}={_quoted(value)}" for name, value in query.items())
        return f"{self.pages_url}/s/{quote(self.key, safe='')}?{pairs}"


def _place(
    target: Target, tenant: str, survey: str, key: str | None, *, on_pages: bool = False
) -> _Place:
    """Find and check survey and key, because recipients of a link could not correct it."""
    found = known_survey(target, tenant, survey)
    if "/" in survey or survey in (".", ".."):
        raise WrongUseError(
            f"Pages cannot ask a survey of the id {survey!r}: in an address it is a path of its "
            "own. Add the survey under another id."
        )
    if key is None and tenant == target.demo_tenant:
        key = target.demo_keys["publishable"]
    if key is None:
        raise WrongUseError(
            "Which key is to stand in it? Give a publishable one by --key; make one with: "
            f"pulse key create {tenant} --kind publishable"
        )
    stored = target.tenants.key(sha256(key))
    if stored is None or not stored.usable(days.now_us()):
        raise NotAllowedError("The key is unknown, revoked or expired.")
    _check_key(stored, tenant, survey)
    if on_pages and stored.origins:
        _check_origin(stored, target.pages_url)
    return _Place(target.pages_url, key, stored.origins, found)


def _check_key(key: Key, tenant: str, survey: str) -> None:
    if key.kind != "publishable":
        raise WrongUseError(
            f"This is a {key.kind} key, and everybody will read it: give a publishable one (pk_…)."
        )
    if key.tenant != tenant:
        raise WrongUseError(f"The key belongs to the tenant {key.tenant!r}, not to {tenant!r}.")
    if key.surveys and survey not in key.surveys:
        raise WrongUseError(f"The key is for {', '.join(key.surveys)} alone, not for {survey!r}.")


def _check_origin(key: Key, pages_url: str) -> None:
    if origin(pages_url) not in map(origin, key.origins):
        raise WrongUseError(
            f"The key works on pages of {', '.join(key.origins)} alone, and survey pages are at "
            f"{pages_url}: give another key."
        )


def _values(
    channel: str | None, agent: str | None, interaction: str | None, lang: str | None
) -> dict[str, str]:
    """The given values that a link passes to its response."""
    channel = channel and tidy(channel)
    if channel is not None and not is_word(channel) and not _PLACEHOLDER.fullmatch(channel):
        raise WrongUseError(
            f"--channel takes a text of 1 to {WORD_LIMIT} characters, not {channel!r}."
        )
    given = {"channel": channel, "agent": agent, "interaction": interaction, "lang": lang}
    return {name: value for name, value in given.items() if value}


def _quoted(value: str) -> str:
    """The value percent-encoded, except for placeholders."""
    parts = _PLACEHOLDER.split(value)
    return "".join(part if _PLACEHOLDER.fullmatch(part) else quote(part, safe="") for part in parts)


# -- the mail

_EMOJI = ("😠", "🙁", "😐", "🙂", "😀")
_FONT = "font-family:Arial,Helvetica,sans-serif;"
_CELL = f"{_FONT}padding:4px 6px;text-align:center;vertical-align:top;"
_ANCHOR = f"{_FONT}color:#005fb8;text-decoration:none;display:block;"
_BOX = "min-width:26px;padding:8px 4px;border:1px solid #8a8c94;border-radius:6px;font-size:15px;"
_SMALL = "font-size:12px;color:#5c5f68;"


def signature(survey: Survey, language: str, rule: Rule, links: Mapping[int, str]) -> str:
    """The HTML for mail clients, a table with inline styles: the question and a link per score."""
    texts = survey.texts.get(language, Texts("", ""))
    cells = "".join(
        f'    <td style="{_CELL}">{_anchor(survey.style, texts, rule, score, address)}</td>\n'
        for score, address in links.items()
    )
    return (
        f'<table role="presentation" dir="{direction(language)}" lang="{escape(language)}" '
        'cellpadding="0" cellspacing="0" border="0" style="border-collapse:separate;">\n'
        f'  <tr><td colspan="{len(links)}" style="{_FONT}padding:4px 6px;font-size:16px;">'
        f"{escape(texts.question)}</td></tr>\n"
        f"  <tr>\n{cells}  </tr>\n{_ends_row(survey, texts, rule, language)}</table>"
    )


def _anchor(style: str, texts: Texts, rule: Rule, score: int, address: str) -> str:
    label = texts.labels[score - rule.low] if texts.labels else ""
    named = escape(f"{score}, {label}" if label else str(score))
    if style == "numbers":
        look, inner = _ANCHOR + _BOX, str(score)
    else:
        picture = "★" if style == "stars" else _emoji(rule, score)
        below = label if style == "faces" and label else str(score)
        look = _ANCHOR + "font-size:28px;line-height:36px;"
        inner = f'{picture}<br><span style="{_SMALL}line-height:16px;">{escape(below)}</span>'
    return f'<a href="{escape(address)}" aria-label="{named}" style="{look}">{inner}</a>'


def _emoji(rule: Rule, score: int) -> str:
    share = (score - rule.low) / (rule.high - rule.low)
    share = 1 - share if rule.lower_is_better else share
    return _EMOJI[round(share * (len(_EMOJI) - 1))]


def _ends_row(survey: Survey, texts: Texts, rule: Rule, language: str) -> str:
    """The row with the names of the two ends, below scores without labels."""
    if survey.style == "faces" and texts.labels:
        return ""
    low, high = ends(rule.metric, language, lower_is_better=rule.lower_is_better)
    if texts.labels:
        low, high = texts.labels[0], texts.labels[-1]
    left = len(rule.scores) // 2
    start, end = ("right", "left") if direction(language) == "rtl" else ("left", "right")
    return (
        f'  <tr><td colspan="{left}" style="{_CELL}{_SMALL}text-align:{start};">{escape(low)}</td>'
        f'<td colspan="{len(rule.scores) - left}" style="{_CELL}{_SMALL}text-align:{end};">'
        f"{escape(high)}</td></tr>\n"
    )


# -- the widget


def widget_tag(source: str, integrity: str, data: Mapping[str, str]) -> str:
    """The script tag for a site; `data` becomes its data- attributes."""
    shown = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items())
    return (
        f'<script async src="{escape(source)}" integrity="{integrity}" '
        f'crossorigin="anonymous"{shown}></script>'
    )


def subresource_integrity(body: bytes) -> str:
    """The value of integrity=, by which a browser checks the script."""
    return "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()


def _fetch(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as reply:  # noqa: S310 # the stack's own pages
            body: bytes = reply.read()
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise FailedError(
            f"{address} cannot be fetched ({reason}): are the pages built and published?"
        ) from error
    return body
