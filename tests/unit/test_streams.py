"""The declarations of events are consistent with each other and with all data ever stored."""

import re
from pathlib import Path

import pytest
from pyarrow import parquet

from pulse.formats import RAW
from pulse.streams import STREAMS, Stream
from pulse.streams.responses import TAG_SLOTS

SAMPLES = Path(__file__).parents[1] / "formats" / "raw"
each_stream = pytest.mark.parametrize("stream", STREAMS.values(), ids=lambda stream: stream.name)


@each_stream
def test_a_field_stands_once(stream: Stream) -> None:
    for names in (
        [field.name for field in stream.fields],
        [field.sent_as for field in stream.fields if field.sent],
    ):
        assert len(names) == len(set(names))
    assert stream.identity in stream.columns


@each_stream
@pytest.mark.parametrize("number", range(1, RAW.number + 1))
def test_columns_came_with_the_format_that_they_name(stream: Stream, number: int) -> None:
    stored = parquet.read_schema(SAMPLES / str(number) / f"{stream.name}.parquet").names
    assert stored == [field.name for field in stream.fields if field.type and field.since <= number]


@each_stream
def test_an_export_has_every_column_that_says_something_of_an_event(stream: Stream) -> None:
    if stream.exported:
        exported = [re.sub("_(at|seconds)$", "_us", name) for name in stream.exported]
        said_already = {"content_hash", "key_id", "linkable", *TAG_SLOTS}
        assert sorted(exported) == sorted(stream.columns.keys() - said_already)


@each_stream
def test_what_a_sender_has_to_give_every_message_has(stream: Stream) -> None:
    required = {field.name for field in stream.fields if field.sent and field.sent.required}
    assert required & stream.columns.keys() <= stream.in_every_message <= stream.in_message


@each_stream
def test_a_dimension_is_called_as_its_column(stream: Stream) -> None:
    for field in stream.fields:
        if field.dimension:
            assert field.dimension.name == field.name
            assert field.type == "string"


def test_public_keys_may_coin_what_comes_from_the_page_or_its_browser() -> None:
    coined = [one.name for one in STREAMS["responses"].dimensions if one.open]
    assert coined == ["channel", "agent", "browser", "os"]
