"""Spares the signing of calls that moto catches in this process, where nobody checks signatures.

moto's server does check them (local/iam.py), in a process of its own that is left as it is. Calls
of it are signed, since it has an address of its own.
"""

from typing import Any
from urllib.parse import urlsplit

from botocore import auth


def install() -> None:
    """Sign an empty text in the place of such a call. moto still reads whose key signs."""
    signer: Any = auth.SigV4Auth
    worked_out = signer.canonical_request

    def canonical_request(self: Any, request: Any) -> Any:
        host = urlsplit(request.url).hostname or ""  # moto itself works signatures out for a path
        return "" if host.endswith(".amazonaws.com") else worked_out(self, request)

    signer.canonical_request = canonical_request
