"""Feed keys: one report as CSV by its address alone, for spreadsheets that pull by URL.

Excel, Google Sheets and Power BI send neither a key in a header nor an Accept that says CSV. So
the key stands in the query, may do little else, and ends here: no link, log or ETag has it.
"""

from dataclasses import replace

from pulse.errors import ForbiddenError
from pulse.http import Call, decode
from pulse.tenants.keys import Key


def fed(call: Call, key: Key) -> Call:
    """The call of a report that a feed key means: without the key, and for CSV.

    Raises ForbiddenError for any other report than the key's, and for JSON.
    """
    if call.path_parameters["report"] != key.report:
        raise ForbiddenError(
            "feed_of_another_report", f"This feed key is for the report {key.report} alone."
        )
    if any(name == "format" and decode(raw) == "json" for name, raw in call.query):
        raise ForbiddenError("feed_is_csv", "A feed key reads CSV alone: leave format out.")
    return replace(
        call,
        raw_query=_without_key(call.raw_query),
        headers={**call.headers, "accept": "text/csv"},
    )


def _without_key(raw_query: str) -> str:
    parts = raw_query.split("&")
    return "&".join(part for part in parts if decode(part.partition("=")[0]) != "key")
