"""The template for this machine's architecture, which `make test-runtime` builds."""

import pytest

from tests.runtime.architecture import TEMPLATE, for_architecture

ORIGINAL = TEMPLATE.read_text("utf-8")


def test_nothing_but_the_architecture_differs() -> None:
    changed = for_architecture(ORIGINAL, "x86_64")
    pairs = list(zip(ORIGINAL.splitlines(), changed.splitlines(), strict=True))
    differing = [(before, after) for before, after in pairs if before != after]
    assert len(differing) == 9  # Globals, and two lines of each of four layers
    assert all(after == before.replace("arm64", "x86_64") for before, after in differing)
    assert "arm64" not in changed


def test_for_arm64_it_is_the_template_itself() -> None:
    assert for_architecture(ORIGINAL, "arm64") == ORIGINAL


def test_an_architecture_that_would_be_left_is_an_error() -> None:
    with pytest.raises(ValueError, match="arm64 is left in: Image: made-for-arm64"):
        for_architecture("Architectures: [arm64]\nImage: made-for-arm64", "x86_64")
