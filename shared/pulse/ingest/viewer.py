"""The network address of whoever sends a request, directly or through CloudFront.

Through CloudFront API Gateway sees CloudFront's address. CloudFront's function ViewerAddress
(template.yaml) writes the viewer's address into a header, and overwrites what the viewer sent under
that name. CloudFront also sends a secret, which callers of the API do not know; without it the
header is ignored.
"""

from pulse.http import Call, Door

VIEWER = "x-pulse-viewer"


def viewer_address(call: Call, door: Door) -> str:
    """The address that the request comes from; empty if it is not known.

    The header VIEWER counts only in requests that come through CloudFront.
    """
    if door.is_from_pages(call):
        return call.headers.get(VIEWER) or call.source_ip
    return call.source_ip
