"""Pages of comments, and how much of them is held at once."""

from pulse.serve.comments.found import MOST_READ
from pulse.serve.cursors import Cursor


def test_a_cursor_reaches_every_comment_that_a_question_may_have() -> None:
    cursor = Cursor("question", "rows", MOST_READ - 1)
    assert Cursor.parse(cursor.text()) == cursor
