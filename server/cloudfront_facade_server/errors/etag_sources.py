"""The rpcs that return current etags, as messages name them. Each stage and each plane has another etag."""

from __future__ import annotations

from typing import Final

DEVELOPMENT_STAGE: Final = "DescribeFunction with stage DEVELOPMENT"
LIVE_STAGE: Final = "DescribeFunction with stage LIVE"
KEY_VALUE_STORE: Final = "DescribeKeyValueStore"
KEY_VALUE_STORE_DATA: Final = "DescribeKeyValueStoreData"
