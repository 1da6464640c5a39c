"""Pages of the control plane's lists. A marker is a place in the order: changes between pages repeat nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .responses import invalid_argument

MAX_PAGE = 100
"""Items of one page, also where more are asked for or nothing is. Source: CloudFront's default for its lists."""


def max_items(arguments: Mapping[str, Any]) -> int:
    """How many items a page may have.

    Raises:
        RefusedError: InvalidArgument, where `MaxItems` is no positive number.
    """
    text: str = arguments.get("MaxItems", str(MAX_PAGE))
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise invalid_argument("MaxItems is not a positive number.")
    return min(int(text), MAX_PAGE)


def list_distributions(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """ListDistributions: a `DistributionList` with none, and so without `Items`, for there are none here.

    Raises:
        RefusedError: InvalidArgument.
    """
    page = {
        "Marker": arguments.get("Marker", ""),
        "MaxItems": max_items(arguments),
        "IsTruncated": False,
        "Quantity": 0,
    }
    return {"DistributionList": page}
