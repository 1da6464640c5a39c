"""Runs the fuzzer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from cloudfront_facade.v1.function_service_pb2 import DescribeFunctionRequest
from fuzz.frames import connections
from fuzz.messages import message_bytes
from fuzz.target import PATHS, Target, target
from support.rpcs import RPCS
from support.waiting import wait_until

T = TypeVar("T")

DESCRIBE: Final = "/cloudfront_facade.v1.FunctionService/DescribeFunction"

EXAMPLES: Final = 40
"""Examples of each strategy in a round."""

_SETTINGS: Final = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=False,
    print_blob=False,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True)
class Result:
    """The result of a run.

    Attributes:
        sent: How many requests and connections were sent.
        statuses: How often each status was answered.
        growth: By how much the memory grew after the first round, in MiB.
    """

    sent: int
    statuses: dict[str, int]
    growth: float


def fuzz(seconds: float, start: str) -> Result:
    """Sends malformed requests for this many seconds; each round has its own seed, derived from `start`.

    Raises:
        AssertionError: The server answered wrongly, died, logged an error, or kept files or threads.
    """
    with target() as server:
        server.call(DESCRIBE, [DescribeFunctionRequest(name="missing").SerializeToString()])  # NOT_FOUND
        _round(server, f"{start}/warm-up", deadline=0)
        memory, files, threads = server.resources()
        deadline, number = time.monotonic() + seconds, 0
        while time.monotonic() < deadline:
            _round(server, f"{start}/{number}", deadline)
            number += 1
        wait_until(lambda: server.resources()[1] <= files + 20)
        wait_until(lambda: server.resources()[2] <= threads + 20)
        return Result(server.sent, dict(server.statuses.most_common()), server.resources()[0] - memory)


def _round(server: Target, name: str, deadline: float) -> None:
    """Sends examples of every kind to every method, then checks the server; skips kinds after the deadline."""
    calls = st.sampled_from(PATHS).flatmap(lambda path: st.tuples(st.just(path), _contents(server, path)))
    _examples(f"{name}/calls", calls, lambda call: server.call(*call))
    if not deadline or time.monotonic() < deadline:
        _examples(f"{name}/frames", connections(PATHS), server.send)
    server.check()


def _contents(server: Target, path: str) -> st.SearchStrategy[Sequence[bytes]]:
    method = RPCS.get(path.rpartition("/")[2])
    one = message_bytes(method.input_type, server.known) if method else st.binary(max_size=200)
    return st.lists(one, min_size=1, max_size=1) | st.lists(one, max_size=3)


def _examples(name: str, strategy: st.SearchStrategy[T], use: Callable[[T], None]) -> None:
    """Uses examples of a strategy; a failure is reduced to a short example."""

    @seed(name)
    @_SETTINGS
    @given(strategy)
    def run(example: T) -> None:
        use(example)

    run()
