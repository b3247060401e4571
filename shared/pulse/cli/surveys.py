"""`pulse survey`: what is asked, on which scale, and how its scores are judged."""

import re
from dataclasses import replace
from typing import Annotated, Literal

import typer

from pulse import days
from pulse.cli import output
from pulse.cli.arguments import known_tenant, survey_id
from pulse.cli.exits import WrongUseError
from pulse.cli.target import StackName, find_target
from pulse.tenants.access import REMEMBER_US
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import DEFAULT_LANGUAGE, Survey, Texts

Metric = Literal["csat", "nps", "ces"]
Style = Literal["faces", "stars", "numbers"]

_QUESTIONS = {
    "csat": "How satisfied are you?",
    "nps": "How likely are you to recommend us to a friend or colleague?",
    "ces": "How easy was it to get done what you came for?",
}
_THANKS = "Thank you!"
_SCALE = re.compile(r"(\d+)-(\d+)")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")

app = typer.Typer(no_args_is_help=True, help="The surveys of a tenant.")


@app.callback()
def _group() -> None:
    """Keeps `survey` a group while it has but one command."""


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
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Add a survey, or change it: another scale or cut-off holds a minute later.

    Until then every process may still know the old one. Responses keep the rule under which they
    were given. Texts of another --lang are added to
    those there are.

    Example:

        pulse survey add bank email --metric nps --scale 0-10
    """
    survey_id(survey)
    rule = _rule(metric, scale, good, bad, lower_is_better)
    target = find_target(stack)
    known_tenant(target, tenant)
    before = target.tenants.survey(tenant, survey)
    language = _language(lang or (before.default_language if before else DEFAULT_LANGUAGE))
    changed = before or Survey(tenant, survey, (), default_language=language)
    changed = _with_rule(changed, rule, days.now_us())
    named = _labels(labels, rule)
    changed = _with_texts(changed, language, question, thanks, named)
    changed = replace(changed, style=style or changed.style)
    target.tenants.put_survey(changed)
    _show(changed, language, as_json=as_json)


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
    """The labels given; None if none were, empty to take them away."""
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
    """The survey with the rule in force as soon as nobody remembers another one.

    A first rule is in force at once. Labels of another scale's scores go.
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
    """The survey with what is given of one language's texts; what is not stays as it is."""
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
    }
    shown = result | {
        "labels": ", ".join(texts.labels) or None,
        "languages": ", ".join(sorted(survey.texts)),
    }
    output.show(result, output.pairs(shown), as_json=as_json)
