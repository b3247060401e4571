"""Keys of commands: new ones for callers, ones for a command while it runs, and given ones."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pulse import days
from pulse.cli.exits import NotAllowedError, WrongUseError
from pulse.store.tenants import Tenants
from pulse.tenants.keys import Key, new_key_text, sha256


def issue_key(
    tenants: Tenants,
    kind: str,
    tenant: str | None,
    *,
    surveys: tuple[str, ...] = (),
    origins: tuple[str, ...] = (),
    filters: Mapping[str, tuple[str, ...]] | None = None,
    report: str | None = None,
    comments: bool = False,
    expires_us: int | None = None,
    label: str = "",
    passing: bool = False,
) -> tuple[str, Key]:
    """Store a new key; return its text, which is stored nowhere, and the stored key.

    The records of a `passing` one are deleted some time after it expires.
    """
    text = new_key_text(kind)
    key = Key(
        sha256=sha256(text),
        kind=kind,
        tenant=tenant,
        created_us=days.now_us(),
        surveys=surveys,
        origins=origins,
        filters=filters or {},
        report=report,
        comments=comments,
        expires_us=expires_us,
        label=label,
        passing=passing,
    )
    tenants.add_key(key)
    return text, key


@contextmanager
def passing_key(tenants: Tenants, kind: str, tenant: str, *, lasting_us: int) -> Iterator[str]:
    """Within the block there is a new key. If the process dies, it is deleted some time later."""
    expires_us = days.now_us() + lasting_us
    text, key = issue_key(tenants, kind, tenant, expires_us=expires_us, passing=True)
    try:
        yield text
    finally:
        tenants.remove_key(key)


def given_key(tenants: Tenants, text: str, tenant: str) -> str:
    """Return the text of a key if it is the tenant's, or an operator's.

    Raises WrongUseError for another tenant's key, NotAllowedError for an unknown one.
    """
    key = tenants.key(sha256(text))
    if key is None:
        raise NotAllowedError("The key is unknown, revoked or expired.")
    if key.tenant not in (tenant, None):  # None: an operator's, who names the tenant
        raise WrongUseError(f"The key belongs to the tenant {key.tenant!r}, not to {tenant!r}.")
    return text
