"""Copies of objects on the local disk: private, limited in size, and safe while they are read."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from local.athena.objects import Copies


def copy_of(folder: Path, name: str, size: int) -> Path:
    file = folder / name
    file.write_bytes(b"x" * size)
    return file


def test_the_least_recently_used_copy_goes_when_there_is_too_much(tmp_path: Path) -> None:
    copies = Copies(most_bytes=100)
    for name in ("a", "b"):
        copies.add(name, copy_of(tmp_path, name, 40), 40)
    assert copies.link("a", tmp_path / "a2")
    copies.add("c", copy_of(tmp_path, "c", 40), 40)
    assert not copies.link("b", tmp_path / "b2")
    assert copies.link("a", tmp_path / "a3")
    assert sum(file.stat().st_size for file in copies.folder.iterdir()) == 80


def test_what_is_larger_than_the_bound_is_not_kept(tmp_path: Path) -> None:
    copies = Copies(most_bytes=100)
    copies.add("a", copy_of(tmp_path, "a", 101), 101)
    assert list(copies.folder.iterdir()) == []


def test_a_copy_that_goes_stays_readable_where_it_was_linked(tmp_path: Path) -> None:
    copies = Copies(most_bytes=50)
    copies.add("a", copy_of(tmp_path, "a", 40), 40)
    assert copies.link("a", tmp_path / "mine")
    copies.add("b", copy_of(tmp_path, "b", 40), 40)
    assert not copies.link("a", tmp_path / "again")
    assert (tmp_path / "mine").read_bytes() == b"x" * 40


def test_nobody_else_can_look_into_the_folder() -> None:
    assert Copies().folder.stat().st_mode & 0o077 == 0


def test_the_folder_of_a_killed_process_goes_and_that_of_a_living_one_stays() -> None:
    script = "import os; print(os.getpid())"
    gone = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
    orphan, own = (
        Path(tempfile.mkdtemp(prefix=f"pulse-athena-{pid}-")) for pid in (int(gone), os.getpid())
    )
    Copies().remove()
    assert (orphan.exists(), own.exists()) == (False, True)
    own.rmdir()
