"""CloudFront as the replicas of a soak see it."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from soak.faults import KINDS
from support.cloudfront.faults import Exchange, Hangup
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.wire import HttpResponse
from support.rpcs import OPERATIONS

FAULT_RATE: Final = 0.2
"""The part of the requests that meet a fault."""

LAG: Final = 0.5
"""Seconds until reads show a new resource."""

TAGS_LAG: Final = 2.0
"""Seconds until reads show its tags: at first it looks like somebody else's."""


class Upstream(CloudFrontDouble):
    """A double with faults chosen by a seed, and reads that lag behind.

    Attributes:
        caused: How often each kind of fault was caused.
        applied: How often each operation was applied to each name.
    """

    def __init__(self, seed: str) -> None:
        self.caused: Counter[str] = Counter()
        self.applied: Counter[tuple[str, str]] = Counter()
        self._next: list[str] = []
        self._random = random.Random(f"{seed}/faults")  # noqa: S311 (reproducible)
        self._counting = threading.Lock()
        super().__init__()

    def start_faults(self) -> None:
        """Lets requests fail, and reads lag, from now on."""
        self.describe_lag, self.tags_lag = LAG, TAGS_LAG
        for operation in OPERATIONS:
            self.always(operation, self._mixed)

    def stop_faults(self) -> None:
        """Lets all requests succeed from now on."""
        self.describe_lag = self.tags_lag = 0.0
        for operation in OPERATIONS:
            self.always(operation, None)

    def apply(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Runs an operation and counts it, if it succeeds."""
        response = super().apply(operation, arguments)
        with self._counting:
            self.applied[operation, arguments.get("Name", "")] += 1
        return response

    def _mixed(self, exchange: Exchange) -> HttpResponse | Hangup:
        with self._counting:
            kind = self._kind() if self._random.random() < FAULT_RATE else None
        return KINDS[kind](exchange) if kind else exchange.response()

    def _kind(self) -> str:
        """Returns the next kind of fault; every kind occurs once before one occurs again."""
        if not self._next:
            self._next = self._random.sample([*KINDS], len(KINDS))
        kind = self._next.pop()
        self.caused[kind] += 1
        return kind
