"""Arguments that several commands read alike: NAME=VALUE, days, ids, tenants that must exist."""

from collections.abc import Iterable
from datetime import date

from pulse.cli.exits import WrongUseError
from pulse.cli.target import Target
from pulse.ingest.fields import NAME_LIMIT
from pulse.lake import RESERVED
from pulse.tenants.surveys import Survey
from pulse.tenants.tenant import Tenant, check_tenant_id


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
    """NAME=VALUE texts by name. Raises WrongUseError where a name comes twice."""
    values: dict[str, str] = {}
    for name, value in named_values(texts, option):
        if name in values:
            raise WrongUseError(f"{option} gives {name!r} twice.")
        values[name] = value
    return values


def day(text: str, option: str) -> date:
    """A day. Raises WrongUseError naming `option`."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise WrongUseError(f"{option} takes a day such as 2026-11-20, not {text!r}.") from error


def survey_id(text: str) -> str:
    """A survey's id. Raises WrongUseError for a text that no response can name."""
    if not text.strip() or len(text) > NAME_LIMIT or text in RESERVED:
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
    found = target.tenants.survey(tenant, survey)
    if found is None:
        others = ", ".join(one.id for one in target.tenants.surveys(tenant)) or "none yet"
        raise WrongUseError(f"{tenant} has no survey {survey!r} (it has: {others}).")
    return found
