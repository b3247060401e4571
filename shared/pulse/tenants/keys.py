"""Keys: what callers show, and what each kind may do (docs/http.md#keys).

The text of a key exists once, when it is made; kept is only its SHA-256.
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
    """A key as it is stored. Empty `surveys` and `origins` mean: any; `report` is a feed's own."""

    sha256: str
    kind: str
    tenant: str | None  # None for operator keys alone
    created_us: int
    surveys: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    report: str | None = None
    comments: bool = False
    """A report key's right to what customers wrote."""
    expires_us: int | None = None
    revoked_us: int | None = None
    label: str = ""
    """What whoever made it calls it, to tell it from others."""

    @property
    def id(self) -> str:
        """A short public name, for listing and revoking."""
        return self.sha256[:12]

    @property
    def reads_comments(self) -> bool:
        """May it read what customers wrote? Secret keys may read everything."""
        return self.comments or self.kind == "secret"

    def usable(self, now_us: int) -> bool:
        """True while the key is neither revoked nor expired."""
        expired = self.expires_us is not None and now_us >= self.expires_us
        return self.revoked_us is None and not expired


def new_key_text(kind: str) -> str:
    """A fresh key of 192 random bits, its kind told by the prefix."""
    return PREFIXES[kind] + secrets.token_urlsafe(24)


def sha256(text: str) -> str:
    """What is stored of a key, and looked up by."""
    return hashlib.sha256(text.encode()).hexdigest()
