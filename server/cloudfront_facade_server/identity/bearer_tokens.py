"""Callers with bearer tokens, and the keys that their issuers have at present."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from ..watched_files import WatchedFiles
from .caller import Caller
from .issuer import Issuer, KeySource
from .issuers import Issuers
from .json_web_keys import Keys
from .key_sets import NO_KEYS, FetchedKeySet
from .tokens import Tokens, UnknownKeyError

_TICK_SECONDS: Final = 5.0
"""Time after which the ages of the keys are checked. So the keys of a new issuer are fetched that soon."""


class BearerTokens:
    """Identifies callers by their tokens. Used by the event loop only.

    Args:
        issuers: The issuers, which can change.
        clock: Returns the time in seconds since the epoch.
        key_set: Returns the key set of a source.
    """

    def __init__(
        self,
        issuers: WatchedFiles[Issuers],
        clock: Callable[[], float] = time.time,
        key_set: Callable[[KeySource], FetchedKeySet] = FetchedKeySet,
    ) -> None:
        self._issuers = issuers
        self._key_set = key_set
        self._known: Issuers = {}
        self._key_sets: dict[KeySource, FetchedKeySet] = {}
        self._key_sets_by_name: dict[str, FetchedKeySet] = {}
        self._tokens = Tokens(self._keys_of, clock)

    async def caller(self, token: str) -> Caller:
        """Returns the caller with a token. Waits only if the token names a key that may be new.

        Raises:
            CallerUnknownError: The token is not accepted.
        """
        issuers = self._current()
        try:
            return self._tokens.caller(token, issuers)
        except UnknownKeyError as error:
            key_set = self._key_sets_by_name.get(error.issuer.name)
            if key_set is None or not key_set.may_fetch():
                raise
        await key_set.refresh()
        return self._tokens.caller(token, self._current())

    async def run(self) -> None:
        """Keeps the keys fresh until it is cancelled."""
        try:
            while True:
                await self.refresh_due()
                await asyncio.sleep(_TICK_SECONDS)
        finally:
            for key_set in self._key_sets.values():
                await key_set.close()

    async def refresh_due(self) -> None:
        """Fetches the keys that are too old. A failure is logged."""
        self._current()
        await asyncio.gather(*(each.refresh() for each in self._key_sets.values() if each.is_due()))

    def _current(self) -> Issuers:
        issuers = self._issuers.current
        if issuers is not self._known:
            sources = {name: each.keys for name, each in issuers.items() if isinstance(each.keys, KeySource)}
            # Keys of a source that stays are kept, because it may be down just now.
            self._key_sets = {each: self._key_sets.get(each) or self._key_set(each) for each in sources.values()}
            self._key_sets_by_name = {name: self._key_sets[each] for name, each in sources.items()}
            self._known = issuers
        return issuers

    def _keys_of(self, issuer: Issuer) -> Keys:
        if not isinstance(issuer.keys, KeySource):
            return issuer.keys
        key_set = self._key_sets_by_name.get(issuer.name)
        return key_set.keys if key_set else NO_KEYS
