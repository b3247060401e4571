"""Whose answer it is, by network address: of a page behind CloudFront, or of who called directly.

Behind CloudFront the address that API Gateway sees is CloudFront's own. Its function ViewerAddress
(template.yaml) writes the viewer's into a header, over whatever the viewer sent by that name; and
CloudFront shows a secret beside it, so that nobody who calls the API directly is believed.
"""

from pulse.http import Call, Door

VIEWER = "x-pulse-viewer"


def viewer_address(call: Call, door: Door) -> str:
    """The address that the request comes from; empty where it is not known.

    The header is believed of requests through CloudFront; of others it is as good as not sent.
    """
    if door.is_from_pages(call):
        return call.headers.get(VIEWER) or call.source_ip
    return call.source_ip
