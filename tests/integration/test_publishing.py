"""`pulse pages publish` and the bucket of a deployed stack after it."""

import json
from pathlib import Path

import boto3
import pytest
from typer.testing import CliRunner, Result

from pulse.cli.main import app
from pulse.store.objects import Objects
from tests.driver import Driver


@pytest.fixture
def built(tmp_path: Path) -> Path:
    return build(tmp_path / "dist", "1")


def build(folder: Path, version: str) -> Path:
    """Pages as Vite leaves them: assets' names change with their content."""
    (folder / "assets").mkdir(parents=True)
    (folder / "assets" / f"index-{version}.js").write_text(f"'{version}'")
    (folder / "index.html").write_text(f"<script src=/assets/index-{version}.js></script>")
    (folder / "survey.html").write_text(f"<script src=/assets/index-{version}.js></script>")
    (folder / "widget.v1.js").write_text(f"'{version}'")
    return folder


def publish(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(
        app, ["pages", "publish", str(folder), "--stack", "pulse", "--json", *options]
    )


@pytest.fixture
def bucket(driver: Driver) -> Objects:
    """The stack's bucket of pages, empty."""
    bucket = Objects(driver.deployment.outputs["PagesBucket"])
    bucket.delete_all("")
    return bucket


def head(bucket: Objects, key: str) -> dict[str, str]:
    found = boto3.client("s3").head_object(Bucket=bucket.bucket, Key=key)
    return {"ContentType": found["ContentType"], "CacheControl": found["CacheControl"]}


def test_files_are_served_as_what_they_are(driver: Driver, built: Path, bucket: Objects) -> None:
    result = publish(built)
    assert json.loads(result.stdout) == {
        "url": driver.deployment.outputs["PagesUrl"],
        "bucket": bucket.bucket,
        "files": ["assets/index-1.js", "widget.v1.js", "index.html", "survey.html"],
    }
    assert head(bucket, "index.html") == {
        "ContentType": "text/html; charset=utf-8",
        "CacheControl": "no-cache",
    }
    assert head(bucket, "assets/index-1.js") == {
        "ContentType": "text/javascript; charset=utf-8",
        "CacheControl": "public, max-age=31536000, immutable",
    }
    assert head(bucket, "widget.v1.js")["CacheControl"] == "public, max-age=3600"


def test_an_upgrade_never_shows_a_page_without_its_assets(
    built: Path, bucket: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(built)
    put = Objects.put_page

    def checked(self: Objects, key: str, body: bytes, **headers: str) -> None:
        put(self, key, body, **headers)
        for document in ("index.html", "survey.html"):
            named = bucket.get(document).decode().split("=/")[1].split(">")[0]
            assert named in bucket.keys("assets/"), f"{document} lost {named} when {key} was put"

    monkeypatch.setattr(Objects, "put_page", checked)
    assert publish(build(tmp_path / "new", "2")).exit_code == 0
    # pages that are still open go on loading theirs
    assert list(bucket.keys("assets/")) == ["assets/index-1.js", "assets/index-2.js"]
    assert b"index-2" in bucket.get("index.html")


def test_a_widget_on_others_pages_is_not_replaced_unasked(
    built: Path, bucket: Objects, tmp_path: Path
) -> None:
    publish(built)
    again = publish(built)
    assert "stays" not in again.stderr
    new = build(tmp_path / "new", "2")
    upgraded = publish(new)
    assert "widget.v1.js stays as it was published" in upgraded.stderr
    assert "widget.v1.js" not in json.loads(upgraded.stdout)["files"]
    assert bucket.get("widget.v1.js") == b"'1'"
    assert publish(new, "--replace-widget").exit_code == 0
    assert bucket.get("widget.v1.js") == b"'2'"


def test_pages_that_are_not_built_are_not_published(
    built: Path, bucket: Objects, tmp_path: Path
) -> None:
    (built / "survey.html").unlink()
    for folder in (built, tmp_path / "nowhere"):
        result = publish(folder)
        assert result.exit_code == 2
        assert "survey.html" in result.stderr
        assert "make pages" in result.stderr
    assert list(bucket.keys("")) == []
