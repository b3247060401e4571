"""Values in DynamoDB's own form, written as boto3 does and read back."""

from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from pulse.store import records

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**37), 10**37) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, max_size=6))
def test_a_record_is_written_as_boto3_would_and_comes_back(record: dict[str, Any]) -> None:
    serialize = TypeSerializer().serialize
    assert records._item(record) == {name: serialize(value) for name, value in record.items()}
    assert records._record(records._item(record)) == record


@pytest.mark.parametrize("value", [1.5, b"bytes", {"a set"}, object()])
def test_what_no_record_holds_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        records._item({"name": value})
