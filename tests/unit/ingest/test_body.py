"""The strict reading of bodies.

tests/integration/test_ingest_refused.py lists the code of each oddity.
"""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse.errors import BadRequestError, RequestError
from pulse.ingest.body import WrittenFloat, read_object

LIMIT = 1_000_000
TEXTS = st.text()  # without lone surrogates, as JSON's UTF-8 has to be
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.floats() | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=8,
)


@given(st.binary())
def test_random_bytes_are_an_object_or_a_request_error(body: bytes) -> None:
    try:
        assert isinstance(read_object(body, LIMIT), dict)
    except RequestError as error:
        assert error.status == 400


@given(st.text(alphabet='{}[]",:\\u0dD8tfn1eE+-. \n', max_size=60))
def test_random_pieces_of_json_are_an_object_or_a_request_error(text: str) -> None:
    try:
        json.dumps(read_object(text.encode(), LIMIT), ensure_ascii=False).encode()
    except RequestError as error:
        assert error.status == 400


@given(st.dictionaries(TEXTS, VALUES), st.booleans())
def test_every_finite_object_is_read_as_it_was_written(
    value: dict[str, object], escaped: bool
) -> None:
    body = json.dumps(value, ensure_ascii=escaped).encode()
    try:
        assert read_object(body, LIMIT) == value
    except BadRequestError as error:
        assert error.code == "number_not_finite"
        assert "NaN" in body.decode() or "Infinity" in body.decode()


@given(st.decimals(-(10**14), 10**14, places=4))
def test_a_fraction_is_a_float_that_knows_how_it_was_written(number: Decimal) -> None:
    value = read_object(f'{{"n": {number}}}'.encode(), LIMIT)["n"]
    assert isinstance(value, WrittenFloat)
    assert (value, Decimal(value.written)) == (float(number), number)
    assert json.dumps(value) == json.dumps(float(number))


@pytest.mark.parametrize(
    "body", [b'{"a": "\\ud83d\\ude00"}', b'{"a": "\\\\ud83d"}', '{"a": "😀"}'.encode()]
)
def test_a_whole_pair_of_surrogates_or_an_escaped_backslash_is_no_lone_surrogate(
    body: bytes,
) -> None:
    assert read_object(body, LIMIT) == json.loads(body)


def test_the_limit_counts_bytes_and_is_inclusive() -> None:
    body = '{"a": "é"}'.encode()
    assert read_object(body, len(body)) == {"a": "é"}
    with pytest.raises(RequestError) as caught:
        read_object(body, len(body) - 1)
    assert (caught.value.status, caught.value.code) == (413, "body_too_large")


def test_any_depth_is_an_object_or_too_deep() -> None:
    """The limit may be met while reading, or only while searching for lone surrogates."""
    deepest = 0
    for depth in range(500, 1100):
        body = b'{"a":' + b"[" * depth + rb'"\ud83d\ude00"' + b"]" * depth + b"}"
        try:
            read_object(body, LIMIT)
        except BadRequestError as error:
            assert error.code == "body_too_deep"
        else:
            deepest = depth
    assert deepest >= 500
