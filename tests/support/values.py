"""Values that many tests use."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

STORE_ARN: Final = "arn:aws:cloudfront::123456789012:key-value-store/11111111-2222-3333-4444-555555555555"

MOMENT: Final = datetime(2026, 5, 5, 12, 30, 15, 123000, tzinfo=UTC)
"""A time with milliseconds, which is CloudFront's precision."""

TIMESTAMP: Final = Timestamp(seconds=int(MOMENT.timestamp()), nanos=123_000_000)
"""The same time in a message."""
