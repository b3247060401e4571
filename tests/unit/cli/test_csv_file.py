"""CSV files as people have them."""

from pathlib import Path

import pytest

from pulse.cli.csv_file import CsvFile, Row
from pulse.cli.exits import WrongUseError


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
    file = CsvFile.open(written(tmp_path, content))
    assert file.header == header
    assert list(file.rows()) == [Row(line, cells) for line, cells in rows]


def test_a_delimiter_can_be_named(tmp_path: Path) -> None:
    file = CsvFile.open(written(tmp_path, "a|b\n1|2\n"), "|")
    assert (file.header, [row.cells for row in file.rows()]) == (("a", "b"), [("1", "2")])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(
            b"a,b\n1,\xfc\n", r"not UTF-8 \(line 2\).*iconv -f WINDOWS-1252", id="latin-1"
        ),
        pytest.param(b"a,\xfc\n", r"not UTF-8 \(line 1\)", id="latin-1-header"),
        pytest.param("a,b\n1,2\n".encode("utf-16"), r"is UTF-16: .*iconv -f UTF-16", id="utf-16"),
        pytest.param(
            b"\xfe\xff" + "a,b\n".encode("utf-16-be"), r"is UTF-16: .*-f UTF-16", id="utf-16-be"
        ),
        pytest.param(b'a,b\n1,2\n3,"open\n', r"from line 3 on", id="unclosed-quote"),
        pytest.param(b'a,b\n1,"x"y\n', r"from line 2 on", id="text-after-quote"),
        pytest.param(b"", r"no header line", id="empty"),
        pytest.param(b"\n\n", r"no header line", id="blank"),
    ],
)
def test_a_broken_file_is_refused_with_the_place(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    with pytest.raises(WrongUseError, match=complaint):
        list(CsvFile.open(written(tmp_path, content)).rows())


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match=r"cannot be read: No such file"):
        CsvFile.open(tmp_path / "none.csv")


def test_a_missing_column_is_refused_with_those_there_are(tmp_path: Path) -> None:
    file = CsvFile.open(written(tmp_path, "date,user,user\n"))
    assert file.column("date") == 0
    with pytest.raises(WrongUseError, match=r"no column 'score'; its columns are: date, user"):
        file.column("score")
    with pytest.raises(WrongUseError, match=r"2 columns called 'user'"):
        file.column("user")


def test_cells_may_be_long(tmp_path: Path) -> None:
    file = CsvFile.open(written(tmp_path, f"comment\n{'x' * 300_000}\n"))
    assert [len(row.cells[0]) for row in file.rows()] == [300_000]
