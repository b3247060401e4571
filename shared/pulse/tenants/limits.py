"""Limits the requests of a key, and of all of a tenant's keys, to one process (decision 0027).

Each has a token bucket: so many requests a minute, or as many at once. Processes share nothing, so
the limit on AWS is this one times the number of processes that serve the caller.
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
    """Token buckets of one size, by the names of their owners. A size of 0 is no limit.

    A bucket is stored as the moment at which it will be full again; one that is not stored is full.
    Only existing keys and tenants own buckets, so no caller can invent more. When there are too
    many, the longest unused goes.
    """

    per_minute: int
    _full_at: dict[str, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, owner: str, now_us: int, tokens: int = 1) -> int:
        """Take tokens and return 0; if there are too few, return the microseconds until enough.

        At most half of a full bucket is taken at once, because a weight above one is counted after
        its request, which has taken a token itself: so no request is refused for ever.
        """
        if not self.per_minute:
            return 0
        if tokens > 1:
            tokens = min(tokens, self.per_minute // 2)
        each = MINUTE // self.per_minute * tokens
        with self._lock:
            full_at = self._full_at.pop(owner, now_us)
            # if the clock was set back, the bucket must not stay empty for more than a minute
            full_at = min(max(full_at, now_us), now_us + MINUTE)
            lacking = full_at + each - (now_us + MINUTE)
            self._full_at[owner] = full_at if lacking > 0 else full_at + each
            if len(self._full_at) > _MOST_BUCKETS:
                del self._full_at[next(iter(self._full_at))]
        return max(lacking, 0)


@dataclass(frozen=True)
class Limits:
    """The limits of one kind of request: for each key, and for each tenant."""

    keys: Buckets
    tenants: Buckets

    @classmethod
    def per_minute(cls, key: int, tenant: int) -> Self:
        """Limits of `key` and `tenant` requests a minute; 0 is no limit."""
        return cls(Buckets(key), Buckets(tenant))

    def admit(self, key: Key, weight: int = 1) -> None:
        """Count a request of the key; `weight` is how many requests it counts as.

        Raises TooManyRequestsError above the limit. A request that is refused to a key does not
        count for its tenant. An operator's key has no tenant.
        """
        now = days.now_us()
        if wait := self.keys.take(key.sha256, now, weight):
            raise _too_many("key_limit", "This key", self.keys, wait)
        if key.tenant and (wait := self.tenants.take(key.tenant, now, weight)):
            raise _too_many("tenant_limit", "The key's tenant", self.tenants, wait)


def _too_many(code: str, who: str, buckets: Buckets, wait_us: int) -> TooManyRequestsError:
    count("RequestsOverLimit")
    seconds = -(-wait_us // days.SECOND)
    detail = (
        f"{who} may send {buckets.per_minute} such requests a minute. "
        f"This one was not carried out; send it again after {seconds} s."
    )
    return TooManyRequestsError(code, detail, retry_after_s=seconds)
