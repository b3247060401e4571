"""A link's signature holds for the values that it names and for its own survey alone."""

import base64
import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse.tenants.signatures import covers, new_secret, sign

SECRET = "kX2m"
BOTH = {"agent": "a-7", "interaction": "T 1/ü"}


def covered(signature: str, name: str = "agent", **changed: Any) -> bool:
    of = {"secret": SECRET, "tenant": "shop", "survey": "support", "values": BOTH}
    return covers(name, signature, **{**of, **changed})


def test_the_format_is_as_documented() -> None:
    """Links outlive releases, so this result may only change together with the version in front."""
    signed = b'["pulse link 1", "shop", "support", [["a", "a-7"], ["i", "T 1/\\u00fc"]]]'
    mac = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()[:16]
    text = base64.urlsafe_b64encode(mac).decode().rstrip("=")
    assert sign(SECRET, "shop", "support", BOTH) == f"1ai.{text}"
    assert len(text) == 22


def test_it_covers_what_it_names_and_no_more() -> None:
    both = sign(SECRET, "shop", "support", BOTH)
    agent = sign(SECRET, "shop", "support", {"agent": "a-7"})
    interaction = sign(SECRET, "shop", "support", {"interaction": "T 1/ü"})
    assert covered(both, "agent") and covered(both, "interaction")
    assert covered(agent, "agent") and not covered(agent, "interaction")
    assert covered(interaction, "interaction") and not covered(interaction, "agent")
    assert covered(agent, values={"agent": "a-7", "interaction": "another"})
    assert covered(agent, values={"agent": "a-7"})


@pytest.mark.parametrize(
    "changed",
    [
        {"secret": "kX2n"},
        {"secret": ""},
        {"tenant": "shoq"},
        {"survey": "suppors"},
        {"values": BOTH | {"agent": "a-8"}},
        {"values": BOTH | {"agent": None}},
        {"values": BOTH | {"interaction": "T 2"}},
        {"values": BOTH | {"interaction": None}},
        {"values": {"agent": BOTH["interaction"], "interaction": BOTH["agent"]}},
        {"tenant": "sho", "survey": "psupport"},
    ],
    ids=str,
)
def test_it_cannot_be_moved(changed: dict[str, Any]) -> None:
    assert not covered(sign(SECRET, "shop", "support", BOTH), **changed)


@pytest.mark.parametrize("letters", ["", "a", "i", "ia", "aai", "aix", "x"])
def test_what_it_names_is_covered_too(letters: str) -> None:
    mac = sign(SECRET, "shop", "support", BOTH).partition(".")[2]
    assert not covered(f"1{letters}.{mac}")


@given(st.text())
def test_no_text_is_a_signature(text: str) -> None:
    assert not covered(text)
    assert not covered(f"1ai.{text}")


def test_without_a_secret_nothing_is_signed() -> None:
    assert not covered(sign("", "shop", "support", BOTH), secret="")


@given(st.tuples(*[st.text(alphabet='a",[] ')] * 4), st.tuples(*[st.text(alphabet='a",[] ')] * 4))
def test_different_links_have_different_signatures(
    one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    signatures = [
        sign(SECRET, tenant, survey, {"agent": agent, "interaction": interaction})
        for tenant, survey, agent, interaction in (one, other)
    ]
    assert (one == other) == (signatures[0] == signatures[1])


def test_each_survey_gets_a_secret_of_its_own() -> None:
    assert new_secret() != new_secret()
    assert len(base64.urlsafe_b64decode(new_secret() + "=")) == 32
