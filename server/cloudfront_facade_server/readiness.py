"""From listening to SERVING: what the backend needs may take its time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from .concurrency.greenlets import run_in_daemon_thread

ReadinessCheck = Callable[[], str]
"""Tells what stands in the way of serving, in words for the operator; empty where nothing does. It may block for long,
and raises where waiting is of no use."""

_POLL_SECONDS: Final = 2.0

_log = structlog.get_logger()


async def wait_until_ready(obstacle: ReadinessCheck, where: dict[str, str]) -> None:
    """Waits until nothing stands in the way of serving, and logs what does.

    Args:
        obstacle: asked every two seconds.
        where: what the lines of the log say besides.
    """
    said = ""

    def say(why: str) -> None:
        nonlocal said
        if why != said:
            _log.warning("waiting for AWS credentials", reason=why, **where)
            said = why

    while True:
        asked = run_in_daemon_thread(obstacle)
        if not (await asyncio.wait({asked}, timeout=_POLL_SECONDS))[0]:
            say("their source has not answered yet")
        if not (why := await asked):
            return
        say(why)
        await asyncio.sleep(_POLL_SECONDS)
