"""A report's query as a JSON body: for questions that are too long for an address.

Addresses end at 8,192 bytes in CloudFront and, with the headers, at 10,240 in API Gateway
(https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from pulse.errors import BadRequestError, UriTooLongError
from pulse.http import Call
from pulse.ingest.body import read_body
from pulse.serve.query import refusal

BODY_LIMIT = 64 * 1024
LONGEST_ADDRESS = 8_000
"""Of bytes in path and query; whatever is longer may be cut off before it reaches a function."""
_KEPT = "%!'()*,-._~:;@/?$ "


def check_address(call: Call) -> None:
    """Raise UriTooLongError for an address that passes here and would not pass everywhere."""
    length = len(call.path) + len("?") + len(call.raw_query)
    if length > LONGEST_ADDRESS:
        detail = (
            f"The address has {length:,} bytes behind the host; at most {LONGEST_ADDRESS:,} pass."
        )
        if call.path.startswith("/v1/reports/"):
            detail += " POST /v1/reports/{report} takes the same parameters as a JSON object."
        raise UriTooLongError("address_too_long", detail)


def as_query(call: Call) -> Call:
    """The GET that a posted call means: each member of its body is a parameter.

    Raises BadRequestError for a body that is no JSON object of parameters, PayloadTooLargeError and
    UnsupportedMediaTypeError as every body's reader does.
    """
    if call.raw_query:
        raise BadRequestError(
            "query_beside_body", "Name all parameters in the body, and none in the address."
        )
    query = _query(read_body(call, BODY_LIMIT))
    headers = {name: value for name, value in call.headers.items() if name != "if-none-match"}
    return replace(call, method="GET", raw_query=query, headers=headers, body=b"")


def _query(body: Mapping[str, Any]) -> str:
    return "&".join(f"{quote(name, safe='')}={as_raw(name, body[name])}" for name in body)


def as_raw(name: str, value: Any) -> str:
    """A member as a query has it: a text as it is written there, a list's texts as they stand.

    Raises BadRequestError for what is neither, nor true, false or a whole number.
    """
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ",".join(quote(one, safe="") for one in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return quote(value, safe=_KEPT).replace(" ", "%20")
    raise refusal(name[:64], "not_text", "Write it as text, as in a query, or as a list of texts.")
