"""Making keys: for callers to keep, and for a command's own use while it runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pulse import days
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
    expires_us: int | None = None,
) -> tuple[str, Key]:
    """Store a new key; its text, which exists nowhere else, and what is stored of it."""
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
        expires_us=expires_us,
    )
    tenants.add_key(key)
    return text, key


@contextmanager
def passing_key(tenants: Tenants, kind: str, tenant: str, *, lasting_us: int) -> Iterator[str]:
    """A key for the block alone: revoked at its end and, if that never comes, soon expired."""
    text, key = issue_key(tenants, kind, tenant, expires_us=days.now_us() + lasting_us)
    try:
        yield text
    finally:
        tenants.revoke_key(key.id, days.now_us())
