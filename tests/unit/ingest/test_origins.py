"""Which pages' origins are the same."""

import pytest

from pulse.errors import ForbiddenError
from pulse.http import Call
from pulse.ingest.origins import origin, require_origin, require_origin_if_shown
from pulse.tenants.keys import Key

KEY = Key("0" * 64, "publishable", "demo", 0, origins=("https://shop.example.com", "http://a:81/"))


def call(**headers: str) -> Call:
    return Call("POST /v1/responses", "/v1/responses", "", headers, b"", "203.0.113.7", "id")


@pytest.mark.parametrize(
    "same",
    ["https://shop.example.com:443", "HTTPS://Shop.Example.COM", "https://shop.example.com/"],
)
def test_case_and_a_default_port_make_no_difference(same: str) -> None:
    assert origin(same) == ("https", "shop.example.com", 443)
    require_origin(call(origin=same), KEY)


@pytest.mark.parametrize(
    "text",
    ["", "null", "shop.example.com", "https://", "https://a/b", "https://a?b", "https://a:port",
     "https://a:99999", "https://[::1"],
)  # fmt: skip
def test_what_is_no_origin_matches_none(text: str) -> None:
    assert origin(text) is None
    with pytest.raises(ForbiddenError):
        require_origin(call(origin=text), KEY)


@pytest.mark.parametrize(
    "other",
    ["http://shop.example.com", "https://shop.example.com:444", "https://x.shop.example.com",
     "https://shop.example.com.evil.example", "http://a"],
)  # fmt: skip
def test_another_scheme_host_or_port_is_another_origin(other: str) -> None:
    with pytest.raises(ForbiddenError):
        require_origin(call(origin=other), KEY)


def test_writing_needs_the_header_and_reading_does_not() -> None:
    with pytest.raises(ForbiddenError):
        require_origin(call(), KEY)
    require_origin_if_shown(call(), KEY)


def test_a_key_without_origins_works_from_anywhere() -> None:
    require_origin(call(), Key("0" * 64, "publishable", "demo", 0))
