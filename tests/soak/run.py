"""Runs a soak."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from soak.callers import Caller
from soak.check import problems
from soak.faults import LONGEST_DELAY
from soak.history import Asked, History
from soak.replicas import Replicas
from soak.upstream import Upstream

CALLERS: Final = 10
REPLICAS: Final = 3
RESTART_SECONDS: Final = 1.0
RESOLVE_SECONDS: Final = 30.0
STORE: Final = "shared"


@dataclass(frozen=True)
class Result:
    """The result of a soak.

    Attributes:
        problems: What does not agree; empty if every answer is true.
        counts: What happened, in lines to print.
        growth: By how much the memory of a replica grew after the first third, in MiB.
        faults: How many kinds of faults happened.
        operations: The operations that callers asked for.
        not_applied: How many answers said `not_applied`.
        restarts: How many replicas were killed or terminated.
    """

    problems: list[str]
    counts: list[str]
    growth: float
    faults: int
    operations: frozenset[str]
    not_applied: int
    restarts: int


def soak(seconds: float, seed: str) -> Result:
    """Lets callers, faults and restarts run for this many seconds, then checks the history."""
    history = History()
    with Upstream(seed) as upstream, Replicas(upstream.url, REPLICAS, seed) as replicas:
        chooser = random.Random(seed)  # noqa: S311 (reproducible)
        store = Asked(CreateKeyValueStoreRequest(name=STORE))
        store.send(replicas.any(chooser), by_client=False)
        arn = store.response.key_value_store.arn
        callers = [Caller(number, seed, replicas, history, arn) for number in range(CALLERS)]
        upstream.start_faults()
        early = _run(callers, replicas, seconds)
        upstream.stop_faults()
        time.sleep(LONGEST_DELAY)
        resolve(history, replicas)
        growth = replicas.memory() - early
        found = problems(history, upstream)
        ended = f"{replicas.killed} killed, {replicas.terminated} terminated"
    repeats = sum(len(asked.answers) - 1 for asked in history.requests)
    not_applied = history.not_applied()
    return Result(
        problems=found + replicas.problems,
        counts=[
            f"requests: {dict(history.operations().most_common())}, {repeats} repeats",
            f"answers: {dict(history.statuses().most_common())}",
            f"answered with not_applied: {dict(not_applied.most_common())}",
            f"faults: {sum(upstream.caused.values())} of {len(upstream.caused)} kinds: {dict(upstream.caused)}",
            f"replicas: {ended}; memory of the first: {growth:+.1f} MiB since the first third",
        ],
        growth=growth,
        faults=len(upstream.caused),
        operations=frozenset(history.operations()),
        not_applied=not_applied.total(),
        restarts=replicas.killed + replicas.terminated,
    )


def _run(callers: list[Caller], replicas: Replicas, seconds: float) -> float:
    """Runs the callers, and restarts replicas meanwhile; returns the memory after the first third in MiB."""
    started, early = time.monotonic(), 0.0
    stopping = threading.Event()
    with ThreadPoolExecutor(len(callers)) as pool:
        running = [pool.submit(caller.run, stopping) for caller in callers]
        try:
            while time.monotonic() - started < seconds and not any(each.done() for each in running):
                time.sleep(RESTART_SECONDS)
                replicas.restart_one()
                if not early and time.monotonic() - started > seconds / 3:
                    early = replicas.memory()
        finally:
            stopping.set()
        for each in running:
            each.result()
    return early


def resolve(history: History, replicas: Replicas) -> None:
    """Repeats what is not resolved, now that nothing fails any more."""
    chooser = random.Random(0)  # noqa: S311 (reproducible)
    deadline = time.monotonic() + RESOLVE_SECONDS

    def repeat(asked: Asked) -> None:
        while asked.may_repeat and not asked.is_resolved and time.monotonic() < deadline:
            asked.send(replicas.any(chooser), by_client=False)
            time.sleep(0 if asked.is_resolved else 0.2)

    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(repeat, history.requests))
