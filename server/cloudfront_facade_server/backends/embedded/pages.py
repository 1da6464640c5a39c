"""Pagination of the control plane's lists.

A marker is a position in the sort order, so that an item is never repeated if the list changes between two pages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ... import limits
from .responses import invalid_argument


def max_items(arguments: Mapping[str, Any]) -> int:
    """Returns the maximum number of items of a page.

    Raises:
        CloudFrontError: InvalidArgument if `MaxItems` is not a positive integer.
    """
    text: str = arguments.get("MaxItems", str(limits.LIST_PAGE_MAX))
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise invalid_argument("MaxItems must be a positive integer.")
    return min(int(text), limits.LIST_PAGE_MAX)


def list_distributions(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Implements ListDistributions. This backend has no distributions.

    Returns:
        An empty `DistributionList`, which has no `Items`.

    Raises:
        CloudFrontError: InvalidArgument.
    """
    page = {
        "Marker": arguments.get("Marker", ""),
        "MaxItems": max_items(arguments),
        "IsTruncated": False,
        "Quantity": 0,
    }
    return {"DistributionList": page}
