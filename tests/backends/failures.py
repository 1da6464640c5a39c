"""Failures of a call to CloudFront, with the exception that each becomes."""

from __future__ import annotations

from typing import Final

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from support.cloudfront import faults

FAILURES: Final = {
    "500": (faults.status_only(500), ClientError),
    "503 after the effect": (faults.apply_then_status(503), ClientError),
    "502 as HTML": (faults.html(502), ClientError),
    "throttled": (faults.throttle(), ClientError),
    "throttled by status": (faults.throttle(429), ClientError),
    "no response": (faults.hang(), ReadTimeoutError),
    "no response after the effect": (faults.apply_then_hang(), ReadTimeoutError),
    "closed": (faults.close(), ConnectionClosedError),
    "closed after the effect": (faults.apply_then_close(), ConnectionClosedError),
    "reset": (faults.reset(), ConnectionClosedError),
    "garbled": (faults.garble(), ResponseParserError),
}
"""By name: the fault, and the class of the exception."""
