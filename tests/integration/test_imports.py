"""What is remembered of imports: repeats in other files, changed options, and undoing."""

import io
import random
import urllib.request
from collections import Counter
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pulse import days
from pulse.cli import building
from pulse.cli.api import Api, HttpReply
from pulse.erasure.erase import Erase
from pulse.store.imports import Imports
from tests.eraser import World
from tests.shell import Shell
from tests.workbooks import Sheet, xlsx

TOKYO = ("--timezone", "Asia/Tokyo")
LOCAL = ["2026-03-02 23:30,1", "2026-03-02 09:00,2", "2026-03-03 08:00,3"]
ANONYMOUS = ("--map", "score=rating", "--map", "answered_at=date", "--survey", "email")


@pytest.fixture
def typed(world: World, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell on a stack with nothing in it; taking back does not wait for functions."""
    made = Erase.from_settings
    monkeypatch.setattr(
        Erase,
        "from_settings",
        lambda *given: replace(made(*given), settle_s=0, pause=lambda seconds: None),
    )

    def stored(url: str, seconds: int) -> None:
        with redirect_stdout(io.StringIO()):  # the function's metrics are not the command's
            world.driver.write()

    monkeypatch.setattr(building, "wait_until_stored", stored)
    monkeypatch.delenv("PULSE_KEY", raising=False)
    shell = Shell(world.driver)
    monkeypatch.setattr(Api, "_ask", lambda api, request: shell.answer(api, request))
    return shell


def load(world: World, typed: Shell, file: Path, *more: str, code: int = 0) -> Any:
    """Import a file of dates and ratings; the result."""
    world.pass_by()
    arguments = (str(file), "--tenant", "acme", *ANONYMOUS, *more)
    return typed.json("import", "responses", *arguments, code=code)


def scores(world: World, typed: Shell) -> list[int]:
    world.pass_by()
    world.driver.forget()
    return typed.scores("acme")


def answered(world: World) -> list[str]:
    """When the answers of March in raw were given, each once."""
    told = {days.iso(row["answered_us"]) for row in world.rows("responses")}
    return sorted(one[5:16] for one in told if one.startswith("2026-03"))


def written(folder: Path, name: str, rows: list[str]) -> Path:
    path = folder / name
    path.write_text("\n".join(["date,rating", *rows]))
    return path


@pytest.mark.only_whole
def test_equal_rows_of_another_file_are_told_and_a_batch_counts_them_apart(
    world: World, typed: Shell, tmp_path: Path
) -> None:
    shuffle = random.Random(18)
    rows = [f"2026-03-{shuffle.randrange(1, 8):02},{shuffle.randrange(5, 11)}" for _ in range(600)]
    first = written(tmp_path, "first.csv", rows[:300])
    second = written(tmp_path, "second.csv", rows[300:])
    shared = (Counter(rows[:300]) & Counter(rows[300:])).total()
    assert shared > 100
    assert load(world, typed, first)["repeated"] == {}
    assert load(world, typed, second)["repeated"] == {"first.csv": shared}
    assert len(scores(world, typed)) == 600 - shared
    told = typed.run(*("import", "responses", str(second), "--tenant", "acme", *ANONYMOUS)).stderr
    assert f"{shared} rows equal ones imported before as 'first.csv'" in told
    assert "--batch NAME" in told
    apart = load(world, typed, second, "--batch", "second half")
    assert (apart["name"], apart["repeated"], apart["replaced"]) == (
        "second half",
        {},
        ["second.csv"],
    )
    assert scores(world, typed) == sorted(int(row.partition(",")[2]) for row in rows)


@pytest.mark.only_whole
def test_a_file_that_grows_every_day_is_remembered_by_its_new_rows(
    world: World, typed: Shell, tmp_path: Path
) -> None:
    rows = [f"2026-03-{1 + n // 11:02},{n % 11}" for n in range(60)]
    for day in range(1, 7):
        told = load(world, typed, written(tmp_path, "export.csv", rows[: day * 10]))
        assert sum(told["repeated"].values()) == (day - 1) * 10
    imports = Imports(world.driver.settings.table)
    remembered = [len(b"".join(imports.hashes(one))) // 8 for one in imports.of_tenant("acme")]
    assert remembered == [10] * 6
    arguments = (str(written(tmp_path, "export.csv", rows)), "--tenant", "acme", *ANONYMOUS)
    told = typed.run("import", "responses", *arguments).stderr
    assert "20 rows equal ones of 2 other imports, counted once" in " ".join(told.split())
    assert len(scores(world, typed)) == 60


@pytest.mark.only_whole
def test_the_same_file_with_other_options_replaces_what_it_brought(
    world: World, typed: Shell, tmp_path: Path
) -> None:
    file = written(tmp_path, "answers.csv", LOCAL)
    world.response(id="another")
    load(world, typed, file)
    assert scores(world, typed) == [1, 2, 3, 9]
    assert answered(world) == ["03-02T09:00", "03-02T23:30", "03-03T08:00"]
    changed = load(world, typed, file, *TOKYO)
    assert (changed["name"], changed["replaced"]) == ("answers.csv", ["answers.csv"])
    assert scores(world, typed) == [1, 2, 3, 9]
    assert answered(world) == ["03-02T00:00", "03-02T14:30", "03-02T23:00"]
    assert load(world, typed, file, *TOKYO)["replaced"] == []
    assert scores(world, typed) == [1, 2, 3, 9]


@pytest.mark.only_whole
@pytest.mark.parametrize("last", [TOKYO, ()])
@pytest.mark.parametrize("broken", ["while it is sent", "before", "in", "after"])
def test_replacing_that_is_interrupted_loses_nothing_and_can_be_run_again(
    world: World,
    typed: Shell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
    last: tuple[str, ...],
) -> None:
    """It is interrupted before, during or after the former import is removed; both options work."""
    file = written(tmp_path, "answers.csv", LOCAL)
    load(world, typed, file)

    def stopped(*given: Any, **named: Any) -> Any:
        raise KeyboardInterrupt

    stops = {
        "while it is sent": (Api, "_ask"),
        "before": (building, "wait_until_stored"),
        "in": (Erase, "store"),
        "after": (Imports, "settle"),
    }
    with monkeypatch.context() as patched:
        patched.setattr(*stops[broken], stopped)
        world.pass_by()
        arguments = (str(file), "--tenant", "acme", *ANONYMOUS, *TOKYO)
        typed.run("import", "responses", *arguments, code=None)
    assert {1, 2, 3} <= set(scores(world, typed))
    load(world, typed, file, *last)
    assert scores(world, typed) == [1, 2, 3]
    expected = ["03-02T00:00", "03-02T14:30", "03-02T23:00"]
    assert answered(world) == (expected if last else ["03-02T09:00", "03-02T23:30", "03-03T08:00"])
    typed.json("import", "undo", "answers.csv", "--tenant", "acme")
    assert world.rows("responses") == []
    assert typed.json("import", "list", "--tenant", "acme") == []


@pytest.mark.only_whole
def test_options_that_read_fewer_rows_replace_nothing(
    world: World, typed: Shell, tmp_path: Path
) -> None:
    file = written(tmp_path, "answers.csv", LOCAL)
    load(world, typed, file)
    arguments = ("import", "responses", str(file), "--tenant", "acme")
    told = typed.run(*arguments, *ANONYMOUS, "--date-format", "%d.%m.%Y", code=2).stderr
    assert "3 rows cannot be read" in " ".join(told.split())
    assert (tmp_path / "answers.csv.rejects.csv").exists()
    wrong = ("--map", "answered_at=date", "--set", "score=99", "--survey", "email")
    told = typed.run(*arguments, *wrong, code=1).stderr
    assert "what was imported as 'answers.csv' stays" in " ".join(told.split())
    assert scores(world, typed) == [1, 2, 3]
    load(world, typed, file)
    assert scores(world, typed) == [1, 2, 3]
    assert load(world, typed, file, *TOKYO)["replaced"] == ["answers.csv"]
    assert answered(world) == ["03-02T00:00", "03-02T14:30", "03-02T23:00"]


def test_a_file_may_bring_answers_to_two_surveys(
    world: World, typed: Shell, tmp_path: Path
) -> None:
    typed.run("survey", "add", "acme", "phone", "--metric", "nps", "--scale", "0-10")
    world.driver.forget()
    file = written(tmp_path, "both.csv", ["2026-03-02,1"])
    load(world, typed, file)
    arguments = (str(file), "--tenant", "acme", *ANONYMOUS[:-1], "phone")
    assert typed.json("import", "responses", *arguments)["replaced"] == []
    assert {one["into"] for one in typed.json("import", "list", "--tenant", "acme")} == {
        "email",
        "phone",
    }
    assert scores(world, typed) == [1, 1]


def test_an_import_is_taken_back_by_its_name(world: World, typed: Shell, tmp_path: Path) -> None:
    kept = written(tmp_path, "kept.csv", ["2026-03-02,1", "2026-03-02,2"])
    wrong = written(tmp_path, "wrong.csv", ["2026-03-02,2", "2026-03-05,3"])
    load(world, typed, kept)
    assert load(world, typed, wrong)["repeated"] == {"kept.csv": 1}
    assert scores(world, typed) == [1, 2, 3]
    undo = ("import", "undo", "wrong.csv", "--tenant", "acme")
    planned = typed.json(*undo, "--dry-run")
    assert (planned["removed"], planned["receipts"]) == ({"responses": 2}, [])
    assert scores(world, typed) == [1, 2, 3]
    done = typed.json(*undo)
    assert done["removed"] == {"responses": 2}
    assert done["days"] == ["2026-03-02", "2026-03-05"]
    assert scores(world, typed) == [1, 2]
    assert [one["name"] for one in typed.json("import", "list", "--tenant", "acme")] == ["kept.csv"]
    assert "it has: kept.csv" in typed.run(*undo, code=2).stderr
    assert load(world, typed, wrong)["accepted"] == 2
    assert scores(world, typed) == [1, 2, 3]


@pytest.mark.only_whole
def test_what_an_interrupted_import_brought_is_taken_back_with_the_rest(
    world: World, typed: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, "many.csv", [f"2026-03-{1 + n % 20:02},{n % 11}" for n in range(2600)])

    def interrupted(api: Api, request: urllib.request.Request) -> HttpReply:
        if len(typed.asked) >= 2:
            raise KeyboardInterrupt
        return typed.answer(api, request)

    arguments = ("import", "responses", str(file), "--tenant", "acme", *ANONYMOUS)
    with monkeypatch.context() as patched:
        patched.setattr(Api, "_ask", interrupted)
        typed.run(*arguments, code=1)
    world.pass_by()
    (begun,) = typed.json("import", "list", "--tenant", "acme")
    assert (begun["rows"], begun["accepted"]) == (2600, None)
    assert load(world, typed, file)["accepted"] == 2600
    world.pass_by()
    done = typed.json("import", "undo", "many.csv", "--tenant", "acme")
    assert len(done["receipts"]) == 2
    assert world.rows("responses") == []


@pytest.mark.only_whole
def test_a_name_belongs_to_one_file(world: World, typed: Shell, tmp_path: Path) -> None:
    one = written(tmp_path, "one.csv", ["2026-03-02,1"])
    two = written(tmp_path, "two.csv", ["2026-03-02,2"])
    load(world, typed, one, "--batch", "march")
    arguments = ("import", "responses", str(two), "--tenant", "acme", *ANONYMOUS, "--batch")
    assert "is the name of another import (one.csv" in typed.run(*arguments, "march", code=2).stderr
    assert "1 to 128 characters" in typed.run(*arguments, " ", code=2).stderr
    other = tmp_path / "other"
    other.mkdir()
    load(world, typed, two)
    assert load(world, typed, written(other, "two.csv", ["2026-03-02,3"]))["name"] == "two.csv (2)"


def test_a_mended_file_replaces_what_its_batch_brought(
    world: World, typed: Shell, tmp_path: Path
) -> None:
    batch = ("--batch", "march")
    file = written(tmp_path, "one.csv", ["2026-03-02,1", "2026-03-02,11", "2026-03-03,2"])
    assert load(world, typed, file, *batch, code=3)["codes"] == {"score_out_of_range": 1}
    world.driver.build()
    written(tmp_path, "one.csv", ["2026-03-02,1", "2026-03-02,10", "2026-03-04,2"])
    mended = load(world, typed, file, *batch)
    assert (mended["name"], mended["replaced"]) == ("march", ["march"])
    assert scores(world, typed) == [1, 2, 10]
    assert answered(world) == ["03-02T12:00", "03-04T12:00"]


@pytest.mark.only_whole
def test_two_batches_of_one_file_stand_beside_each_other(
    world: World, typed: Shell, tmp_path: Path
) -> None:
    file = written(tmp_path, "one.csv", ["2026-03-02,1"])
    load(world, typed, file, "--batch", "q1")
    assert load(world, typed, file, "--batch", "q2")["replaced"] == []
    assert scores(world, typed) == [1, 1]
    assert load(world, typed, file)["replaced"] == ["q1", "q2"]
    assert scores(world, typed) == [1]


def test_what_came_with_a_shared_key_is_not_taken_back_blindly(
    world: World, typed: Shell, tmp_path: Path
) -> None:
    file = written(tmp_path, "one.csv", ["2026-03-02,1"])
    secret = world.driver.key("acme", "secret")
    load(world, typed, file, "--key", secret)
    told = typed.run("import", "undo", "one.csv", "--tenant", "acme", code=2).stderr
    assert "pulse purge --tenant acme --key" in told
    assert (
        "imported with --key"
        in typed.run(
            *("import", "responses", str(file), "--tenant", "acme", *ANONYMOUS),
            *("--timezone", "Asia/Tokyo"),
            code=2,
        ).stderr
    )
    assert scores(world, typed) == [1]
    typed.run("import", "undo", "one.csv", "--tenant", "acme", "--forget")
    assert typed.json("import", "list", "--tenant", "acme") == []
    assert scores(world, typed) == [1]


def test_a_tenant_that_is_deleted_leaves_no_memory(
    world: World, typed: Shell, tmp_path: Path
) -> None:
    load(world, typed, written(tmp_path, "one.csv", ["2026-03-02,1"]))
    world.pass_by()
    done = typed.json("tenant", "delete", "acme", "--yes", "acme")
    assert done["tenant_deleted"]["imports"] == 1
    assert Imports(world.driver.settings.table).of_tenant("acme") == []


# -- trying and telling


BOOK: dict[str, Sheet] = {
    "Answers": [
        ["Answers of March", None, None, None],
        ["When", "How likely?", "Order", "Why?"],
        [datetime(2026, 3, 2, 23, 30), "10 - Extremely likely", 160588012345, "Très bien"],
        [datetime(2026, 3, 3, 8, 0), "0 - Not at all", 160588012346, None],
        [datetime(2026, 3, 3, 9, 0), "11 - More", 160588012346, None],
        [datetime(2026, 3, 3, 9, 1), "Good", "1.60588E+11", "N/A"],
    ],
    "Notes": [["none"]],
}
BOOKED = (
    *("--map", "score=How likely?", "--map", "answered_at=When", "--map", "tags.order=Order"),
    *("--map", "interaction_id=Order", "--map", "comment=Why?", "--survey", "email"),
    *("--labelled", "--header-row", "2", "--empty", "N/A,-", "--timezone", "Europe/Berlin"),
    *("--value", "score:good=7"),
)


def test_a_dry_run_shows_what_would_be_stored_and_changes_nothing(
    world: World, typed: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "answers.xlsx"
    file.write_bytes(xlsx(BOOK))
    arguments = ("import", "responses", str(file), "--tenant", "acme", *BOOKED, "--dry-run")
    told = typed.json(*arguments)
    assert (told["rows"], told["accepted"], told["codes"]) == (4, 3, {"score_out_of_range": 1})
    assert (told["first"][0]["answered_at"], told["timezone"]) == (
        "2026-03-02T22:30:00Z",
        "Europe/Berlin",
    )
    assert [(row["line"], row["score"]) for row in told["first"]] == [(3, 10), (4, 0), (6, 7)]
    first = told["first"][0]
    assert (first["comment"], first["tags"]) == ("Très bien", {"order": "160588012345"})
    assert "comment" not in told["first"][2]
    assert told["columns"][2] == {"column": "Order", "fields": ["tags.order", "interaction_id"]}
    shown = typed.run(*arguments)
    for part in (
        "How likely? → score, such as '10 - Extremely likely'",
        "(all rows) → survey_id: email",
        "line 3: survey=email",
        "1 score_out_of_range, first in line 5: score must lie within 0 and 10",
        "4 rows: 3 accepted, 1 rejected",
        "from 2026-03-02 23:30 to 2026-03-03 09:01 (Europe/Berlin)",
        "Nothing was sent.",
    ):
        assert part in shown.stdout
    assert "sheet 'Answers' (--sheet takes another: Notes)" in shown.stderr
    said = " ".join(shown.stderr.split())
    assert "Rows whose interaction_id is a number that a spreadsheet has shortened" in said
    assert "1.60588E+11: 1." in said
    assert typed.asked == []
    assert sorted(tmp_path.iterdir()) == [file]
    assert typed.json("import", "list", "--tenant", "acme") == []
    assert typed.driver.tenants.keys("acme") == []


def test_a_workbook_becomes_answers(world: World, typed: Shell, tmp_path: Path) -> None:
    file = tmp_path / "answers.xlsx"
    file.write_bytes(xlsx(BOOK))
    world.pass_by()
    told = typed.json("import", "responses", str(file), "--tenant", "acme", *BOOKED, code=3)
    assert (told["accepted"], told["codes"]) == (3, {"score_out_of_range": 1})
    assert scores(world, typed) == [0, 7, 10]
    rejected = (tmp_path / "answers.xlsx.rejects.csv").read_text().splitlines()
    assert rejected[1].startswith("2026-03-03 09:00:00,11 - More,160588012346,,5,score,")
    assert len(rejected) == 2


def test_rows_that_share_an_id_are_told(world: World, typed: Shell, tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text("date,rating,id\n2026-03-02,1,a\n2026-03-02,2,a\n2026-03-02,3,b\n")
    world.pass_by()
    arguments = (str(path), "--tenant", "acme", *ANONYMOUS, "--map", "response_id=id")
    told = typed.run("import", "responses", *arguments)
    assert "3 rows: 3 accepted, 0 rejected" in told.stdout
    assert "2 different response_ids" in told.stdout
    assert "Reports have all of them after `pulse build`" in told.stderr
    assert "Rows with the response_id of an earlier row: 1." in told.stderr
    assert scores(world, typed) == [2, 3]
