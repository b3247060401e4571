"""Whose answer it is, by network address: of a page behind CloudFront, or of who called directly.

Behind CloudFront the address that API Gateway sees is CloudFront's own. Its function ViewerAddress
(template.yaml) writes the viewer's into a header, over whatever the viewer sent by that name; and
CloudFront shows a secret beside it, so that nobody who calls the API directly is believed.
"""

import hmac

from pulse.http import Call

VIEWER = "x-pulse-viewer"
ORIGIN = "x-pulse-origin"


def viewer_address(call: Call, secret: str) -> str:
    """The address that the request comes from; empty where it is not known.

    `secret` is what CloudFront shows; beside anything else the header is as good as not sent.
    """
    shown = call.headers.get(ORIGIN, "")
    if secret and hmac.compare_digest(_bytes(shown), _bytes(secret)):
        return call.headers.get(VIEWER) or call.source_ip
    return call.source_ip


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
