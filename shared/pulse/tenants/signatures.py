"""Signatures of survey links: they prove that `pulse survey link` put values into a link.

A signature is 1NAMES.MAC: the version, a letter for each value that it covers, and 128 bits of
HMAC-SHA-256, in base64url, over the version, the tenant, the survey and those values. So it is not
valid for another survey, and nobody can change, add or remove a value that it covers.
"""

import base64
import hmac
import json
import secrets
from collections.abc import Mapping
from hashlib import sha256

VERSION = "1"
LETTERS: Mapping[str, str] = {"agent": "a", "interaction": "i"}
"""The values that a signature can cover, in the order of their letters."""
_MAC_BYTES = 16  # half of the hash, which RFC 2104 recommends as the least


def new_secret() -> str:
    """A survey's own secret: 256 random bits."""
    return secrets.token_urlsafe(32)


def sign(secret: str, tenant: str, survey: str, values: Mapping[str, str]) -> str:
    """The signature of a link to the survey with these values, whose names are in LETTERS."""
    named = [(LETTERS[name], values[name]) for name in LETTERS if name in values]
    # in JSON each text has an end, so two different lists are never the same bytes
    signed = json.dumps([f"pulse link {VERSION}", tenant, survey, named])
    mac = hmac.digest(secret.encode(), signed.encode(), sha256)[:_MAC_BYTES]
    names = "".join(letter for letter, _ in named)
    return f"{VERSION}{names}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def covers(
    name: str,
    signature: str,
    *,
    secret: str,
    tenant: str,
    survey: str,
    values: Mapping[str, str | None],
) -> bool:
    """Whether the signature is valid for `values` and covers the one called `name`."""
    head = signature.partition(".")[0]
    letters = head.removeprefix(VERSION) if head.startswith(VERSION) else ""
    named = {known: values.get(known) for known, letter in LETTERS.items() if letter in letters}
    given = {known: value for known, value in named.items() if value is not None}
    expected = sign(secret, tenant, survey, given)
    same = hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass"))
    return bool(secret) and same and name in given
