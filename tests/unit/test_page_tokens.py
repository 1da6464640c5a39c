"""Page tokens: what they encode, and which ones are rejected."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfront_facade.v1.function_service_pb2 import FunctionStage
from cloudfront_facade_server import page_tokens
from cloudfront_facade_server.page_tokens import PageTokenError

LIST = page_tokens.keys_list("arn:aws:cloudfront::123456789012:key-value-store/1")


@given(st.text(min_size=1))
def test_a_token_encodes_the_start_of_its_page(marker: str) -> None:
    token = page_tokens.encode(LIST, marker)

    assert page_tokens.decode(LIST, token) == marker
    assert token.isascii()
    assert not set(token) & set("=+/ ")


@pytest.mark.parametrize("marker", [None, ""])
def test_the_last_page_has_no_token(marker: str | None) -> None:
    assert page_tokens.encode(LIST, marker) == ""


def test_an_empty_token_requests_the_first_page() -> None:
    assert page_tokens.decode(LIST, "") == ""


def test_the_unspecified_stage_lists_development() -> None:
    assert page_tokens.functions_list(0) == page_tokens.functions_list(FunctionStage.FUNCTION_STAGE_DEVELOPMENT)
    assert page_tokens.functions_list(0) != page_tokens.functions_list(FunctionStage.FUNCTION_STAGE_LIVE)


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "token",
    [
        "garbage",
        "\u00e9",
        "a",
        "====",
        page_tokens.encode(page_tokens.keys_list("another"), "m"),
        page_tokens.encode(page_tokens.key_value_stores_list("READY"), "m"),
        encoded("{}"),
        encoded("[]"),
        encoded("null"),
        encoded(f'["{LIST}"]'),
        encoded(f'["{LIST}", ""]'),
        encoded(f'["{LIST}", 1]'),
        encoded("[" * 5_000),
        page_tokens.encode(LIST, "m") + "\n",
        page_tokens.encode(LIST, "\ud800"),
    ],
)
def test_a_token_of_another_list_or_a_malformed_token_is_rejected(token: str) -> None:
    with pytest.raises(PageTokenError):
        page_tokens.decode(LIST, token)
