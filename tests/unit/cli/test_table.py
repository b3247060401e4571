"""Reading tables from files as other programs write them."""

import csv
import gzip
import io
import os
import re
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse.cli.exits import WrongUseError
from pulse.cli.table import Reading, Row, TableFile
from tests.workbooks import Sheet, ods, xlsx


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "answers.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("content", "header", "rows"),
    [
        pytest.param("a,b\n1,2\n", ("a", "b"), [(2, ("1", "2"))], id="plain"),
        pytest.param("a,b\n1,2", ("a", "b"), [(2, ("1", "2"))], id="no-last-newline"),
        pytest.param("a,b\r\n1,2\r\n", ("a", "b"), [(2, ("1", "2"))], id="crlf"),
        pytest.param("\ufeffa,b\n1,2\n", ("a", "b"), [(2, ("1", "2"))], id="byte-order-mark"),
        pytest.param(" a , b\n 1,2\n", ("a", "b"), [(2, (" 1", "2"))], id="spaces-in-header"),
        pytest.param("a;b\n1,5;2\n", ("a", "b"), [(2, ("1,5", "2"))], id="semicolons"),
        pytest.param("a\tb\n1\t2\n", ("a", "b"), [(2, ("1", "2"))], id="tabs"),
        pytest.param("sep=;\r\na;b\r\n1;2\r\n", ("a", "b"), [(3, ("1", "2"))], id="for-excel"),
        pytest.param("\ufeffsep=,\na,b\n1,2\n", ("a", "b"), [(3, ("1", "2"))], id="excel-bom"),
        pytest.param('"a;x",b\n1,2\n', ("a;x", "b"), [(2, ("1", "2"))], id="semicolon-quoted"),
        pytest.param("score\n1\n", ("score",), [(2, ("1",))], id="one-column"),
        pytest.param(
            'a,b\n1,"x\ny, ""z"""\n\n3,4\n',
            ("a", "b"),
            [(2, ("1", 'x\ny, "z"')), (5, ("3", "4"))],
            id="line-break-in-quotes",
        ),
        pytest.param(
            "a,b\n1\n1,2,3\n", ("a", "b"), [(2, ("1",)), (3, ("1", "2", "3"))], id="ragged"
        ),
        pytest.param("a,b\n", ("a", "b"), [], id="header-alone"),
    ],
)
def test_rows_come_with_the_lines_where_they_begin(
    tmp_path: Path, content: str, header: tuple[str, ...], rows: list[tuple[int, tuple[str, ...]]]
) -> None:
    file = TableFile.open(written(tmp_path, content))
    assert file.header == header
    assert list(file.rows()) == [Row(line, cells) for line, cells in rows]


def cells(file: TableFile) -> list[tuple[str, ...]]:
    return [row.cells for row in file.rows()]


def test_a_delimiter_can_be_named(tmp_path: Path) -> None:
    file = TableFile.open(written(tmp_path, "a,b~c\n1,2~3\n"), Reading("~"))
    assert (file.header, cells(file)) == (("a,b", "c"), [("1,2", "3")])


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("a|b\n1|2\n", "|"),
        ("sep=|\na|b;c;d\n1|2;3;4\n", "|"),
        ("name, first;score\nMüller;5\n", ";"),
        ("at (day, hour, minute);score\n2026-11-20;5\n2026-11-21;4\n", ";"),
        ("a;b\n1,5;2,5\n", ";"),
        ("a\n1\n", ","),
    ],
)
def test_what_stands_between_cells_is_seen(tmp_path: Path, content: str, delimiter: str) -> None:
    assert TableFile.open(written(tmp_path, content)).delimiter == delimiter


TEXTS = {
    "utf-8": ("UTF-8", "Grüße, 良い, Dziękuję"),
    "utf-8-sig": ("UTF-8", "Grüße"),
    "utf-16": ("UTF-16", "Grüße, 良い"),
    "utf-16-le": ("UTF-16", "Grüße"),
    "utf-16-be": ("UTF-16", "Grüße"),
    "utf-32": ("UTF-32", "Grüße"),
    "cp1252": ("Windows-1252", "schöne Grüße – it’s “fine”, à bientôt, señor"),
    "cp932": ("Shift-JIS", "対応がとても早かったです。満足しています"),
}


@pytest.mark.parametrize("codec", TEXTS)
@pytest.mark.parametrize("packed", [False, True])
def test_an_encoding_is_seen_and_told(tmp_path: Path, codec: str, packed: bool) -> None:
    name, text = TEXTS[codec]
    content = f"date;comment\n2026-11-20;{text}\n2026-11-21;good\n".encode(codec)
    file = TableFile.open(written(tmp_path, gzip.compress(content) if packed else content))
    assert file.header == ("date", "comment")
    assert cells(file) == [("2026-11-20", text), ("2026-11-21", "good")]
    assert file.told.startswith(name)
    assert ("a guess" in file.told) == (codec in ("cp1252", "cp932"))


def test_an_encoding_that_cannot_be_told_has_to_be_named(tmp_path: Path) -> None:
    text = "d;c\n1;Zażółć gęślą jaźń\n2;Dziękuję bardzo\n"
    path = written(tmp_path, text.encode("cp1250"))
    with pytest.raises(WrongUseError, match=r"neither UTF-8 nor .* --encoding windows-1250"):
        TableFile.open(path)
    named = TableFile.open(path, Reading(encoding="windows-1250"))
    assert cells(named) == [("1", "Zażółć gęślą jaźń"), ("2", "Dziękuję bardzo")]
    with pytest.raises(WrongUseError, match="unknown encoding 'klingon'"):
        TableFile.open(path, Reading(encoding="klingon"))
    with pytest.raises(WrongUseError, match="unknown encoding 'base64'"):
        TableFile.open(path, Reading(encoding="base64"))


@pytest.mark.parametrize(
    ("broken", "faults"),
    [
        pytest.param(b'2,"open', {3: "expected after"}, id="unclosed-quote"),
        pytest.param(b'2,"x"y', {3: "expected after"}, id="text-after-quote"),
        pytest.param(b"2,\xff\xfe", {3: "no characters"}, id="bytes"),
    ],
)
def test_a_broken_row_is_that_row_alone(
    tmp_path: Path, broken: bytes, faults: dict[int, str]
) -> None:
    others = [f"{n},ä{n}" for n in range(5, 2005)]
    head = "a,b\n1,é\n".encode()
    tail = "\n".join(["", '3,"fi\nne"', *others]).encode()
    rows = list(TableFile.open(written(tmp_path, head + broken + tail)).rows())
    assert {row.line: row.fault for row in rows if row.fault}.keys() == faults.keys()
    for row in rows:
        assert row.fault is None or re.search(faults[row.line], row.fault)
    good = [row.cells for row in rows if not row.fault]
    assert good == [("1", "é"), ("3", "fi\nne"), *(tuple(one.split(",")) for one in others)]
    assert rows[2].line == 4


def test_a_quote_that_never_ends_costs_its_line(tmp_path: Path) -> None:
    for more in (2, 3_000):  # up to the end, and beyond what one row may have
        others = [(str(n), "x") for n in range(more)]
        lines = ["a,b", '1,"open', *map(",".join, others)]
        first, *read = TableFile.open(written(tmp_path, "\n".join(lines))).rows()
        assert (first.line, first.cells) == (2, ('1,"open',))
        assert first.fault in (
            "unexpected end of data",
            "a quoted cell goes on for more than 1,000 lines",
        )
        assert [row.cells for row in read] == others


@given(
    st.lists(st.lists(st.text('ab\n",;é ', min_size=1), min_size=2, max_size=2), max_size=8),
    st.integers(0, 8),
)
def test_rows_around_a_broken_one_are_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], place: int
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["one", "two"])
    for number, row in enumerate(rows):
        if number == place:
            text.write('x,"y"z\n')
        writer.writerow(row)
    file = TableFile.open(
        written(tmp_path_factory.mktemp("broken"), text.getvalue()), Reading(delimiter=",")
    )
    read = list(file.rows())
    blank = [tuple(row) for row in rows if "".join(row).strip()]
    assert [row.cells for row in read if not row.fault] == blank
    assert sum(row.fault is not None for row in read) == (place < len(rows))


def test_blank_rows_and_surplus_empty_cells_are_left_out(tmp_path: Path) -> None:
    file = TableFile.open(written(tmp_path, "\n,,\na,b\n , \n1,2,, \n\n3,4,5\n"))
    assert file.header == ("a", "b")
    assert cells(file) == [("1", "2"), ("3", "4", "5")]


def test_the_header_may_stand_below_and_more_rows_below_it(tmp_path: Path) -> None:
    text = 'Report, 2026\n\nQ1,Q2\n"How\nlikely?",Why?\n\n{import},{import}\n9,good\n'
    file = TableFile.open(written(tmp_path, text), Reading(header_row=3, skip=2))
    assert (file.header, cells(file)) == (("Q1", "Q2"), [("9", "good")])
    assert file.told == "UTF-8, cells between commas, the header in line 3"
    with pytest.raises(WrongUseError, match="no header line from line 40 on"):
        TableFile.open(file.path, Reading(header_row=40))


def test_a_file_without_a_header_has_the_columns_that_are_named(tmp_path: Path) -> None:
    file = TableFile.open(written(tmp_path, "1,2\n3,4\n"), Reading(names=("a", "b", "c")))
    assert (file.header, cells(file)) == (("a", "b"), [("1", "2"), ("3", "4")])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(b"", r"no header line", id="empty"),
        pytest.param(b"\n\n , \n", r"no header line", id="blank"),
        pytest.param(b'a,"b"c\n1,2\n', r"line 1: the header cannot be read", id="broken-header"),
        pytest.param(b"\xff\xfea,b\n\n", r"is not UTF-16", id="half-utf-16"),
        pytest.param(gzip.compress(b"a,b\n1,2\n" * 99)[:-9], r"no whole gzip file", id="cut-gzip"),
        pytest.param(b"PK\x03\x04 and no more", r"no workbook that can be read", id="zip"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    with pytest.raises(WrongUseError, match=complaint):
        cells(TableFile.open(written(tmp_path, content)))


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    with pytest.raises(WrongUseError, match=r"is a pipe, .* save what it gives"):
        TableFile.open(pipe, Reading())


# -- workbooks


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("make", [xlsx, ods])
def test_a_workbook_is_read(
    tmp_path: Path, make: Callable[[dict[str, Sheet]], bytes], packed: bool
) -> None:
    book = make(
        {
            "Cover": [],
            "Answers": [
                ["Export of November"],
                [],
                ["day", "at", "score", "call", "late", "note", None],
                [
                    date(2026, 11, 20),
                    datetime(2026, 11, 20, 14, 3, 1),
                    9,
                    160588012345.0,
                    True,
                    " é",
                ],
                [None, None, None, None, None, None, None],
                [date(2026, 11, 21), datetime(2026, 11, 21), 9.5, 1e21, False, "1,5"],
            ],
            "Notes": [["x"]],
        }
    )
    path = written(tmp_path, gzip.compress(book) if packed else book)
    file = TableFile.open(path, Reading(header_row=3))
    assert file.header[:6] == ("day", "at", "score", "call", "late", "note")
    assert [(row.line, row.cells[:6]) for row in file.rows()] == [
        (4, ("2026-11-20", "2026-11-20 14:03:01", "9", "160588012345", "true", " é")),
        (6, ("2026-11-21", "2026-11-21 00:00:00", "9.5", "1" + 21 * "0", "false", "1,5")),
    ]
    assert file.told == "sheet 'Answers' (--sheet takes another: Notes), the header in line 3"
    for sheet in ("Notes", "3"):
        assert TableFile.open(path, Reading(sheet=sheet)).header == ("x",)
    with pytest.raises(WrongUseError, match=r"no sheet 'Answer'.*it has: Cover, Answers, Notes"):
        TableFile.open(path, Reading(sheet="Answer"))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match=r"cannot be read: No such file"):
        TableFile.open(tmp_path / "none.csv")


def test_a_missing_column_is_refused_with_those_there_are(tmp_path: Path) -> None:
    file = TableFile.open(written(tmp_path, "date,user,user\n"))
    assert file.column("date") == 0
    with pytest.raises(WrongUseError, match=r"no column 'score'; its columns are: date, user"):
        file.column("score")
    with pytest.raises(WrongUseError, match=r"2 columns called 'user'.* user#1 or user#2"):
        file.column("user")
    assert [file.column(name) for name in ("user#1", "user#2", "#1", "#3")] == [1, 2, 0, 2]
    with pytest.raises(WrongUseError, match=r"no column 'user#3'"):
        file.column("user#3")


def test_cells_may_be_long(tmp_path: Path) -> None:
    file = TableFile.open(written(tmp_path, f"comment\n{'x' * 300_000}\n"))
    assert [len(row.cells[0]) for row in file.rows()] == [300_000]
