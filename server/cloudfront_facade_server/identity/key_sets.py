"""The keys of an issuer that are fetched: when, how often, and what stays if it fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

import structlog

from .fetching import FetchError, fetch_keys
from .issuer import KeySource
from .json_web_keys import Keys

REFRESH_SECONDS: Final = 300.0
"""Time after which keys are fetched again. Source: this service."""

PAUSE_SECONDS: Final = 30.0
"""Minimum time between two fetches of the same keys. Source: this service."""

MAX_WAITING: Final = 1000
"""Maximum number of calls that wait for a fetch. Further calls are rejected at once. Source: this service."""

NO_KEYS: Final[Keys] = MappingProxyType({})

Fetch = Callable[[KeySource], Awaitable[Keys]]

_log = structlog.get_logger()


class FetchedKeySet:
    """The keys of one issuer.

    Args:
        source: Their source.
        fetch: Fetches them; raises FetchError.
        clock: Returns the seconds of a monotonic clock.

    Attributes:
        keys: The last good keys. Changed keys are another object.
    """

    def __init__(
        self, source: KeySource, fetch: Fetch = fetch_keys, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.keys = NO_KEYS
        self._source = source
        self._fetch = fetch
        self._clock = clock
        self._last_attempt = -REFRESH_SECONDS
        self._last_success = -REFRESH_SECONDS
        self._task: asyncio.Task[None] | None = None
        self._waiting = 0
        self._problem = ""

    def is_due(self) -> bool:
        """Returns whether it is time to fetch the keys again: five minutes after a success, sooner after a failure."""
        now = self._clock()
        return now - self._last_attempt >= PAUSE_SECONDS and now - self._last_success >= REFRESH_SECONDS

    def may_fetch(self) -> bool:
        """Returns whether a fetch for an unknown key is allowed: one that runs, or a new one 30 s after the last."""
        if self._task:
            return self._waiting < MAX_WAITING
        return self._clock() - self._last_attempt >= PAUSE_SECONDS

    async def refresh(self) -> None:
        """Fetches the keys, or waits for the fetch that runs. A failure is logged, and the last good keys stay."""
        if self._task is None:
            self._last_attempt = self._clock()
            self._task = asyncio.create_task(self._run(), name="keys")
        self._waiting += 1
        try:
            # A caller that goes away must not end the fetch for the others.
            await asyncio.shield(self._task)
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Ends a fetch that runs."""
        if task := self._task:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        try:
            keys = await self._fetch(self._source)
        except FetchError as error:
            self._report(str(error))
        else:
            self._last_success = self._clock()
            self._problem = ""
            if not _same(keys, self.keys):
                self.keys = keys
                _log.info("keys fetched", issuer=self._source.issuer, keys=sorted({kid for kid, _ in keys}))
        finally:
            self._task = None

    def _report(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            _log.error(
                "keys not fetched; the last good ones stay in force",
                issuer=self._source.issuer,
                problem=problem,
                has_keys=bool(self.keys),
            )


def _same(left: Keys, right: Keys) -> bool:
    def plain(keys: Keys) -> Mapping[tuple[str, str], object]:
        return {name: key.as_dict(private=False) for name, key in keys.items()}

    return plain(left) == plain(right)
