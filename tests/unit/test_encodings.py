"""Which replies are compressed and which bodies may be, by RFC 9110, within limits of size."""

import gzip
import tracemalloc
import zlib
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse.encodings import COMPRESS_FROM, compress, decoded, wants_gzip
from pulse.errors import BadRequestError, PayloadTooLargeError, UnsupportedMediaTypeError

LIMIT = 16 * 1024


@pytest.mark.parametrize(
    ("accept_encoding", "is_compressed"),
    [
        ("", False),
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),  # a browser
        ("GZIP;Q=0.5", True),
        ("x-gzip", True),  # RFC 9110, 8.4.1.3: the same as gzip
        ("*", True),
        ("*;q=0.1", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("identity;q=0.5, *;q=0", False),  # RFC 9110, 12.5.3: gzip is among the others
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip;q=0, *", False),
        ("*;q=0, gzip", True),
        ("identity", False),
        ("identity;q=1, gzip;q=0.5", False),
        ("identity;q=0.5, gzip;q=1", True),
        ("identity, gzip", True),
        ("deflate, br", False),
        ("gzip ; q=1", True),
        (" gzip\t;\tq=0.001 ", True),
        ("gzip;q=2", False),  # no weight: the item says nothing
        ("gzip;q=0.1234", False),
        ("gzip;level=9", False),
        ("gzipped", False),
        (",,gzip,", True),
    ],
)
def test_who_says_so_gets_a_long_body_compressed(accept_encoding: str, is_compressed: bool) -> None:
    assert wants_gzip(accept_encoding, COMPRESS_FROM) == is_compressed


@pytest.mark.parametrize("accept_encoding", ["gzip", "*", "identity;q=0.1, gzip"])
def test_a_short_body_is_not_worth_it(accept_encoding: str) -> None:
    assert not wants_gzip(accept_encoding, COMPRESS_FROM - 1)


@pytest.mark.parametrize("accept_encoding", ["gzip, identity;q=0", "gzip, *;q=0"])
def test_who_refuses_it_plain_gets_a_short_body_compressed_too(accept_encoding: str) -> None:
    assert wants_gzip(accept_encoding, 1)


@given(st.text(), st.integers(0, 10**7))
def test_no_header_is_too_odd(accept_encoding: str, size: int) -> None:
    assert wants_gzip(accept_encoding, size) in (True, False)


@given(st.binary(max_size=5_000))
def test_what_is_compressed_here_is_gzip_and_what_is_gzip_is_read_here(body: bytes) -> None:
    assert gzip.decompress(compress(body)) == body
    assert decoded(gzip.compress(body), "gzip", 5_000) == body


@pytest.mark.parametrize("coding", ["gzip", "GZip", "x-gzip", " gzip ", "gzip, identity"])
def test_a_body_in_gzip_is_inflated(coding: str) -> None:
    assert decoded(gzip.compress(b"{}", mtime=0), coding, LIMIT) == b"{}"


@pytest.mark.parametrize("coding", ["", "identity", " Identity "])
def test_a_body_without_a_coding_is_left_as_it_is(coding: str) -> None:
    body = gzip.compress(b"{}", mtime=0)
    assert decoded(body, coding, LIMIT) == body


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "gzip, gzip", "br, gzip", "gzipped"])
def test_another_coding_is_refused_with_the_one_that_is_read(coding: str) -> None:
    with pytest.raises(UnsupportedMediaTypeError) as error:
        decoded(b"{}", coding, LIMIT)
    assert error.value.headers == {"Accept-Encoding": "gzip"}
    assert "gzip" in error.value.detail


def test_the_limit_is_of_what_was_compressed() -> None:
    body = gzip.compress(b"a" * LIMIT)
    assert len(decoded(body, "gzip", LIMIT)) == LIMIT
    with pytest.raises(PayloadTooLargeError):
        decoded(body, "gzip", LIMIT - 1)


@pytest.mark.parametrize("level", [0, 9])
def test_what_cannot_be_made_smaller_may_be_as_long_as_all_else(level: int) -> None:
    body = Random(1).randbytes(256 * 1024)
    assert decoded(gzip.compress(body, level), "gzip", len(body)) == body


def test_a_bomb_is_not_inflated_to_be_refused() -> None:
    bomb = gzip.compress(bytes(200_000_000))
    limit = 256 * 1024
    assert len(bomb) < limit
    tracemalloc.start()
    try:
        with pytest.raises(PayloadTooLargeError):
            decoded(bomb, "gzip", limit)
        assert tracemalloc.get_traced_memory()[1] < 4 * limit
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"\x1f\x8b",
        zlib.compress(b"{}"),  # the format that Content-Encoding calls deflate
        gzip.compress(b"{}", mtime=0)[:-1],
        gzip.compress(b"{}", mtime=0)[:-8] + bytes(8),  # neither checksum nor length is right
        gzip.compress(b"{}", mtime=0) + b"{}",
        gzip.compress(b"{}", mtime=0) + gzip.compress(b"{}", mtime=0),
    ],
)
def test_what_is_not_one_whole_stream_is_a_fault_of_the_body(body: bytes) -> None:
    with pytest.raises(BadRequestError) as error:
        decoded(body, "gzip", LIMIT)
    assert error.value.code == "body_not_gzip"


@given(st.binary(max_size=400), st.integers(0, 300), st.integers(0, 255))
def test_a_damaged_body_is_refused_or_whole(body: bytes, place: int, value: int) -> None:
    damaged = bytearray(gzip.compress(body, mtime=0))
    damaged[place % len(damaged)] = value
    with suppress(BadRequestError, PayloadTooLargeError):
        assert decoded(bytes(damaged), "gzip", LIMIT) == body
