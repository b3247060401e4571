"""The statement that narrows comments, and how SQL folds characters for it."""

import re
import sys
import unicodedata
from datetime import date
from itertools import zip_longest

from hypothesis import given
from hypothesis import strategies as st

from pulse.days import DateRange
from pulse.filters import Condition
from pulse.serve.comments.narrowing import MOST_WORDS, Narrowing, folding
from pulse.texts import plain_form

JUNE = DateRange(date(2026, 6, 1), date(2026, 6, 30))
PATHS = [("2026-06", "s3://lake/comments/month=2026-06/tenant=acme.parquet")]
FOLDING = folding()
OTHERS = re.compile(FOLDING.others)
CHARACTERS = "".join(chr(c) for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000)
KNOWN = OTHERS.sub("", CHARACTERS)
PLAIN = dict(zip_longest(FOLDING.letters, FOLDING.plain, fillvalue=""))


def by_sql(text: str) -> str:
    """What `translate` makes of a text: each character becomes the one at its place, or goes."""
    return "".join(PLAIN.get(c, c) for c in text)


def test_sql_folds_each_character_that_it_knows_as_the_reader_does() -> None:
    assert len({*FOLDING.letters}) == len(FOLDING.letters)
    assert [letter for letter in KNOWN if by_sql(letter) != plain_form(letter)] == []


def test_sql_knows_what_is_written_mostly_and_not_what_becomes_several() -> None:
    assert {*"aZ0 éÜñçøŁ\u0301Яёή日ガ。👍’–€\t\n"} <= {*KNOWN}
    assert not {*"ßﬁ½Ǆ…한ไس"} & {*KNOWN}
    assert (by_sql("Ünï"), by_sql("CAFE\u0301"), by_sql("ёЛ")) == ("uni", "cafe", "ел")


@given(st.text(st.sampled_from(KNOWN) | st.sampled_from("aeiouAEIOU\u0301\u0308\u3099かハ")))
def test_sql_folds_texts_of_such_characters_as_the_reader_does(text: str) -> None:
    assert by_sql(text) == plain_form(text)
    assert by_sql(unicodedata.normalize("NFD", text)) == plain_form(text) or OTHERS.search(
        unicodedata.normalize("NFD", text)
    )


def test_what_a_caller_sent_is_a_parameter_and_nothing_else() -> None:
    hostile = "x' OR '1'='1"
    filters = {"agent": Condition(frozenset({hostile, None}))}
    statement = Narrowing(PATHS, JUNE, filters, held=[hostile, "?"]).statement(10)
    assert "OR '1'" not in statement.sql
    assert statement.parameters == ("'x'' OR ''1''=''1'", "'x'' OR ''1''=''1'", "'?'")
    assert statement.sql.count("?") == 3


def test_the_longest_words_are_looked_for_by_athena_and_never_too_many() -> None:
    words = ["a" * length for length in range(1, 60)] + ["b" * 5_000]
    statement = Narrowing(PATHS, JUNE, {}, held=words).statement(10)
    assert len(statement.parameters) == MOST_WORDS
    # https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
    assert max(map(len, statement.parameters)) <= 1024
    assert statement.sql.count("?") == MOST_WORDS
