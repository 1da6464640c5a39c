"""Pages of the control plane's lists. A marker is a place in the order: changes between pages repeat nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ... import limits
from .responses import invalid_argument


def max_items(arguments: Mapping[str, Any]) -> int:
    """How many items a page may have.

    Raises:
        RefusedError: InvalidArgument, where `MaxItems` is no positive number.
    """
    text: str = arguments.get("MaxItems", str(limits.LIST_PAGE_MAX))
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise invalid_argument("MaxItems is not a positive number.")
    return min(int(text), limits.LIST_PAGE_MAX)


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
