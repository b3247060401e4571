"""What is asked of comments: the query string as one frozen value, or one coded error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pulse.comments.search import MOST_PARTS, Search
from pulse.filters import Condition, Filters, among, both
from pulse.http import decode
from pulse.reports.experiences import OF_COMMENTS
from pulse.reports.registry import FAMILIES, Dimension, Report
from pulse.serve import query as queries
from pulse.serve.own import names_told, with_own
from pulse.serve.plan import bound_filters
from pulse.serve.query import Query, refusal
from pulse.tenants.keys import Key

_SURVEY = FAMILIES["survey"]
COMMENTED = replace(_SURVEY, name="comments", dimensions=(*_SURVEY.dimensions, *OF_COMMENTS))
"""What comments are filtered by: what the answers tell, and the interactions that these are linked
to."""
PERSONS = tuple(one.name for one in COMMENTED.dimensions if one.a_person)
"""Those of the dimensions whose values are people."""
SEGMENTS = ("good", "neutral", "bad")
ORDERS = ("newest", "lowest")
CONTRASTS = ("segment", "period", "filter")
MOST_SHOWN = 500
DEFAULT_SHOWN = 50

_DAYS = ("preset", "start_date", "end_date")
_SHARED: Mapping[str, str] = {
    "segment": f"The part of the scale: {', '.join(SEGMENTS)}; commas separate several.",
    "score": "The scores, 0 to 10, separated by commas.",
    "q": 'Words that the comment holds, and phrases "in quotation marks"; a leading - excludes. '
    "Case and accents do not matter.",
    "limit": f"How many to show, 1 to {MOST_SHOWN}; {DEFAULT_SHOWN} by default.",
    **{name: queries.PARAMETERS[name] for name in _DAYS},
}
COMMENTS: Mapping[str, str] = {
    **_SHARED,
    "order": "newest first, the default, or lowest: the worst scores first.",
    "cursor": queries.PARAMETERS["cursor"],
}
"""What GET /v1/comments takes, besides the dimensions of COMMENTED as filters."""
WORDS: Mapping[str, str] = {
    **_SHARED,
    "contrast": "segment: bad answers against good ones, the default; period: these days against "
    "the ones before; filter: those of `against` against the rest.",
    "against": "DIMENSION=VALUE, where the contrast is filter; written as in a query.",
}
"""What GET /v1/words takes, besides the same filters."""


@dataclass(frozen=True)
class CommentsQuery:
    """Which comments are asked for, how many are shown, and in which order."""

    query: Query
    filters: Filters
    segments: frozenset[str]
    scores: frozenset[int]
    text: str
    limit: int
    order: str = "newest"
    contrast: str = "segment"
    against: tuple[str, Condition] | None = None

    @property
    def persons(self) -> tuple[str, ...]:
        """Those of the dimensions of people by which it asks."""
        asked = {*self.filters, *([self.against[0]] if self.against else [])}
        return tuple(name for name in PERSONS if name in asked)

    @property
    def counted_by(self) -> tuple[tuple[str, ...], ...]:
        """By what comments are counted, to tell of whom there are few.

        By each dimension of people for itself, since two may have a million pairs of values; and
        by those together by which it asks.
        """
        each = [(name,) for name in PERSONS]
        return tuple(dict.fromkeys([*each, self.persons] if self.persons else each))


def parse(
    pairs: Sequence[tuple[str, str]],
    parameters: Mapping[str, str],
    key: Key,
    dimensions: tuple[Dimension, ...] = (),
) -> CommentsQuery:
    """What (name, raw value) pairs ask, narrowed by the key's own filters.

    The `dimensions` are the tenant's own, by which comments are filtered like by COMMENTED's. One
    of the name of one of these means the latter here.

    Raises BadRequestError for the first thing wrong, ForbiddenError for a key that is bound to
    what neither answers nor the interactions tell that these are linked to.
    """
    own = [name for name in parameters if name not in (*_DAYS, "cursor")]
    report = with_own(Report("comments", "", "", COMMENTED, metrics=(), group_by=()), dimensions)
    told = names_told(report, dimensions)
    allowed = (*parameters, *report.filter_names)
    given: dict[str, str] = {}
    for name, raw in pairs:
        if name not in allowed:
            raise refusal(name[:64], "unknown_parameter", "There is no such parameter.", allowed)
        if name in given and name in own:
            raise refusal(name, "repeated_parameter", "Give it once.")
        given[name] = raw
    query = queries.parse([(n, raw) for n, raw in pairs if n not in own], report)
    contrast = _one("contrast", given, CONTRASTS)
    if contrast == "period" and query.preset == "all_time":
        raise refusal("contrast", "compare_with_all_time", "Nothing came before all_time.")
    return CommentsQuery(
        query=query,
        filters=both(query.filters, bound_filters(key, told, "comments do not tell")),
        segments=frozenset(_several("segment", given, SEGMENTS)),
        scores=frozenset(map(int, _several("score", given, [str(n) for n in range(11)]))),
        text=_searched(given),
        limit=_limit(given),
        order=_one("order", given, ORDERS),
        contrast=contrast,
        against=_against(given, contrast, report.filter_names),
    )


def _one(name: str, given: Mapping[str, str], allowed: Sequence[str]) -> str:
    """The value of a parameter, the first of those allowed where it is not given."""
    value = decode(given.get(name, allowed[0]))
    if value not in allowed:
        raise refusal(name, "unknown_value", f"{value[:64]!r} is not one of its values.", allowed)
    return value


def _several(name: str, given: Mapping[str, str], allowed: Sequence[str]) -> list[str]:
    """The values of a parameter, none where it is not given."""
    values = [decode(part) for part in given[name].split(",")] if name in given else []
    for value in values:
        _one(name, {name: value}, allowed)
    return values


def _limit(given: Mapping[str, str]) -> int:
    text = decode(given.get("limit", str(DEFAULT_SHOWN)))
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST_SHOWN):
        reason = f"{text[:64]!r} is not a number from 1 to {MOST_SHOWN}."
        raise refusal("limit", "invalid_limit", reason)
    return int(text)


def _searched(given: Mapping[str, str]) -> str:
    """What is looked for in comments."""
    text = decode(given.get("q", ""))
    if Search.parse(text).parts > MOST_PARTS:
        reason = f"At most {MOST_PARTS} words and phrases can be looked for."
        raise refusal("q", "search_too_long", reason)
    return text


def _against(
    given: Mapping[str, str], contrast: str, dimensions: Sequence[str]
) -> tuple[str, Condition] | None:
    """The group that is held against the rest."""
    if (contrast == "filter") != ("against" in given):
        reason = "Give it where the contrast is filter, and only there: DIMENSION=VALUE."
        raise refusal("against", "invalid_against", reason)
    if contrast != "filter":
        return None
    name, _, value = decode(given["against"]).partition("=")
    if name not in dimensions or not value:
        reason = "Write DIMENSION=VALUE."
        raise refusal("against", "invalid_against", reason, dimensions)
    return name, among([value])
