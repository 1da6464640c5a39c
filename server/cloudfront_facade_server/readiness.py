"""Waits until the backend is ready; until then, the server listens but is not SERVING."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from .concurrency.greenlets import run_in_daemon_thread

ReadinessCheck = Callable[[], str]
"""Returns the reason why the backend is not ready, for the operator; empty if it is ready. It may block for a long
time. It raises an exception if the backend will never be ready."""

_POLL_SECONDS: Final = (2.0, 10.0)
"""Time between two checks: at first, and at most. It grows by half, because a check may burden the source."""

_log = structlog.get_logger()


async def wait_until_ready(check: ReadinessCheck, log_fields: dict[str, str]) -> None:
    """Waits until the backend is ready, and logs each new reason why it is not.

    Args:
        check: The check, which runs every two to ten seconds.
        log_fields: Additional fields of the log lines.
    """
    logged = ""

    def log(reason: str) -> None:
        nonlocal logged
        if reason != logged:
            _log.warning("waiting for AWS credentials", reason=reason, **log_fields)
            logged = reason

    seconds, longest = _POLL_SECONDS
    while True:
        checking = run_in_daemon_thread(check)
        responded, _ = await asyncio.wait({checking}, timeout=_POLL_SECONDS[0])
        # A source that fails slowly would otherwise be reported twice for each check.
        if not responded and not logged:
            log("the credential source has not responded yet")
        if not (reason := await checking):
            return
        log(reason)
        await asyncio.sleep(seconds)
        seconds = min(seconds * 1.5, longest)
