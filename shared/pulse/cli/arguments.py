"""Arguments and options that several commands share.

They are NAME=VALUE, days, ids, tenants and surveys that must exist, streams, how long to wait, and
the dry run.
"""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal

import typer

from pulse.cli.exits import WrongUseError
from pulse.cli.target import Target
from pulse.lake import RESERVED
from pulse.streams.fields import NAME_LIMIT
from pulse.tenants.surveys import Survey
from pulse.tenants.tenant import Tenant, check_tenant_id
from pulse.texts import tidy

Stream = Annotated[
    Literal["responses", "interactions", "sessions"] | None,
    typer.Option(help="Only this kind of events. Default: all kinds."),
]
Wait = Annotated[
    int,
    typer.Option(min=0, metavar="SECONDS", help="How long to wait for what was just sent."),
]
WAIT_S = 120
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")]


def named_values(texts: Iterable[str], option: str) -> list[tuple[str, str]]:
    """NAME=VALUE texts as pairs, in order. Raises WrongUseError naming `option`."""
    pairs = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise WrongUseError(f"{option} takes NAME=VALUE, not {text!r}.")
        pairs.append((name, value))
    return pairs


def assignments(texts: Iterable[str], option: str) -> dict[str, str]:
    """NAME=VALUE texts by name. Raises WrongUseError if a name comes twice."""
    values: dict[str, str] = {}
    for name, value in named_values(texts, option):
        if name in values:
            raise WrongUseError(f"{option} gives {name!r} twice.")
        values[name] = value
    return values


def day(text: str, option: str) -> date:
    """The day in a text. Raises WrongUseError naming `option`."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise WrongUseError(f"{option} takes a day such as 2026-11-20, not {text!r}.") from error


def day_range(start: str, end: str) -> tuple[date, date]:
    """The days of --start and --end. Raises WrongUseError unless they are in order."""
    first, last = day(start, "--start"), day(end, "--end")
    if first > last:
        raise WrongUseError("--start lies after --end.")
    return first, last


def survey_id(text: str) -> str:
    """A survey's id in its stored form. Raises WrongUseError if no response could name it."""
    text = tidy(text)
    if not text or len(text) > NAME_LIMIT or text in RESERVED:
        raise WrongUseError(
            f"A survey's id is a text of 1 to {NAME_LIMIT} characters other than "
            f"{' and '.join(RESERVED)}, not {text[:NAME_LIMIT]!r}."
        )
    return text


def known_tenant(target: Target, tenant: str) -> Tenant:
    """The tenant of that id. Raises WrongUseError naming those there are."""
    try:
        check_tenant_id(tenant)
    except ValueError as error:
        raise WrongUseError(f"{error}.") from error
    found = target.tenants.get(tenant)
    if found:
        return found
    others = ", ".join(other.id for other in target.tenants.all()) or "none yet"
    raise WrongUseError(
        f"There is no tenant {tenant!r} (there are: {others}). "
        f"Make it with: pulse tenant create {tenant}"
    )


def known_survey(target: Target, tenant: str, survey: str) -> Survey:
    """A survey of a tenant. Raises WrongUseError naming those that there are."""
    known_tenant(target, tenant)
    found = target.tenants.survey(tenant, tidy(survey))
    if found is None:
        others = ", ".join(one.id for one in target.tenants.surveys(tenant)) or "none yet"
        raise WrongUseError(f"{tenant} has no survey {survey!r} (it has: {others}).")
    return found
