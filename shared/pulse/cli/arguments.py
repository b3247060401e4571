"""Arguments that several commands read alike: NAME=VALUE, days, tenants that must exist."""

from collections.abc import Iterable
from datetime import date

from pulse.cli.exits import WrongUseError
from pulse.cli.target import Target
from pulse.tenants.tenant import Tenant


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


def known_tenant(target: Target, tenant: str) -> Tenant:
    """The tenant of that id. Raises WrongUseError naming those there are."""
    found = target.tenants.get(tenant)
    if found:
        return found
    others = ", ".join(other.id for other in target.tenants.all()) or "none yet"
    raise WrongUseError(
        f"There is no tenant {tenant!r} (there are: {others}). "
        f"Make it with: pulse tenant create {tenant}"
    )
