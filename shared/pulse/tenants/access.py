"""Who is calling, and what may they: keys, tenants and surveys, remembered for a while.

The memory is the process's own: a revoked key ends within a minute at most, and the table is not
in the path of every request.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pulse import days
from pulse.errors import ForbiddenError, UnauthorizedError
from pulse.http import Call, decode
from pulse.store.tenants import Tenants
from pulse.tenants.keys import PREFIXES, Key, sha256
from pulse.tenants.surveys import Survey
from pulse.tenants.tenant import Tenant

REMEMBER_US = 60 * days.SECOND
_MOST_REMEMBERED = 10_000

Found = TypeVar("Found")


@dataclass
class Directory:
    """Tenants, surveys and keys by their names; each answer, also "none", is kept for a while."""

    tenants: Tenants
    remember_us: int = REMEMBER_US
    _memory: dict[tuple[str, ...], tuple[int, Any]] = field(default_factory=dict)

    def key(self, text: str) -> Key | None:
        """The key with that text, or None."""
        digest = sha256(text)
        return self.remember(("key", digest), lambda: self.tenants.key(digest))

    def tenant(self, tenant: str) -> Tenant | None:
        """The tenant, or None."""
        return self.remember(("tenant", tenant), lambda: self.tenants.get(tenant))

    def survey(self, tenant: str, survey: str) -> Survey | None:
        """The tenant's survey, or None."""
        return self.remember(
            ("survey", tenant, survey), lambda: self.tenants.survey(tenant, survey)
        )

    def remember(self, name: tuple[str, ...], find: Callable[[], Found]) -> Found:
        """What `find` finds; for a while after it was asked, what it found then."""
        now = days.now_us()
        known = self._memory.get(name)
        if known and now - known[0] < self.remember_us:
            remembered: Found = known[1]
            return remembered
        if len(self._memory) >= _MOST_REMEMBERED:
            self._memory.clear()  # somebody tries keys at random; do not grow with them
        found = find()
        self._memory[name] = now, found
        return found


def authenticate(call: Call, directory: Directory, *, in_query: tuple[str, ...] = ()) -> Key:
    """The usable key that the request shows.

    `in_query` names the kinds that are also accepted as `?key=`. Raises UnauthorizedError if
    there is no key, or an unknown, revoked or expired one.
    """
    text = _shown(call, in_query)
    key = directory.key(text) if text.startswith(tuple(PREFIXES.values())) else None
    if key is None or not key.usable(days.now_us()):
        raise UnauthorizedError(
            "invalid_key", "The key is unknown, revoked or expired.", headers=_CHALLENGE
        )
    return key


def require_kind(key: Key, *kinds: str) -> None:
    """Raise ForbiddenError unless the key is of one of the kinds."""
    if key.kind not in kinds:
        raise ForbiddenError(
            "wrong_key_kind", f"A {key.kind} key may not do this; use a {' or '.join(kinds)} key."
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
