"""CloudFront as the replicas of a soak see it."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from soak.effects import Effect, effects_of_arguments
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


@dataclass(frozen=True)
class Applied:
    """A request that CloudFront applied.

    Attributes:
        effects: What it changed.
        replica: The name of the replica that sent it.
        arrived: The time at which it arrived (monotonic).
    """

    effects: frozenset[Effect]
    replica: str
    arrived: float


class Upstream(CloudFrontDouble):
    """A double with faults chosen by a seed, and reads that lag behind.

    A replica's access key is its name, so that each request shows who sent it.

    Attributes:
        caused: How often each kind of fault was caused.
        applied: The changes that were applied since `start_faults`.
    """

    def __init__(self, seed: str) -> None:
        self.caused: Counter[str] = Counter()
        self.applied: list[Applied] = []
        self._failing = False
        self._next: list[str] = []
        self._random = random.Random(f"{seed}/faults")  # noqa: S311 (reproducible)
        self._choosing = threading.Lock()
        super().__init__()

    def start_faults(self) -> None:
        """Lets requests fail, and reads lag, from now on; records what is applied."""
        self.describe_lag, self.tags_lag, self._failing = LAG, TAGS_LAG, True
        for operation in OPERATIONS:
            self.always(operation, self._mixed)

    def stop_faults(self) -> None:
        """Lets all requests succeed from now on."""
        self.describe_lag, self.tags_lag, self._failing = 0.0, 0.0, False

    def _mixed(self, exchange: Exchange) -> HttpResponse | Hangup:
        self._record_if_applied(exchange)
        with self._choosing:
            kind = self._kind() if self._failing and self._random.random() < FAULT_RATE else None
        return KINDS[kind](exchange) if kind else exchange.response()

    def _record_if_applied(self, exchange: Exchange) -> None:
        effects = effects_of_arguments(exchange.operation, exchange.arguments)
        applied = Applied(effects, _sender(exchange), time.monotonic())
        apply = exchange.apply

        def apply_and_record() -> HttpResponse:
            response = apply()
            if effects and response.status < HTTPStatus.BAD_REQUEST:
                self.applied.append(applied)
            return response

        exchange.apply = apply_and_record

    def _kind(self) -> str:
        """Returns the next kind of fault; every kind occurs once before one occurs again."""
        if not self._next:
            self._next = self._random.sample([*KINDS], len(KINDS))
        kind = self._next.pop()
        self.caused[kind] += 1
        return kind


def _sender(exchange: Exchange) -> str:
    """Returns the access key that signed a request."""
    found = re.search(r"Credential=(\w+)", exchange.headers["authorization"])
    assert found
    return found[1]
