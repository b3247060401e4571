"""Checks the key of a request, what it may do, and how often.

A process remembers keys, tenants and surveys for up to a minute, so that not every request reads
the table. So a revoked key may be accepted for up to a minute.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Protocol, TypeVar

from pulse import days
from pulse.errors import ForbiddenError, UnauthorizedError
from pulse.http import Call, decode
from pulse.tenants.keys import PREFIXES, Key, sha256
from pulse.tenants.limits import Limits
from pulse.tenants.surveys import Survey
from pulse.tenants.tenant import Tenant
from pulse.tenants.uses import LastUses

REMEMBER_US = 60 * days.SECOND
_MOST_REMEMBERED = 10_000

Found = TypeVar("Found")


Name = tuple[str, ...]


@dataclass
class _Memory:
    """What was found under names, and when. The longest unused entry makes room for a new one."""

    _answers: dict[Name, tuple[int, Any]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def recall(self, name: Name, since_us: int) -> tuple[int, Any] | None:
        """The entry, if it was kept after `since_us` (UTC, microseconds)."""
        with self._lock:
            answer = self._answers.pop(name, None)
            if answer is None or answer[0] <= since_us:
                return None
            self._answers[name] = answer
            return answer

    def forget(self, name: Name) -> None:
        """Remove the entry, if there is one."""
        with self._lock:
            self._answers.pop(name, None)

    def keep(self, name: Name, at_us: int, answer: object) -> None:
        """Keep what was found at `at_us`."""
        with self._lock:
            self._answers.pop(name, None)
            self._answers[name] = at_us, answer
            if len(self._answers) > _MOST_REMEMBERED:
                del self._answers[next(iter(self._answers))]


class TenantRecords(Protocol):
    """The stored tenants, surveys and keys; pulse.store.tenants.Tenants is one."""

    def key(self, sha256: str) -> Key | None:
        """The key with that hash, revoked and expired ones included; None if there is none."""

    def get(self, tenant: str) -> Tenant | None:
        """The tenant, or None if there is none."""

    def survey(self, tenant: str, survey: str) -> Survey | None:
        """The survey, or None if there is none."""

    def surveys(self, tenant: str) -> list[Survey]:
        """Every survey of a tenant, in order of id."""


@dataclass
class Directory:
    """Finds tenants, surveys and keys by their names, and remembers each result for a while.

    That there is none of a name is remembered too, but separately. So a caller who tries names at
    random pushes nothing that exists out of the memory.
    """

    tenants: TenantRecords
    remember_us: int = REMEMBER_US
    limits: Mapping[str, Limits] = field(default_factory=dict)
    """The limits of requests to this process, by HTTP method; HEAD counts as GET."""
    as_of: Callable[[], Mapping[str, int]] = dict
    """Returns for each report table the moment before which no stored event is missing from its
    rows (UTC, microseconds)."""
    uses: LastUses | None = None
    """Notes on which day each key was last used; None where it is not noted."""
    _found: _Memory = field(default_factory=_Memory)
    _missing: _Memory = field(default_factory=_Memory)

    def key(self, text: str) -> Key | None:
        """The key with that text, or None if there is none."""
        digest = sha256(text)
        return self.remember(("key", digest), lambda: self.tenants.key(digest))

    def tenant(self, tenant: str, *, anew: bool = False) -> Tenant | None:
        """The tenant, or None if there is none. `anew` reads it even if it is remembered."""
        if anew:
            self._found.forget(("tenant", tenant))
            self._missing.forget(("tenant", tenant))
        return self.remember(("tenant", tenant), lambda: self._tenant(tenant))

    def _tenant(self, tenant: str) -> Tenant | None:
        moments = self.remember(("as_of",), self.as_of)  # before the tenant: Tenant.as_of
        found = self.tenants.get(tenant)
        return found.as_of(moments) if found else None

    def survey(self, tenant: str, survey: str) -> Survey | None:
        """The tenant's survey, or None if there is none."""
        return self.remember(
            ("survey", tenant, survey), lambda: self.tenants.survey(tenant, survey)
        )

    def remember(self, name: Name, find: Callable[[], Found]) -> Found:
        """What is remembered under the name, or else what `find` returns, which is remembered."""
        now = days.now_us()
        since = now - self.remember_us
        known = self._found.recall(name, since) or self._missing.recall(name, since)
        if known:
            remembered: Found = known[1]
            return remembered
        found = find()
        (self._missing if found is None else self._found).keep(name, now, found)
        return found

    def admit(self, method: str, key: Key, weight: int = 1) -> None:
        """Count a request of the key; `weight` is how many requests it counts as.

        Raises TooManyRequestsError if the key or its tenant has used up its limit.
        """
        limits = self.limits.get("GET" if method == "HEAD" else method)
        if limits:
            limits.admit(key, weight)

    def note_use(self, key: Key) -> None:
        """Note that the key is in use. It takes no time, and cannot fail."""
        if self.uses:
            self.uses.note(key)


def authenticate(call: Call, directory: Directory, *, in_query: tuple[str, ...] = ()) -> Key:
    """The key of a request. The request counts against the key's limits.

    `in_query` names the kinds of keys that are also accepted as `?key=`. Raises UnauthorizedError
    if there is no key, or an unknown, revoked or expired one, and TooManyRequestsError.
    """
    text = _shown(call, in_query)
    key = directory.key(text) if text.startswith(tuple(PREFIXES.values())) else None
    if key is None or not key.usable(days.now_us()):
        raise UnauthorizedError(
            "invalid_key", "The key is unknown, revoked or expired.", headers=_CHALLENGE
        )
    directory.admit(call.method, key)
    directory.note_use(key)
    return key


def require_kind(key: Key, *kinds: str) -> None:
    """Raise ForbiddenError unless the key is of one of the kinds."""
    if key.kind not in kinds:
        raise ForbiddenError(
            "wrong_key_kind",
            f"This {key.kind} key may not do this; use a {' or '.join(kinds)} key.",
        )


_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="pulse"'}


def _shown(call: Call, in_query: tuple[str, ...]) -> str:
    scheme, _, bearer = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer.strip():
        return bearer.strip()
    if header := call.headers.get("x-api-key", "").strip():
        return header
    for name, raw in call.query:
        if name == "key" and in_query:
            text = decode(raw)
            if text.startswith(tuple(PREFIXES[kind] for kind in in_query)):
                return text
            raise UnauthorizedError(
                "key_kind_not_in_query",
                f"Only {' and '.join(in_query)} keys are accepted in the query: "
                "send this one as Authorization: Bearer.",
                headers=_CHALLENGE,
            )
    raise UnauthorizedError(
        "missing_key", "Send a key as Authorization: Bearer or X-Api-Key.", headers=_CHALLENGE
    )
