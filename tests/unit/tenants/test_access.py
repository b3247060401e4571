"""Who the caller of a request is by its key, and for how long an ended key is still accepted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from pulse import days
from pulse.errors import ForbiddenError, TooManyRequestsError, UnauthorizedError
from pulse.http import Call
from pulse.store.tenants import Tenants
from pulse.tenants.access import Directory, authenticate, require_kind
from pulse.tenants.keys import PREFIXES, Key, new_key_text, sha256
from pulse.tenants.limits import Limits
from tests.unit.serve.events import call

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOON_US = days.to_us(NOON)
EVERYWHERE = pytest.mark.parametrize("kind", PREFIXES)


class InMemory:
    """A fake of the table: keys by their hashes, and how often they were asked for."""

    def __init__(self) -> None:
        self.keys: dict[str, Key] = {}
        self.asked = 0

    def add(self, kind: str, expires_us: int | None = None) -> str:
        text = new_key_text(kind)
        self.keys[sha256(text)] = Key(sha256(text), kind, "demo", 0, expires_us=expires_us)
        return text

    def revoke(self, text: str) -> None:
        self.keys[sha256(text)] = replace(self.keys[sha256(text)], revoked_us=days.now_us())

    def key(self, digest: str) -> Key | None:
        self.asked += 1
        return self.keys.get(digest)


@pytest.fixture
def table() -> InMemory:
    return InMemory()


@pytest.fixture
def directory(table: InMemory) -> Directory:
    return Directory(cast(Tenants, table))


def accepts(directory: Directory, text: str, *, us: int) -> bool:
    """Is the key good, so many microseconds after noon?"""
    with days.clock(lambda: NOON + timedelta(microseconds=us)):
        try:
            authenticate(call("/", key=text), directory)
        except UnauthorizedError as error:
            assert error.code == "invalid_key"
            return False
    return True


@EVERYWHERE
def test_a_key_ends_at_the_very_instant_at_which_it_expires(
    kind: str, table: InMemory, directory: Directory
) -> None:
    text = table.add(kind, expires_us=NOON_US + 30 * days.SECOND)
    assert accepts(directory, text, us=0)
    assert accepts(directory, text, us=30 * days.SECOND - 1)
    assert not accepts(directory, text, us=30 * days.SECOND)
    assert table.asked == 1  # so what is remembered expires too


@EVERYWHERE
def test_a_revoked_key_ends_within_a_minute(
    kind: str, table: InMemory, directory: Directory
) -> None:
    text = table.add(kind)
    assert accepts(directory, text, us=0)
    table.revoke(text)
    assert accepts(directory, text, us=59 * days.SECOND)
    assert table.asked == 1
    assert not accepts(directory, text, us=61 * days.SECOND)
    assert not accepts(Directory(cast(Tenants, table)), text, us=1)


@EVERYWHERE
def test_a_revocation_is_not_put_off_by_using_the_key(
    kind: str, table: InMemory, directory: Directory
) -> None:
    text = table.add(kind)
    for second in range(60):
        assert accepts(directory, text, us=second * days.SECOND)
        table.revoke(text)
    assert not accepts(directory, text, us=60 * days.SECOND)


@EVERYWHERE
def test_a_key_made_after_it_was_tried_is_known_within_a_minute(
    kind: str, table: InMemory, directory: Directory
) -> None:
    text = new_key_text(kind)
    assert not accepts(directory, text, us=0)
    table.keys[sha256(text)] = Key(sha256(text), kind, "demo", 0)
    assert not accepts(directory, text, us=59 * days.SECOND)
    assert accepts(directory, text, us=61 * days.SECOND)


def in_query(text: str, *, header: str | None = None) -> Call:
    return call("/", f"preset=today&key={text}", key=header)


@EVERYWHERE
def test_only_the_kinds_that_a_route_names_are_taken_from_the_query(
    kind: str, table: InMemory, directory: Directory
) -> None:
    text = table.add(kind)
    assert authenticate(in_query(text), directory, in_query=(kind,)).kind == kind
    others = tuple(other for other in PREFIXES if other != kind)
    with pytest.raises(UnauthorizedError) as error:
        authenticate(in_query(text), directory, in_query=others)
    assert error.value.code == "key_kind_not_in_query"
    with pytest.raises(UnauthorizedError) as error:
        authenticate(in_query(text), directory)
    assert error.value.code == "missing_key"


def test_a_header_goes_before_the_query(table: InMemory, directory: Directory) -> None:
    shown = in_query(table.add("feed"), header=table.add("report"))
    assert authenticate(shown, directory, in_query=("feed",)).kind == "report"


@EVERYWHERE
def test_a_key_of_another_kind_is_told_which_it_takes(kind: str) -> None:
    key = Key("0", kind, "demo", 0)
    require_kind(key, kind)
    with pytest.raises(ForbiddenError) as error:
        require_kind(key, *(other for other in PREFIXES if other != kind))
    assert error.value.code == "wrong_key_kind"
    assert f"This {kind} key" in error.value.detail


def test_keys_tried_at_random_neither_grow_the_memory_nor_push_a_known_key_out_of_it(
    table: InMemory, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pulse.tenants.access._MOST_REMEMBERED", 10)
    known = [table.add("secret") for _ in range(10)]
    for text in known:
        assert accepts(directory, text, us=0)
    for number in range(100):
        assert not accepts(directory, f"sk_{number}", us=1)
    assert len(directory._missing._answers) == 10
    assert len(directory._found._answers) == 10
    asked = table.asked
    for text in known:
        assert accepts(directory, text, us=2)
    assert not accepts(directory, "sk_99", us=2)  # unknown, and remembered as that
    assert table.asked == asked


def test_of_more_keys_than_are_remembered_the_longest_unused_is_asked_for_again(
    table: InMemory, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pulse.tenants.access._MOST_REMEMBERED", 2)
    first, second, third = (table.add("report") for _ in range(3))
    for text in (first, second, first, third):
        assert accepts(directory, text, us=0)
    assert table.asked == 3
    assert accepts(directory, first, us=1)
    assert table.asked == 3
    assert accepts(directory, second, us=1)
    assert table.asked == 4


def test_a_request_counts_against_the_limits_of_its_method_once_its_key_is_known(
    table: InMemory,
) -> None:
    limits = {"GET": Limits.per_minute(2, 3), "POST": Limits.per_minute(1, 1)}
    directory = Directory(cast(Tenants, table), limits=limits)
    text = table.add("secret")
    with days.clock(lambda: NOON):
        for method in ("GET", "HEAD", "POST"):
            authenticate(replace(call("/", key=text), method=method), directory)
        for method in ("GET", "HEAD", "POST"):
            with pytest.raises(TooManyRequestsError):
                authenticate(replace(call("/", key=text), method=method), directory)
        with pytest.raises(UnauthorizedError):
            authenticate(call("/", key="sk_unknown"), directory)
