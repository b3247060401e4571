"""The statement by which Athena narrows the comments of many months to those that may be found.

It reads the objects that readers read, and returns the comments of some days that pass the filters,
and of which it cannot be ruled out that they hold the words. Then the reader judges these as it
judges a month's (found.py), so both ways find the same. SQL knows no folding of case and accents
that is the reader's: it replaces the characters of common scripts by a table, which the reader's
folding has made, and lets a comment pass that has any other character (docs/decisions/0079).

What a caller sent stands in the statement as a parameter and nowhere else, as in distributed_sql.
"""

# ruff: noqa: S608 - this module's work is to write SQL; what is no parameter is the code's own text

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from pulse import lake
from pulse.days import DateRange
from pulse.filters import Filters
from pulse.serve.comments.comments_query import PERSONS
from pulse.serve.distributed_sql import LONGEST_VALUE, where
from pulse.serve.statements import Statement
from pulse.texts import plain_form

COUNT = "comments"
"""The column that is 0 in the row of a comment. A row that counts people's comments has their
number there."""
MOST_WORDS = 20
"""Athena looks for at most so many words, the longest ones; the reader looks for all."""
MOST_GROUPS = 200_000
"""At most so many rows that count people's comments are read."""
_SCRIPTS = (
    (0x20, 0x7E),  # ASCII
    (0xA0, 0x52F),  # Latin with its accents, Greek, Cyrillic
    (0x1E00, 0x1FFF),  # further Latin and Greek
    (0x2010, 0x2027),  # quotation marks, dashes, dots
    (0x2030, 0x205E),
    (0x20A0, 0x20C0),  # currencies
    (0x2190, 0x27BF),  # arrows, signs
    (0x3000, 0x30FF),  # CJK punctuation, kana
    (0x4E00, 0x9FFF),  # Han
    (0xFE0F, 0xFE0F),  # shows the sign before as an emoji
    (0x1F300, 0x1FAFF),  # emoji
)
_TYPES = {"string": "varchar", "int": "integer", "map<string,string>": "map(varchar, varchar)"}
"""What statements call the types that have another name in Glue."""


@dataclass(frozen=True)
class LetterFolding:
    """How SQL folds the characters that it knows, one for one."""

    letters: str
    """The characters that become others, and behind them those that are left out."""
    plain: str
    """What the first of them become."""
    others: str
    """A regular expression that matches every character that is not known."""


@dataclass(frozen=True)
class Narrowing:
    """Which comments of a tenant are wanted."""

    paths: Sequence[tuple[str, str]]
    """The months, as YYYY-MM, and the s3:// address of each one's object."""
    dates: DateRange
    filters: Filters
    """The filters by columns, which Athena applies. Those by tags are left to the reader."""
    tags: Sequence[str] = ()
    """The keys of the tags that the reader filters by: people's comments are counted by their
    values, so that the reader can filter the counts, too."""
    scores: Sequence[int] = ()
    held: Sequence[str] = ()
    """Texts that the plain form (texts.plain_form) of every comment that is found holds."""

    @property
    def narrows(self) -> bool:
        """Whether it leaves any comment of the days out."""
        return bool(self.filters or self.scores or self.held)

    def statement(self, most: int) -> Statement:
        """What Athena is asked.

        It returns at most one comment more than `most`. Where there are more than MOST_GROUPS rows
        that count people's comments, it returns more than these: so the reader sees either excess.
        """
        columns = ", ".join(lake.COMMENT_COLUMNS)
        laid = "\n        UNION ALL\n".join(
            f"        SELECT {columns}\n        FROM {lake.COMMENTS_TABLE}\n"
            f"        WHERE month = '{month}' AND \"$path\" = {_quoted(path)}"
            for month, path in self.paths
        )
        first, last = self.dates.start, self.dates.end
        filters, values = where(self.filters)
        kept = [f"day BETWEEN DATE '{first}' AND DATE '{last}'", *filters]
        found, words = self._found()
        apart = [f"element_at(tags, {_quoted(key)})" for key in self.tags]
        told = {name: _null(kind) for name, kind in lake.COMMENT_COLUMNS.items()}
        told |= {name: name for name in PERSONS}
        nothing = "".join(f"CAST(NULL AS varchar) AS tag{n}, " for n in range(len(apart)))
        sql = (
            f"WITH kept AS (\n    SELECT {columns}\n    FROM (\n{laid}\n    ) AS laid\n"
            f"    WHERE {_all(kept)}\n)\n"
            f"SELECT *\nFROM (\n"
            f"    SELECT {columns}, {nothing}CAST(0 AS bigint) AS {COUNT}\n"
            f"    FROM kept\n    WHERE {_all(found) or '1 = 1'}\n    LIMIT {most + 1}\n) AS found\n"
            f"UNION ALL\n"
            f"SELECT {', '.join([*told.values(), *apart])}, count(*)\n"
            f"FROM kept\nGROUP BY {', '.join([*PERSONS, *apart])}\n"
            f"LIMIT {most + 1 + MOST_GROUPS}"
        )
        return Statement(sql, (*values, *words))

    def _found(self) -> tuple[list[str], list[str]]:
        """What a comment has to satisfy besides the filters, and its parameters in order."""
        conditions = [f"score IN ({', '.join(map(str, self.scores))})"] if self.scores else []
        if not self.held:
            return conditions, []
        known = folding()
        plain = f"translate(comment, {_quoted(known.letters)}, {_quoted(known.plain)})"
        longest = sorted({*self.held}, key=lambda word: (-len(word), word))[:MOST_WORDS]
        each = " AND ".join([f"strpos({plain}, ?) > 0"] * len(longest))
        conditions.append(f"(regexp_like(comment, {_quoted(known.others)}) OR ({each}))")
        return conditions, [_quoted(word[: LONGEST_VALUE // 2]) for word in longest]


@cache
def folding() -> LetterFolding:
    """How SQL folds: every character that it knows becomes what the reader's folding makes of it.

    Characters that become several, such as ß, are not known.
    """
    known: list[int] = []
    changed: dict[str, str] = {}
    left_out: list[str] = []
    for first, last in _SCRIPTS:
        for code in range(first, last + 1):
            letter = chr(code)
            plain = plain_form(letter)
            if len(plain) > 1:
                continue
            known.append(code)
            if not plain:
                left_out.append(letter)
            elif plain != letter:
                changed[letter] = plain
    letters = "".join([*changed, *left_out])
    shown = "".join(f"{chr(first)}-{chr(last)}" for first, last in _runs(known))
    return LetterFolding(letters, "".join(changed.values()), f"[^\\t\\n\\r{shown}]")


def _runs(codes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The first and the last of each run of rising numbers."""
    first = last = codes[0]
    for code in codes[1:]:
        if code != last + 1:
            yield first, last
            first = code
        last = code
    yield first, last


def _null(kind: str) -> str:
    return f"CAST(NULL AS {_TYPES.get(kind, kind)})"


def _all(conditions: Sequence[str]) -> str:
    return "\n        AND ".join(conditions)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
