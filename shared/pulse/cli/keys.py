"""`pulse key create`, `list` and `revoke` (docs/http.md#keys)."""

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import typer

from pulse import days
from pulse.cli import output
from pulse.cli.arguments import day, known_tenant, named_values
from pulse.cli.exits import WrongUseError
from pulse.cli.keyring import issue_key
from pulse.cli.target import StackName, Target, find_target
from pulse.lake import NOT_GIVEN
from pulse.reports.registry import FAMILIES, REPORTS, Dimension
from pulse.serve.own import own_dimensions
from pulse.tenants.keys import Key
from pulse.texts import tidy

Kind = Literal["publishable", "secret", "report", "feed", "operator"]

_DIMENSIONS = {one.name: one for family in FAMILIES.values() for one in family.dimensions}
"""All dimensions by name. If a dimension's values are fixed, a filter of another value is refused,
because its key would never see anything."""

_KEY_ID = re.compile(r"[0-9a-f]{12}")
_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*")
"""A host's name as browsers send it, or an IPv6 address."""

_LONGEST_LABEL = 100

_COLUMNS = (
    "id",
    "label",
    "kind",
    "state",
    "created",
    "last_used",
    "expires",
    "report",
    "comments",
    "surveys",
    "origins",
    "filters",
)

app = typer.Typer(no_args_is_help=True, help="The keys that callers of the interface show.")


@app.command()
def create(
    kind: Annotated[
        Kind,
        typer.Option(
            help="publishable: post responses from a page. secret: write and read everything of "
            "the tenant. report: read its reports. feed: one report as CSV by URL. operator: "
            "read reports of all tenants."
        ),
    ],
    tenant: Annotated[
        str | None, typer.Argument(metavar="TENANT", help="Whose; operator keys: nobody's.")
    ] = None,
    survey: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="publishable: for these surveys alone. May repeat."),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL", help="publishable: from pages of https://HOST alone. May repeat."
        ),
    ] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="DIM=VALUE",
            help="report, feed: sees these rows alone. May repeat; equal DIMs add up.",
        ),
    ] = None,
    report: Annotated[
        str | None, typer.Option(metavar="NAME", help="feed: the one report that it reads.")
    ] = None,
    comments: Annotated[
        bool, typer.Option("--comments", help="report: may read what customers wrote.")
    ] = False,
    expires: Annotated[
        str | None, typer.Option(metavar="DAY", help="Its last day, in the tenant's time zone.")
    ] = None,
    label: Annotated[
        str, typer.Option(metavar="TEXT", help="What to call it, to tell it from others.")
    ] = "",
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """Make a key. It is printed alone, now and never again.

    Its kind says what it may do, and filters narrow what it sees for as long as it is valid.

    Example:

        KEY=$(pulse key create bank --kind report --filter agent=mia --label "Mia's page")
        pulse key create bank --kind report --comments
        pulse key create bank --kind feed --report daily --filter channel=chat
    """
    _check_fit(kind, tenant, survey, origin, filters)
    _check_report(kind, report)
    if comments and kind != "report":
        raise WrongUseError("--comments is for report keys alone; secret keys may read them.")
    origins = tuple(map(_origin, origin or ()))
    target = find_target(stack)
    known = known_tenant(target, tenant) if tenant else None
    fixed = _filters(filters or (), own_dimensions([known] if known else []))
    zone = known.timezone if known else "UTC"
    _check_surveys(target, tenant, survey or ())
    text, key = issue_key(
        target.tenants,
        kind,
        tenant,
        surveys=tuple(survey or ()),
        origins=origins,
        filters=fixed,
        report=report,
        comments=comments,
        expires_us=_end_of(expires, zone) if expires else None,
        label=_label(label),
    )
    output.show({"key": text, **_described(key)}, text, as_json=as_json)
    if not as_json:
        output.say(f"This {kind} key is shown once. Its id, to revoke it: {key.id}")
    if report and not as_json:
        output.say(f"For a spreadsheet: {target.api_url}/v1/reports/{report}?key={text}")


@app.command("list")
def list_keys(
    tenant: Annotated[
        str | None, typer.Argument(metavar="TENANT", help="Without it: the operator keys.")
    ] = None,
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """List a tenant's keys, those that have ended (revoked, expired) last.

    The day of a key's last use is in UTC; a key without one has never been used.

    Example:

        pulse key list bank
    """
    target = find_target(stack)
    if tenant is not None:
        known_tenant(target, tenant)
    keys = sorted(target.tenants.keys(tenant), key=_order)
    uses = target.tenants.key_uses(tenant)
    told = [_described(key) | {"last_used": _date(uses.get(key.id))} for key in keys]
    rows = [[_cell(one[column]) for column in _COLUMNS] for one in told]
    output.show(told, output.table(_COLUMNS, rows), as_json=as_json)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `pulse key list` shows it.")],
    stack: StackName = None,
    as_json: output.Json = False,
) -> None:
    """End a key. Functions that have just used it forget it within a minute.

    Example:

        pulse key revoke 3f9a1c0b77de
    """
    tenants = find_target(stack).tenants
    key = tenants.revoke_key(key_id, days.now_us()) if _KEY_ID.fullmatch(key_id) else None
    if key is None:
        raise WrongUseError(f"There is no key {key_id!r}: see `pulse key list TENANT`.")
    output.show(_described(key), f"{key.id} revoked", as_json=as_json)


def _check_fit(
    kind: str,
    tenant: str | None,
    surveys: list[str] | None,
    origins: list[str] | None,
    filters: list[str] | None,
) -> None:
    """Refuse what a key of this kind cannot have."""
    if kind == "operator" and tenant is not None:
        raise WrongUseError("An operator key belongs to no tenant: leave TENANT out.")
    if kind != "operator" and not tenant:
        raise WrongUseError(
            f"Whose {kind} key? Name the tenant: pulse key create TENANT --kind {kind}"
        )
    if (surveys or origins) and kind != "publishable":
        raise WrongUseError("--survey and --origin are for publishable keys alone.")
    if filters and kind not in ("report", "feed"):
        raise WrongUseError("--filter is for report and feed keys alone.")


def _check_report(kind: str, report: str | None) -> None:
    """Refuse a feed key without a report, and any other with one."""
    reports = ", ".join(REPORTS)
    if kind == "feed" and report is None:
        raise WrongUseError(f"A feed key reads one report: name it by --report. Any of: {reports}")
    if kind != "feed" and report is not None:
        raise WrongUseError("--report is for feed keys alone.")
    if report is not None and report not in REPORTS:
        raise WrongUseError(f"There is no report {report!r}; there are: {reports}")


def _check_surveys(target: Target, tenant: str | None, surveys: list[str] | tuple[()]) -> None:
    if not (tenant and surveys):
        return
    known = [survey.id for survey in target.tenants.surveys(tenant)]
    for survey in surveys:
        if survey not in known:
            raise WrongUseError(
                f"{tenant} has no survey {survey!r}; it has: {', '.join(known) or 'none yet'}"
            )


def _origin(url: str) -> str:
    """An origin as browsers send it: scheme, host and a port that is not the scheme's own."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise WrongUseError(f"--origin {url!r}: {error}.") from error
    more = (parts.path.removeprefix("/"), parts.query, parts.fragment, "@" in parts.netloc)
    known = parts.scheme in ("http", "https") and _HOST.fullmatch(host)
    if not known or any(more):
        raise WrongUseError(
            f"--origin takes https://HOST or http://HOST:PORT, not {url!r}: one host each, no "
            "wildcards, and names beyond ASCII as browsers send them (xn--…)."
        )
    usual = {"http": 80, "https": 443}[parts.scheme]
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port not in (None, usual) else "")


def _label(text: str) -> str:
    label = tidy(text)
    if len(label) > _LONGEST_LABEL or not label.isprintable():
        raise WrongUseError(f"--label takes at most {_LONGEST_LABEL} characters in one line.")
    return label


def _filters(texts: Sequence[str], own: Sequence[Dimension]) -> dict[str, tuple[str, ...]]:
    dimensions = _DIMENSIONS | {dimension.name: dimension for dimension in own}
    filters: dict[str, tuple[str, ...]] = {}
    for dimension, value in named_values(texts, "--filter"):
        if dimension not in dimensions:
            raise WrongUseError(
                f"There is no dimension {dimension!r}; there are: {', '.join(dimensions)}"
            )
        if value.startswith("!"):
            raise WrongUseError("A key's filter names what the key sees: it cannot be negated.")
        value = tidy(value)
        if dimensions[dimension].is_day and value != NOT_GIVEN:
            value = day(value, f"--filter {dimension}").isoformat()
        allowed = dimensions[dimension].values or (value,)
        if value not in allowed:
            raise WrongUseError(
                f"There is no {dimension} {value!r}; there are: {', '.join(allowed)}"
            )
        filters[dimension] = (*filters.get(dimension, ()), value)
    return filters


def _end_of(text: str, timezone: str) -> int:
    """The instant at which the day is over. Raises WrongUseError for a day that is."""
    try:
        following = day(text, "--expires") + days.ONE_DAY
        end = days.to_us(datetime.combine(following, time(), days.zone(timezone)))
    except OverflowError as error:
        raise WrongUseError("--expires lies after all calendars: leave it out.") from error
    if end <= days.now_us():
        raise WrongUseError(f"--expires {text} is over already.")
    return end


def _described(key: Key) -> dict[str, Any]:
    state = "active" if key.usable(days.now_us()) else "expired"
    return {
        "id": key.id,
        "label": key.label or None,
        "kind": key.kind,
        "tenant": key.tenant,
        "state": state if key.revoked_us is None else "revoked",
        "created": _moment(key.created_us),
        "expires": _moment(key.expires_us),
        "report": key.report,
        "comments": key.reads_comments,
        "surveys": list(key.surveys),
        "origins": list(key.origins),
        "filters": {name: list(values) for name, values in key.filters.items()},
    }


def _order(key: Key) -> tuple[bool, int, str]:
    return not key.usable(days.now_us()), key.created_us, key.id


def _moment(us: int | None) -> str | None:
    return None if us is None else days.iso(us // days.SECOND * days.SECOND)


def _date(used: date | None) -> str | None:
    return None if used is None else used.isoformat()


def _cell(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else None
    if isinstance(value, list):
        return ", ".join(value) or None
    if isinstance(value, dict):
        return "; ".join(f"{name}={', '.join(values)}" for name, values in value.items()) or None
    return None if value is None else str(value)
