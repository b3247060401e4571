"""Whose row it is, decided by hashes."""

from datetime import date
from typing import Any

import pytest

from pulse.tombstones import (
    Erasure,
    Tombstones,
    claimed,
    customer_hash,
    interaction_hash,
    response_hash,
)

DAY = date(2026, 11, 20)
ROW: dict[str, Any] = {
    "tenant": "acme",
    "survey": "email",
    "key_kind": "secret",
    "response_id": "r-1",
    "customer": None,
    "interaction": None,
    "received_us": 1_000,
}
UPDATE: dict[str, Any] = {
    "tenant": "acme",
    "interaction_id": "T-1",
    "customer": None,
    "received_us": 1_000,
}
CUSTOMER = customer_hash("acme", "C-1")
TOMBSTONES = Tombstones.of(
    Erasure("acme", CUSTOMER, frozenset(hashes), 1_000)
    for hashes in ([CUSTOMER], [interaction_hash("acme", "T-1"), response_hash(ROW, DAY)])
)


@pytest.mark.parametrize(
    ("row", "covered"),
    [
        ({"customer": "C-1", "response_id": "r-2"}, True),
        ({"customer": "C-1", "response_id": "r-2", "received_us": 1_001}, False),
        ({"customer": "C-1", "response_id": "r-2", "tenant": "umbrella"}, False),
        ({"customer": "C-2", "response_id": "r-2"}, False),
        ({}, True),  # another copy of a response that named the customer
        ({"customer": "C-2"}, False),
        ({"key_kind": "publishable"}, False),
        ({"response_id": "r-2", "interaction": "T-1"}, True),
        ({"response_id": "r-2", "interaction": "T-1", "customer": "C-2"}, False),
        ({"response_id": "r-2", "interaction": "T-2"}, False),
    ],
)
def test_a_response_is_covered_by_what_it_names_and_when_it_came(
    row: dict[str, Any], covered: bool
) -> None:
    assert TOMBSTONES.cover("responses", ROW | row, DAY) is covered


@pytest.mark.parametrize(
    ("row", "covered"),
    [
        ({}, True),
        ({"customer": "C-2"}, False),
        ({"interaction_id": "T-2"}, False),
        ({"interaction_id": "T-2", "customer": "C-1"}, True),
        ({"received_us": 1_001}, False),
    ],
)
def test_an_update_goes_with_its_interaction(row: dict[str, Any], covered: bool) -> None:
    assert TOMBSTONES.cover("interactions", UPDATE | row, DAY) is covered


@pytest.mark.parametrize(("key_kind", "claims"), [("secret", True), ("publishable", False)])
def test_whoever_has_a_publishable_key_claims_no_interaction(key_kind: str, claims: bool) -> None:
    row = ROW | {"customer": "C-1", "interaction": "T-1", "key_kind": key_kind}
    hashes = set(claimed("responses", row, DAY))
    assert (interaction_hash("acme", "T-1") in hashes) is claims
    assert response_hash(row, DAY) in hashes


def test_an_update_claims_its_interaction() -> None:
    assert set(claimed("interactions", UPDATE, DAY)) == {interaction_hash("acme", "T-1")}


def test_the_same_id_on_another_day_is_another_response() -> None:
    assert not TOMBSTONES.cover("responses", ROW, date(2026, 11, 19))


def test_a_session_names_nobody() -> None:
    assert not TOMBSTONES.cover("sessions", {"tenant": "acme", "received_us": 1}, DAY)


def test_the_later_of_two_erasures_holds() -> None:
    tombstones = Tombstones.of(
        Erasure("acme", CUSTOMER, frozenset([CUSTOMER]), until) for until in (2_000, 1_000)
    )
    assert tombstones.cover("responses", ROW | {"customer": "C-1", "received_us": 1_500}, DAY)


def test_no_mark_shows_what_it_is_of() -> None:
    hashes = (CUSTOMER, interaction_hash("acme", "C-1"), customer_hash("umbrella", "C-1"))
    assert len(set(hashes)) == 3
    assert all(len(hash) == 64 and "C-1" not in hash for hash in hashes)
