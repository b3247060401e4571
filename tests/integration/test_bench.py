"""The bench runs at its least scale, and its delayed S3 behaves like S3."""

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from bench import insights, slow_s3, statements
from bench.__main__ import main
from pulse.reports.registry import REPORTS

DELAY_MS = 25


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of the slow S3 over a bucket with two objects."""
    root = tmp_path_factory.mktemp("s3")
    for name in ("b/one.txt", "a=1/two.txt"):
        (root / "lake" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "lake" / name).write_bytes(b"0123456789")
    with slow_s3.serving(root, DELAY_MS) as url:
        yield boto3.client("s3", endpoint_url=url, config=Config(retries={"total_max_attempts": 1}))


def test_an_object_comes_whole_or_in_part_and_late(served: Any) -> None:
    start = time.perf_counter()
    whole = served.get_object(Bucket="lake", Key="b/one.txt")
    assert whole["Body"].read() == b"0123456789"
    assert time.perf_counter() - start >= DELAY_MS / 1000
    for asked, given in (("bytes=2-4", b"234"), ("bytes=7-", b"789"), ("bytes=-2", b"89")):
        part = served.get_object(Bucket="lake", Key="b/one.txt", Range=asked)
        assert part["Body"].read() == given
    assert served.head_object(Bucket="lake", Key="a=1/two.txt")["ContentLength"] == 10


def test_requests_wait_beside_each_other(tmp_path: Path) -> None:
    """None of the requests gets its reply before all of them wait."""
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "one.txt").write_bytes(b"0123456789")
    together = threading.Barrier(8)
    server = slow_s3.Server(tmp_path, lambda: together.wait(timeout=60))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/lake/one.txt"

    def asked(_: int) -> bytes:
        with urlopen(address, timeout=120) as reply:
            return bytes(reply.read())

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(asked, range(8))) == [b"0123456789"] * 8
    server.shutdown()
    server.server_close()


def test_what_the_caller_has_or_what_is_not_there_is_not_sent(served: Any) -> None:
    etag = served.get_object(Bucket="lake", Key="b/one.txt")["ETag"]
    for key, condition, status in (
        ("b/one.txt", {"IfNoneMatch": etag}, 304),
        ("b/none.txt", {}, 404),
    ):
        with pytest.raises(ClientError) as refused:
            served.get_object(Bucket="lake", Key=key, **condition)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_objects_are_listed_by_prefix_and_folder(served: Any) -> None:
    every = served.list_objects_v2(Bucket="lake")["Contents"]
    assert [found["Key"] for found in every] == ["a=1/two.txt", "b/one.txt"]
    below = served.list_objects_v2(Bucket="lake", Prefix="b/")["Contents"]
    assert [(found["Key"], found["Size"]) for found in below] == [("b/one.txt", 10)]
    folders = served.list_objects_v2(Bucket="lake", Delimiter="/")["CommonPrefixes"]
    assert [found["Prefix"] for found in folders] == ["a=1/", "b/"]


@pytest.mark.only_whole
def test_a_part_runs_and_leaves_its_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It also compares every engine's answer with ours, and raises where one differs."""
    page = tmp_path / "RESULTS.md"
    assert main(["--tiny", "--part", "read", "--results", str(page)]) == 0
    said = capsys.readouterr().err
    assert "held: a year of a typical tenant takes at most 2 GETs: 1" in said
    assert "scale tiny" in page.read_text()


@pytest.mark.only_whole
def test_every_report_is_asked_of_a_year_of_one_part_and_of_three(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It compares the two answers, and raises where they differ."""
    page = tmp_path / "RESULTS.md"
    assert main(["--tiny", "--part", "questions", "--results", str(page)]) == 0
    assert "held: a question within a year takes at most 3 GETs" in capsys.readouterr().err
    for name in REPORTS:
        assert f"| largest, three parts: {name} |" in page.read_text()


@pytest.mark.only_whole
def test_builds_of_reports_are_measured(tmp_path: Path) -> None:
    page = tmp_path / "RESULTS.md"
    assert main(["--tiny", "--part", "reports", "--results", str(page)]) == 0
    assert re.search(r"\| 3 \| 9 \| a night \| [\d.]+ \| [\d.]+ \|  \| 2 \|", page.read_text())


@pytest.mark.only_whole
def test_a_large_tenant_is_measured(tmp_path: Path) -> None:
    page = tmp_path / "RESULTS.md"
    assert main(["--tiny", "--part", "large", "--results", str(page)]) == 0
    text = page.read_text()
    assert re.search(r"\| report agents \| .* ms.* \| [\d.]+ ms \| \d+\.\d\d \|", text)
    # of a tenant as small as this one, weeks alone are in no object
    assert re.search(r"\| a year by week, .* \| (?!0\.0)\d+\.\d \| [1-9]\d* \|", text)


@pytest.mark.only_whole
def test_searches_of_comments_are_measured(tmp_path: Path) -> None:
    """It compares how many are found with what DuckDB finds, and raises where they differ."""
    page = tmp_path / "RESULTS.md"
    assert main(["--tiny", "--part", "comments", "--results", str(page)]) == 0
    assert re.search(r"\| a word of none: Pulse \| .* ms \| \d+\.\d\d \|", page.read_text())


@pytest.mark.only_whole
def test_insights_drivers_tags_and_words_are_measured(tmp_path: Path) -> None:
    """It compares the answers of groups with what DuckDB sums, and raises where they differ."""
    page = tmp_path / "RESULTS.md"
    assert main(["--tiny", "--part", "insights", "--results", str(page)]) == 0
    text = page.read_text()
    for name, question in insights.QUESTIONS.items():
        times = r"\d+\.\d\d" if question.beside else ""
        assert re.search(rf"\| largest: {name} \| .* ms \| [\d.]+ \| \d+ \| {times} \|", text)


@pytest.mark.only_whole
def test_the_statements_are_measured_and_a_line_says_where_trino_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))  # without Maven
    page = tmp_path / "RESULTS.md"
    assert main(["--tiny", "--part", "statements", "--results", str(page)]) == 0
    text = page.read_text()
    assert "**Trino was not measured: Maven (mvn) is not on the PATH" in text
    for folder, name, _ in statements.STATEMENTS:
        assert re.search(rf"\| {folder}/{name} \| \d+\.\d\d \|.*\|  \|  \|  \|  \|\n", text)
