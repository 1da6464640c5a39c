"""Page tokens: what they encode, and which ones are rejected."""

from __future__ import annotations

import base64
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfront_facade.v1.function_service_pb2 import FunctionStage
from cloudfront_facade_server import limits, page_tokens
from cloudfront_facade_server.page_tokens import PageTokenError

LIST = page_tokens.keys_list("arn:aws:cloudfront::123456789012:key-value-store/1")


@given(st.text(min_size=1, max_size=1000))
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


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


VALID = page_tokens.encode(LIST, "marker")


@pytest.mark.parametrize(
    "token",
    [
        "garbage",
        "\u00e9",
        "a",
        "====",
        "A" * 12,
        page_tokens.encode(page_tokens.keys_list("another"), "m"),
        page_tokens.encode(page_tokens.key_value_stores_list("READY"), "m"),
        encoded(f'["{LIST}","m"]'.encode()),
        encoded(b"[" * 5_000),
        VALID[:-1],
        VALID + "=",
        VALID + "\n",
        VALID.replace(VALID[-1], chr(ord(VALID[-1]) + 1)),
        page_tokens.encode(LIST, "\ud800"),
        page_tokens.encode(LIST, "m" * limits.PAGE_TOKEN_MAX_LENGTH),
    ],
)
def test_a_token_of_another_list_or_a_malformed_token_is_rejected(token: str) -> None:
    with pytest.raises(PageTokenError):
        page_tokens.decode(LIST, token)


def test_a_token_of_another_version_is_rejected() -> None:
    content = base64.urlsafe_b64decode(VALID + "=" * (-len(VALID) % 4))
    assert encoded(content) == VALID

    with pytest.raises(PageTokenError):
        page_tokens.decode(LIST, encoded(b"\x02" + content[1:]))


@given(st.integers(min_value=0, max_value=len(VALID) - 1), st.sampled_from(string.ascii_letters + string.digits + "-_"))
def test_a_token_with_an_altered_character_is_rejected(position: int, character: str) -> None:
    altered = VALID[:position] + character + VALID[position + 1 :]
    if altered != VALID:
        with pytest.raises(PageTokenError):
            page_tokens.decode(LIST, altered)


@pytest.mark.parametrize(
    ("list_name", "token"),
    [
        (LIST, "A" * 4 * 2**20),
        (LIST, "\u00e9" * 2 * 2**20),
        (LIST, encoded(b"[" * 3 * 2**20)),
        (page_tokens.keys_list("a" * 4 * 2**20), VALID),
    ],
    ids=["well-formed", "not ASCII", "nested JSON", "of a list with a long name"],
)
def test_megabytes_are_rejected_in_under_a_millisecond(list_name: str, token: str) -> None:
    def seconds() -> float:
        start = time.perf_counter()
        with pytest.raises(PageTokenError):
            page_tokens.decode(list_name, token)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 0.001
