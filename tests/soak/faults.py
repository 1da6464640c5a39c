"""The kinds of faults of a soak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from support.cloudfront import faults
from support.cloudfront.faults import Fault

TIMEOUT: Final = 0.8
"""Seconds after which the replicas stop waiting for a response."""

LONGEST_DELAY: Final = 1.5
"""Seconds after which the double has applied a request, even if its caller is gone."""

KINDS: Final[Mapping[str, Fault]] = {
    "close": faults.close(),
    "close when applied": faults.apply_then_close(),
    "reset": faults.reset(),
    "reset when applied": faults.apply_then_reset(),
    "hang": faults.hang(LONGEST_DELAY),
    "hang when applied": faults.apply_then_hang(LONGEST_DELAY),
    "status 500": faults.status_only(500),
    "status 503": faults.status_only(503),
    "status 503 when applied": faults.apply_then_status(503),
    "status 504 when applied": faults.apply_then_status(504),
    "InternalFailure": faults.fail_with("InternalFailure", 500),
    "proxy's 502": faults.html(502),
    "proxy's 502 when applied": faults.apply_then(faults.html(502)),
    "throttled with 400": faults.throttle(),
    "throttled with 429": faults.throttle(429),
    "expired credentials": faults.expire(),
    "short delay": faults.delay(TIMEOUT / 4),
    "delay above the timeout": faults.delay(LONGEST_DELAY),
    "garbled": faults.garble(),
    "truncated": faults.truncated(),
    "another root": faults.wrong_root(),
    "cut body": faults.cut_body(),
}
"""Each kind with its fault."""
