"""GET /v1/comments and GET /v1/words: what customers wrote, and the words that tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pulse import days, lake
from pulse.comments import contrast
from pulse.comments.contrast import Telling
from pulse.comments.terms import terms
from pulse.days import ComparedRange, DateRange
from pulse.errors import ForbiddenError
from pulse.http import JSON, Call, Reply
from pulse.serve.comments import comments_query
from pulse.serve.comments.comments_query import CommentsQuery
from pulse.serve.comments.elsewhere import Elsewhere
from pulse.serve.comments.found import FoundComments, no_comments, read, shown, texts
from pulse.serve.cursors import Cursor, fingerprint, outdated
from pulse.serve.formats import PAGE_BYTES, fill, json_object, json_rows, to_json
from pulse.serve.meta import first_and_last
from pulse.serve.own import own_dimensions
from pulse.serve.posted import check_address
from pulse.serve.statements import WEIGHT, Statements
from pulse.store.objects import Objects
from pulse.tenants.access import Directory, authenticate, require_kind
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant

MOST_COUNTED = 50_000
"""The words of so many comments of a group are counted, the newest."""
_META_BYTES = 200_000
"""What a reply has beside its comments takes less."""
_HEADERS = {"Cache-Control": "no-store", "Vary": "Authorization, X-Api-Key"}


@dataclass(frozen=True)
class CommentAnswers:
    """Answers both routes."""

    directory: Directory
    objects: Objects
    statements: Statements
    """What asks Athena about months that are too large."""
    most: int
    """A process holds so many comments."""

    def comments(self, call: Call) -> Reply:
        """One page of comments.

        Raises the RequestError that docs/http.md names for a key or query at fault.
        """
        tenant, key = self._caller(call)
        check_address(call)
        asked = comments_query.parse(
            call.query, comments_query.COMMENTS, key, own_dimensions([tenant])
        )
        dates = _dates(asked, tenant)
        found = self._read(tenant, key, dates, asked)
        comments = found.lowest_first() if asked.order == "lowest" else found.rows
        name = _name(tenant, key, asked)
        # a preset's days move on
        content = fingerprint(found.content, dates.start, dates.end)
        start = _start(asked, name, content)
        some = shown(comments.slice(start, asked.limit))
        page, rows = json_rows(map(to_json, some), room=PAGE_BYTES - _META_BYTES)
        end = start + rows
        following = Cursor(name, content, end).text() if end < len(comments) else None
        members = {
            "meta": to_json(_meta(asked, dates, tenant, found)),
            "count": to_json(len(comments)),
            "comments": page,
            "next_cursor": to_json(following),
        }
        return Reply(200, json_object(members), {"Content-Type": JSON, **_HEADERS})

    def words(self, call: Call) -> Reply:
        """The terms that set two groups of comments apart.

        Raises the RequestError that docs/http.md names for a key or query at fault.
        """
        tenant, key = self._caller(call)
        check_address(call)
        asked = comments_query.parse(
            call.query, comments_query.WORDS, key, own_dimensions([tenant])
        )
        dates = _dates(asked, tenant)
        found = self._read(tenant, key, dates, asked)
        meta = _meta(asked, dates, tenant, found)
        before: ComparedRange | None = None
        if asked.contrast == "period":
            before = days.COMPARISONS["previous_period"](dates)
            # what is not counted is let go before as many are read again
            found = found.newest(MOST_COUNTED)
            groups = found.rows, self._read(tenant, key, before, asked).rows
        elif asked.against:
            groups = found.parted(*asked.against)
        else:
            groups = found.of_segment("bad"), found.of_segment("good")
        first, second = (texts(group.slice(0, MOST_COUNTED)) for group in groups)
        body = {
            **words_apart(first, second, asked.limit),
            "contrast": asked.contrast,
            "before": before and first_and_last(before),
            "meta": meta,
        }
        return Reply.json(200, body, _HEADERS)

    def _caller(self, call: Call) -> tuple[Tenant, Key]:
        """The tenant whose comments the key may read, and the key."""
        key = authenticate(call, self.directory)
        require_kind(key, "report", "secret")
        if not key.reads_comments:
            raise ForbiddenError(
                "comments_not_allowed",
                "This key may not read comments: one of `pulse key create --comments` may.",
            )
        tenant = self.directory.tenant(key.tenant) if key.tenant else None
        if tenant is None:
            raise ForbiddenError("tenant_unknown", "The key's tenant does not exist.")
        return tenant, key

    def _read(
        self, tenant: Tenant, key: Key, dates: DateRange, asked: CommentsQuery
    ) -> FoundComments:
        """What is found in those of the days that the tenant may have comments of."""
        first = tenant.table(lake.SCORES.name).first_day
        last = days.today(tenant.timezone)
        if first is None or dates.end < first or last < dates.start:
            return no_comments()
        held = DateRange(max(first, dates.start), min(last, dates.end))
        least = tenant.min_sample if key.kind == "report" else 0
        elsewhere = Elsewhere(self.statements, partial(self.directory.admit, "GET", key, WEIGHT))
        return read(self.objects, tenant.id, held, asked, least, elsewhere.narrowed, most=self.most)


def _dates(asked: CommentsQuery, tenant: Tenant) -> DateRange:
    """The days that are asked for."""
    return asked.query.resolve(tenant, [lake.SCORES.name])


def _name(tenant: Tenant, key: Key, asked: CommentsQuery) -> str:
    """Names the question, whatever the comments: pages of one reply share it."""
    query = asked.query
    return fingerprint(
        tenant.id,
        key.kind,
        tenant.min_sample,
        query.preset,
        query.dates and [query.dates.start, query.dates.end],
        {name: condition.shown() for name, condition in asked.filters.items()},
        sorted(asked.segments),
        sorted(asked.scores),
        asked.text,
        asked.order,
    )


def _start(asked: CommentsQuery, name: str, content: str) -> int:
    """Where the page begins. Raises BadRequestError and OutdatedError for another's cursor."""
    if asked.query.cursor is None:
        return 0
    cursor = Cursor.of_question(asked.query.cursor, name)
    if cursor.content != content:
        raise outdated()
    return cursor.position


def _meta(
    asked: CommentsQuery, dates: DateRange, tenant: Tenant, found: FoundComments
) -> dict[str, Any]:
    warnings = []
    if found.withheld:
        message = (
            f"{found.withheld} comments are withheld: their agents have fewer than "
            f"{tenant.min_sample} in these days."
        )
        warnings.append({"code": "comments_withheld", "message": message})
    return {
        "date_range": {
            "preset": asked.query.preset,
            **first_and_last(dates),
            "timezone": tenant.timezone,
        },
        "filters": {name: condition.shown() for name, condition in asked.filters.items()},
        "linked": {"comments": found.linked, "of": len(found.rows)},
        "engine": "athena" if found.by_athena else "comments",
        "warnings": warnings,
    }


# -- words


def words_apart(first: Sequence[str], second: Sequence[str], limit: int) -> dict[str, Any]:
    """A reply's members about two groups of comments: of each its own terms.

    Those with the strongest z come first, and of equal ones those first in the alphabet.
    """
    groups = first, second
    held = [[terms(comment) for comment in group] for group in groups]
    found = contrast.telling(*(contrast.comments_by_term(some) for some in held))
    own = [one for one in found if one.odds.z > 0], [one for one in found if one.odds.z < 0]
    body: dict[str, Any] = {"formula": contrast.FORMULA}
    for name, group, its_terms, words in zip(("first", "second"), groups, held, own, strict=True):
        body[name] = {
            "comments": len(its_terms),
            "words": _that_fit([_word(one, group, its_terms) for one in words[:limit]]),
        }
    return body


def _that_fit(words: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The first words, as many as one group of a reply may have: each brings a whole comment."""
    texts = map(to_json, words)
    return words[: len(fill(texts, limit=len(words), room=(PAGE_BYTES - _META_BYTES) // 2))]


def _word(one: Telling, group: Sequence[str], held: Sequence[frozenset[str]]) -> Mapping[str, Any]:
    """A term with the newest comment of its group that holds it."""
    place = next(place for place, some in enumerate(held) if one.term in some)
    return {
        "term": one.term,
        "first": one.first,
        "second": one.second,
        "log_odds": round(one.odds.log_odds, 4),
        "z": round(one.odds.z, 4),
        "example": group[place],
    }
