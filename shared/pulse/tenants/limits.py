"""How much a key, and all of a tenant's keys, may ask of one process (decision 0027).

A token bucket each: so many requests a minute, and as many at once. Nothing is looked up or
shared: what a caller may do on AWS is this times the processes that serve it.
"""

from dataclasses import dataclass, field
from threading import Lock
from typing import Self

from pulse import days
from pulse.errors import TooManyRequestsError
from pulse.observe import count
from pulse.tenants.keys import Key

MINUTE = 60 * days.SECOND
_MOST_BUCKETS = 10_000


@dataclass
class Buckets:
    """Token buckets of one size by their owners' names. A size of 0 is no limit.

    Of a bucket only the moment is kept at which it is full again; one that is full is as good as
    none. Owners exist, so that nobody can make up new ones; the longest unused still goes first.
    """

    per_minute: int
    _full_at: dict[str, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, owner: str, now_us: int) -> int:
        """Take a token: 0. Where there is none: the microseconds until there is one."""
        if not self.per_minute:
            return 0
        each = MINUTE // self.per_minute
        with self._lock:
            full_at = self._full_at.pop(owner, now_us)
            # a clock that was set back must not close a bucket for longer than one is ever closed
            full_at = min(max(full_at, now_us), now_us + MINUTE)
            lacking = full_at + each - (now_us + MINUTE)
            self._full_at[owner] = full_at if lacking > 0 else full_at + each
            if len(self._full_at) > _MOST_BUCKETS:
                del self._full_at[next(iter(self._full_at))]
        return max(lacking, 0)


@dataclass(frozen=True)
class Limits:
    """Of one kind of request: what each key may do, and what each tenant."""

    keys: Buckets
    tenants: Buckets

    @classmethod
    def per_minute(cls, key: int, tenant: int) -> Self:
        """So many a minute; 0 is without a limit."""
        return cls(Buckets(key), Buckets(tenant))

    def admit(self, key: Key) -> None:
        """Count one request of the key. Raises TooManyRequestsError where that is too many.

        What a key is refused is not taken from its tenant. An operator's key is of no tenant.
        """
        now = days.now_us()
        if wait := self.keys.take(key.sha256, now):
            raise _too_many("key_limit", "This key", self.keys, wait)
        if key.tenant and (wait := self.tenants.take(key.tenant, now)):
            raise _too_many("tenant_limit", "The key's tenant", self.tenants, wait)


def _too_many(code: str, who: str, buckets: Buckets, wait_us: int) -> TooManyRequestsError:
    count("RequestsOverLimit")
    seconds = -(-wait_us // days.SECOND)
    detail = (
        f"{who} may send {buckets.per_minute} such requests a minute. "
        f"This one was not carried out; send it again after {seconds} s."
    )
    return TooManyRequestsError(code, detail, retry_after_s=seconds)
