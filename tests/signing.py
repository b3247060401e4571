"""Leaves the signatures out of requests to the moto in the test's own process.

It checks none unless it checks rights, too. To compute signatures takes a sixth of a call's time.
The rest of the header is as it is: moto reads there who calls. Requests to a server are signed,
since the embedded stack's checks it, and so are links that are signed for others.
"""

from math import isinf
from typing import Any

from botocore import auth
from moto import settings

_IN_THIS_PROCESS = ".amazonaws.com/"
_SIGNERS = frozenset({"SigV4Auth", "S3SigV4Auth"})


def install() -> None:
    """Change how this process's clients sign. To call it again changes nothing."""
    botocore: Any = auth
    signed = botocore.SigV4Auth.add_auth
    if signed.__module__ == __name__:
        return

    def add_auth(self: Any, request: Any) -> None:
        plain = type(self).__name__ in _SIGNERS and self.credentials and not _checks_rights()
        if not plain or _IN_THIS_PROCESS not in request.url:
            signed(self, request)
            return
        now = botocore.get_current_datetime()
        request.context["timestamp"] = now.strftime(botocore.SIGV4_TIMESTAMP)
        self._modify_request_before_signing(request)
        request.headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.scope(request)}, SignedHeaders=host, Signature=none"
        )

    botocore.SigV4Auth.add_auth = add_auth


def _checks_rights() -> bool:
    return not isinf(settings.INITIAL_NO_AUTH_ACTION_COUNT)
