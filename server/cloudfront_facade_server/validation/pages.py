"""The check of pagination: the page that a list request asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from .. import page_tokens
from ..errors.violations import Violation, quote
from .rule_names import Rule


class PagedRequest(Protocol):
    """A request of a list."""

    page_size: int
    page_token: str


def check_page(list_name: str, request: PagedRequest) -> Iterator[Violation]:
    """Checks the size and the token of a page.

    Args:
        list_name: The list that the token must belong to.
        request: The request.
    """
    if request.page_size < 0:
        yield Violation("page_size", Rule.PAGE_SIZE_RANGE, f"{request.page_size}; allowed: 0 or more")
    page_token = request.page_token  # protobuf copies it each time
    try:
        page_tokens.decode(list_name, page_token)
    except page_tokens.PageTokenError:
        yield Violation(
            "page_token",
            Rule.PAGE_TOKEN_FORM,
            f"{quote(page_token)}; allowed: empty, or the next_page_token of the same list",
        )
