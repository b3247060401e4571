"""Keys, by which callers are known, and their kinds (docs/http.md#keys).

The text of a key is shown once, when it is made; only its SHA-256 is stored.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

PREFIXES: Mapping[str, str] = {
    "publishable": "pk_",
    "secret": "sk_",  # pragma: allowlist secret
    "report": "rk_",
    "feed": "fk_",
    "operator": "ok_",
}


@dataclass(frozen=True)
class Key:
    """A key as it is stored. Empty `surveys` and `origins` mean any; `report` is that of a feed."""

    sha256: str
    kind: str
    tenant: str | None  # None for operator keys alone
    created_us: int
    surveys: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    report: str | None = None
    comments: bool = False
    """Whether a report key may read comments."""
    expires_us: int | None = None
    revoked_us: int | None = None
    label: str = ""
    """A name given by whoever made it, to distinguish it from other keys."""
    passing: bool = False
    """It was made for one command, and is deleted some time after it expires."""

    @property
    def id(self) -> str:
        """A short public name, for listing and revoking."""
        return self.sha256[:12]

    @property
    def reads_comments(self) -> bool:
        """Whether it may read comments; secret keys may read everything."""
        return self.comments or self.kind == "secret"

    def usable(self, now_us: int) -> bool:
        """Whether the key is neither revoked nor expired at that moment (UTC, microseconds)."""
        expired = self.expires_us is not None and now_us >= self.expires_us
        return self.revoked_us is None and not expired


def new_key_text(kind: str) -> str:
    """The text of a new key: the prefix of its kind and 192 random bits."""
    return PREFIXES[kind] + secrets.token_urlsafe(24)


def sha256(text: str) -> str:
    """The hash of a key's text, which is stored and by which the key is found."""
    return hashlib.sha256(text.encode()).hexdigest()
