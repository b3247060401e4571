"""How built pages are named and kept."""

from pathlib import Path

import pytest

from pulse.pages import cache_control, files, media_type


def test_documents_come_after_everything_that_they_name(tmp_path: Path) -> None:
    names = ["index.html", "assets/a.css", "widget.v1.js", "survey.html", "assets/b.js"]
    for name in (*names, ".stamp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert list(files(tmp_path)) == [
        "assets/a.css",
        "assets/b.js",
        "widget.v1.js",
        "index.html",
        "survey.html",
    ]


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert files(tmp_path / "nowhere") == {}


@pytest.mark.parametrize(
    ("name", "kind", "kept"),
    [
        ("index.html", "text/html; charset=utf-8", "no-cache"),
        ("assets/a-1f.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("assets/a-1f.css", "text/css; charset=utf-8", "public, max-age=31536000, immutable"),
        ("widget.v1.js", "text/javascript; charset=utf-8", "public, max-age=3600"),
        ("LICENCE", "application/octet-stream", "public, max-age=3600"),
    ],
)
def test_a_file_has_its_kind_and_is_kept_as_long_as_it_holds(
    name: str, kind: str, kept: str
) -> None:
    assert (media_type(name), cache_control(name)) == (kind, kept)
