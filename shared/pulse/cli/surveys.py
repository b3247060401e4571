"""`pulse survey add`, `set`, `list` and `close`.

They set a survey's text, its scale, which scores count as good, when the widget is shown, and which
links may name the agent and the interaction of a response. survey_links.py makes the links, mails
and widget tags.
"""

import re
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal

import typer

from pulse import days
from pulse.cli import output, survey_links
from pulse.cli.arguments import assignments, known_survey, known_tenant, survey_id
from pulse.cli.exits import WrongUseError
from pulse.cli.target import StackName, find_target
from pulse.tenants.access import REMEMBER_US
from pulse.tenants.rules import Rule
from pulse.tenants.signatures import new_secret
from pulse.tenants.surveys import AGENTS, DEFAULT_LANGUAGE, INTERACTIONS, Display, Survey, Texts

Metric = Literal["csat", "nps", "ces"]
Style = Literal["faces", "stars", "numbers"]
Trigger = Literal["button", "delay", "event", "api"]

_QUESTIONS = {
    "csat": "How satisfied are you?",
    "nps": "How likely are you to recommend us to a friend or colleague?",
    "ces": "How easy was it to get done what you came for?",
}
_THANKS = "Thank you!"
_SETTINGS = {"agents": AGENTS, "interactions": INTERACTIONS}
_SCALE = re.compile(r"(\d+)-(\d+)")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")

app = typer.Typer(no_args_is_help=True, help="The surveys of a tenant.")
app.command("link")(survey_links.link)
app.command("email")(survey_links.email)
app.command("embed")(survey_links.embed)


@app.command()
def add(
    tenant: Annotated[str, typer.Argument(metavar="TENANT")],
    survey: Annotated[str, typer.Argument(metavar="ID", help="Any text; responses name it.")],
    metric: Annotated[Metric, typer.Option(help="What its scores measure.")],
    scale: Annotated[str, typer.Option(metavar="MIN-MAX", help="Within 0-10; nps: 0-10.")],
    good: Annotated[
        int | None, typer.Option(help="The least good score, if not the usual.")
    ] = None,
    bad: Annotated[int | None, typer.Option(help="The best bad score, if not the usual.")] = None,
    lower_is_better: Annotated[
        bool, typer.Option("--lower-is-better", help="A low score is the good one.")
    ] = False,
    question: Annotated[str | None, typer.Option(help="What is asked.")] = None,
    style: Annotated[Style | None, typer.Option(help="How it is shown. Default: numbers.")] = None,
    labels: Annotated[
        str | None,
        typer.Option(metavar="A,B,…", help="A name for each score, from the lowest on."),
    ] = None,
    thanks: Annotated[str | None, typer.Option(help="What is said after the answer.")] = None,
    lang: Annotated[
        str | None, typer.Option(metavar="L", help="Language of these texts. Default: en.")
    ] = None,
    trigger: Annotated[
        Trigger | None,
        typer.Option(
            help="What shows the widget: a button (default), a delay, an event, the page."
        ),
    ] = None,
    delay: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="Before the widget shows itself.")
    ] = None,
    event: Annotated[
        str | None, typer.Option(metavar="NAME", help="The Pulse.track event that shows it.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option(metavar="PERCENT", help="Of the visitors are asked unasked.")
    ] = None,
    again_days: Annotated[
        int | None,
        typer.Option(metavar="DAYS", help="Until a visitor is asked again. Default: 30."),
    ] = None,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Add a survey, or change it: another scale or cut-off holds a minute later.

    Until then every process may still know the old one. Responses keep the rule under which they
    were given. Texts of another --lang are added to
    those there are.

    Example:

        pulse survey add bank email --metric nps --scale 0-10
        pulse survey add bank site --metric csat --scale 1-5 --style faces --delay 20 --sample 10
    """
    survey = survey_id(survey)
    rule = _rule(metric, scale, good, bad, lower_is_better)
    target = find_target(stack)
    known_tenant(target, tenant)
    before = target.tenants.survey(tenant, survey)
    language = _language(lang or (before.default_language if before else DEFAULT_LANGUAGE))
    changed = before or Survey(tenant, survey, (), default_language=language)
    changed = _with_rule(changed, rule, days.now_us())
    named = _labels(labels, rule)
    changed = _with_texts(changed, language, question, thanks, named)
    display = _display(changed.display, trigger, delay, event, sample, again_days)
    changed = replace(changed, style=style or changed.style, display=display)
    target.tenants.put_survey(changed)
    _show(changed, language, as_json=as_json)


@app.command("list")
def list_surveys(
    tenant: Annotated[str, typer.Argument(metavar="TENANT")],
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """List a tenant's surveys, each with what it asks in its default language.

    Example:

        pulse survey list bank
    """
    target = find_target(stack)
    known_tenant(target, tenant)
    found = [_listed(survey) for survey in target.tenants.surveys(tenant)]
    columns = ("id", "state", "metric", "scale", "style", "agents", "languages", "question")
    rows = [[_cell(one[name]) for name in columns] for one in found]
    output.show(found, output.table(columns, rows), as_json=as_json)


def _listed(survey: Survey) -> dict[str, Any]:
    rule = survey.current_rule
    texts = survey.texts.get(survey.default_language)
    return {
        "id": survey.id,
        "metric": rule.metric,
        "scale": rule.label,
        "style": survey.style,
        "agents": survey.agents,
        "interactions": survey.interactions,
        "state": "open" if survey.closed_us is None else "closed",
        "languages": sorted(survey.texts),
        "question": texts.question if texts else None,
    }


def _cell(value: Any) -> str | None:
    return ", ".join(value) if isinstance(value, list) else value


@app.command()
def close(
    tenant: Annotated[str, typer.Argument(metavar="TENANT")],
    survey: Annotated[str, typer.Argument(metavar="ID", help="One of its surveys.")],
    reopen: Annotated[bool, typer.Option("--reopen", help="Ask again.")] = False,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Ask nobody any more: pages and the widget no longer show the survey, its reports stay.

    What was answered before still counts, whenever it comes; pages that are open may answer for
    an hour.

    Example:

        pulse survey close bank email
    """
    target = find_target(stack)
    changed = known_survey(target, tenant, survey)
    if (changed.closed_us is None) != reopen:
        changed = target.tenants.set_closed(changed, None if reopen else days.now_us())
    state = "open" if reopen else "closed"
    output.show(_listed(changed), f"{changed.id} is {state}", as_json=as_json)


@app.command("set")
def set_settings(
    tenant: Annotated[str, typer.Argument(metavar="TENANT")],
    survey: Annotated[str, typer.Argument(metavar="ID", help="One of its surveys.")],
    settings: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY=VALUE…",
            help="; ".join(f"{name}={'|'.join(values)}" for name, values in _SETTINGS.items()),
        ),
    ],
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Change settings of a survey. Within a minute every process uses them.

    agents=signed: an answer with a publishable key keeps its agent only if the agent comes from a
    link, mail or tag that pulse survey link, email or embed made afterwards. Any other answer is
    kept without its agent. Agents that come with a secret key always count. agents=free: all count.

    interactions=signed, the default: an answer with a publishable key is linked to the interaction
    that it names only if that comes from such a link, mail or tag. interactions=free: every answer
    is. Answers with a secret key always are. What was answered before stays as it is.

    Example:

        pulse survey set bank site agents=signed interactions=signed
    """
    values = assignments(settings, "survey set")
    for name, value in values.items():
        if name not in _SETTINGS:
            raise WrongUseError(f"No setting {name!r}; there are: {', '.join(_SETTINGS)}.")
        if value not in _SETTINGS[name]:
            raise WrongUseError(f"{name} is one of {', '.join(_SETTINGS[name])}, not {value!r}.")
    target = find_target(stack)
    found = known_survey(target, tenant, survey)
    if values.get("agents") == "signed" != found.agents:
        output.say("Agents in links, mails and tags that were made earlier do not count any more.")
    changed = target.tenants.set_signed(found, values, new_secret=new_secret())
    _show(changed, changed.language(None), as_json=as_json)


def _rule(
    metric: str, scale: str, good: int | None, bad: int | None, lower_is_better: bool
) -> Rule:
    match = _SCALE.fullmatch(scale)
    if not match:
        raise WrongUseError(f"--scale takes MIN-MAX such as 1-5, not {scale!r}.")
    low, high = map(int, match.groups())
    try:
        return Rule.make(metric, low, high, good=good, bad=bad, lower_is_better=lower_is_better)
    except ValueError as error:
        raise WrongUseError(f"{error}.") from error


def _language(lang: str) -> str:
    if not _LANGUAGE.fullmatch(lang):
        raise WrongUseError(f"--lang takes a language tag such as en or pt-BR, not {lang!r}.")
    return lang


def _labels(text: str | None, rule: Rule) -> tuple[str, ...] | None:
    """The labels in a text; None without a text, empty to remove all labels."""
    if text is None:
        return None
    labels = tuple(label.strip() for label in text.split(",")) if text else ()
    if len(labels) not in (0, len(rule.scores)):
        raise WrongUseError(
            f"--labels names {len(labels)} scores, and {rule.low}-{rule.high} has "
            f"{len(rule.scores)}: name all of them or none."
        )
    if not all(labels):
        raise WrongUseError("--labels has a blank name: nobody could see what is clicked.")
    return labels


def _with_rule(survey: Survey, rule: Rule, now_us: int) -> Survey:
    """The survey with the rule in force as soon as no process remembers an older one.

    A first rule is in force at once. Labels of another scale's scores are removed.
    """
    if not survey.rules:
        return replace(survey, rules=((now_us, rule),))
    if survey.current_rule == rule:
        return survey
    since = now_us + REMEMBER_US
    changed = replace(survey, rules=(*survey.rules, (since, rule)))
    output.say(f"The new rule holds for responses given from {days.iso(since)} on.")
    if survey.current_rule.scores == rule.scores:
        return changed
    output.say("Pages that are open then go on asking on the old scale until loaded again.")
    if any(texts.labels for texts in survey.texts.values()):
        output.say("The scale is another one: the labels of its scores are gone in all languages.")
    texts = {language: replace(text, labels=()) for language, text in survey.texts.items()}
    return replace(changed, texts=texts)


def _with_texts(
    survey: Survey,
    language: str,
    question: str | None,
    thanks: str | None,
    labels: tuple[str, ...] | None,
) -> Survey:
    """The survey with new texts of one language; those that are None stay as they are."""
    before = survey.texts.get(language)
    if before is None and language.split("-")[0] != "en" and question is None:
        raise WrongUseError(f"There is no question in {language!r} yet: name it by --question.")
    if before is None:
        thanks_by_default = _THANKS if language.split("-")[0] == "en" else ""
        before = Texts(_QUESTIONS[survey.current_rule.metric], thanks_by_default)
    texts = Texts(
        before.question if question is None else question,
        before.thanks if thanks is None else thanks,
        before.labels if labels is None else labels,
    )
    return replace(survey, texts={**survey.texts, language: texts})


def _display(
    before: Display,
    trigger: str | None,
    delay: int | None,
    event: str | None,
    sample_pct: int | None,
    again_days: int | None,
) -> Display:
    """The display rules with new values; a delay or an event also sets the trigger."""
    if trigger is None:
        trigger = "delay" if delay is not None else "event" if event is not None else before.trigger
    if delay is not None and trigger != "delay":
        raise WrongUseError(f"--delay and --trigger {trigger} contradict each other.")
    if event is not None and trigger != "event":
        raise WrongUseError(f"--event and --trigger {trigger} contradict each other.")
    if trigger == "event" and event is None and before.event is None:
        raise WrongUseError("--trigger event needs the event's name: --event NAME.")
    try:
        return Display(
            trigger=trigger,
            delay=(before.delay if delay is None else delay) if trigger == "delay" else 0,
            event=(event or before.event) if trigger == "event" else None,
            sample_pct=before.sample_pct if sample_pct is None else sample_pct,
            again_days=before.again_days if again_days is None else again_days,
        )
    except ValueError as error:
        raise WrongUseError(f"{error}.") from error


def _show(survey: Survey, language: str, *, as_json: bool) -> None:
    rule, texts = survey.current_rule, survey.texts[language]
    result = {
        "tenant": survey.tenant,
        "id": survey.id,
        "metric": rule.metric,
        "scale": rule.label,
        "good": rule.good,
        "bad": rule.bad,
        "lower_is_better": rule.lower_is_better,
        "since": days.iso(survey.rules[-1][0]),
        "style": survey.style,
        "lang": language,
        "question": texts.question,
        "thanks": texts.thanks,
        "labels": list(texts.labels),
        "languages": sorted(survey.texts),
        "display": asdict(survey.display),
        "agents": survey.agents,
        "interactions": survey.interactions,
    }
    shown = result | {
        "labels": ", ".join(texts.labels) or None,
        "languages": ", ".join(sorted(survey.texts)),
        "display": _display_in_words(survey.display),
    }
    output.show(result, output.pairs(shown), as_json=as_json)


def _display_in_words(display: Display) -> str:
    """When the widget opens, in words."""
    if display.trigger == "button":
        return "behind a button"
    if display.trigger == "api":
        return "when the page calls Pulse.show"
    when = f"after {display.delay} s"
    if display.trigger == "event":
        when = f"at the event {display.event}"
    return f"{when}, to {display.sample_pct} % of visitors, again after {display.again_days} days"
