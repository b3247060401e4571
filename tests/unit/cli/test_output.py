"""What is printed is exact for programs, and contains nothing that a terminal would execute."""

import io

import pytest
from rich.console import Console

from pulse.cli import output

HOSTILE = (
    "agent,n\r\n\x1b[31mred\x1b[0m\x1b]0;title\x07,\x9b2J\x7f\u202eab\u2069\r\nÄ\t\u200b,1\r\n"
)


class Terminal(io.StringIO):
    """A stream that says that people are watching."""

    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_data_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO(newline="")
    monkeypatch.setattr("sys.stdout", pipe)
    output.write(HOSTILE)
    assert pipe.getvalue() == HOSTILE


def test_a_terminal_gets_nothing_to_obey(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(newline="")
    monkeypatch.setattr("sys.stdout", terminal)
    output.write(HOSTILE)
    assert terminal.getvalue() == "agent,n\n�[31mred�[0m�]0;title�,�2J��ab�\nÄ\t\u200b,1\n"


def test_json_is_exact_in_a_pipe_and_harmless_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for stream, name in ((io.StringIO(), "\\u001b[1m\x9b2J"), (Terminal(), "\\u001b[1m�2J")):
        monkeypatch.setattr("sys.stdout", stream)
        output.show({"name": "\x1b[1m\x9b2J"}, "", as_json=True)
        assert stream.getvalue() == f'{{\n  "name": "{name}"\n}}\n'


def test_messages_are_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    output.say("no column '\x1b[2J'")
    assert terminal.getvalue() == "no column '�[2J'\n"


def test_a_row_of_a_table_is_a_line_whatever_its_cells_hold(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [["a\nx  revoked", "b\t\x1b[2J"], ["evil\u202egpj.exe", "\u2028\u200bc"]]
    output.show({}, output.table(["name\n", "other"], rows), as_json=False)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == [r"name\n", "other"]
    assert lines[2:] == [
        [r"a\nx", "revoked", r"b\t\x1b[2J"],
        [r"evil\u202egpj.exe", r"\u2028\u200bc"],
    ]


def test_what_is_too_wide_for_a_terminal_is_folded_and_nothing_is_cut() -> None:
    console = Console(width=80)
    with console.capture() as captured:
        console.print(output.table(["id", "reason"], [["01" * 30, "a" * 70]]))
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= 80
    assert "".join("".join(line.split()) for line in lines[2:]).count("a") == 70
    assert "".join("".join(line.split()) for line in lines[2:]).count("01") == 30


def test_a_value_of_a_pair_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.show({}, output.pairs({"question": "How was\r\nit?"}), as_json=False)
    assert capsys.readouterr().out.rstrip() == r"question  How was\r\nit?"


def test_a_tables_own_styles_reach_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    output.show({}, output.table(["name"], [["\x1b[2J"]]), as_json=False)
    assert "\x1b[1mname" in terminal.getvalue()
    assert "\x1b[2J" not in terminal.getvalue()
