"""Creates and refusals, one caller and many: every side once in each round, so that its ratios are of one minute."""

from __future__ import annotations

import json
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import grpc

from cloudfront_facade.errors import FacadeError

from . import servers
from .load import MANY, Measurement, WrongAnswerError, caller, children_cpu, many_callers, one_caller, weight
from .machine import busy_seconds
from .process import PLACES, Process, cpu_seconds, move, python, say
from .servers import Server, Target
from .sides.messages import REFUSED_REQUEST, REQUEST, VIOLATIONS
from .upstream import Upstream

PLAIN: Final = "boto3"
WITHOUT_ID: Final = "facade_without_id"
REFUSALS: Final = "refusals"
BARE_REFUSALS: Final = "bare_refusal"

_WARM_UP_CALLS: Final = 200

_QUIET: Final = 0.1
"""The share of the machine that others may take in a round that counts, as long as there are enough such rounds."""

_PATIENCE: Final = 1.25
"""How many times the rounds that are wanted are measured, at most; then the quietest count."""


@dataclass(frozen=True)
class Round:
    """What was measured within half a minute.

    Attributes:
        series: the measurements, by `series_name`.
        foreign: the share of the machine's two cores that others took meanwhile, 0 to 1.
    """

    series: Mapping[str, Measurement]
    foreign: float

    def of(self, side: str, callers: int, place: str) -> Measurement:
        """Gives the measurement of a side."""
        return self.series[series_name(side, callers, place)]


def series_name(side: str, callers: int, place: str) -> str:
    """Names what is measured once in each round."""
    return f"{side}, {callers} {'caller' if callers == 1 else 'callers'}, {place}"


@dataclass
class _Series:
    """One side with so many callers, wherever it runs at the moment."""

    side: str
    callers: int
    pid: int
    measure: Callable[[int], Measurement]
    calls: int = field(default=_WARM_UP_CALLS)

    def warm_up(self, seconds: float) -> None:
        """Calls often enough that caches are full, then finds how many calls take so many seconds."""
        self.measure(self.calls)
        self.calls = max(MANY, round(self.measure(self.calls).per_second * seconds))


def measure(upstream: Upstream, folder: Path, rounds: int, seconds: float) -> list[Round]:
    """Measures all sides.

    Args:
        upstream: nginx.
        folder: for logs and h2load's files.
        rounds: how many rounds count.
        seconds: how long each series is measured in each round, about.

    Returns:
        The rounds, the quietest first.
    """
    order = random.Random(0)  # noqa: S311 (an order, not a secret)
    with _all_series(upstream, folder) as series:
        for each in series:
            each.warm_up(seconds)
        measured: list[Round] = []
        while (quiet := sum(each.foreign <= _QUIET for each in measured)) < rounds and len(
            measured
        ) < rounds * _PATIENCE:
            say(f"creates and refusals: {len(measured)} rounds, {quiet} of {rounds} quiet ones")
            measured.append(_round(series, order))
    return sorted(measured, key=lambda each: each.foreign)[:rounds]


def _round(series: Sequence[_Series], order: random.Random) -> Round:
    found = {}
    began, busy = time.perf_counter(), busy_seconds()
    own = time.process_time() + children_cpu()
    for place, cores in PLACES.items():
        for each in series:
            move(each.pid, cores)
        # What is divided by each other is measured as near in time as can be.
        for callers in (1, MANY):
            group = [each for each in series if each.callers == callers]
            for each in order.sample(group, len(group)):
                found[series_name(each.side, callers, place)] = each.measure(each.calls)
    own = time.process_time() + children_cpu() - own + sum(each.cpu + each.upstream_cpu for each in found.values())
    available = (time.perf_counter() - began) * (os.cpu_count() or 1)
    return Round(found, max(0.0, busy_seconds() - busy - own) / available)


@contextmanager
def _all_series(upstream: Upstream, folder: Path) -> Iterator[list[_Series]]:
    """Starts all sides, and gives what is measured of them."""
    nginx = upstream.process.pid
    with ExitStack() as stack:
        command = [python(), "-m", "benchmarks.sides.plain_boto3", upstream.fast]
        plain = stack.enter_context(Process(command, PLACES["both cores"], folder / "boto3.log", piped=True))
        series = [_Series(PLAIN, callers, plain.pid, _plain(plain, callers, nginx)) for callers in (1, MANY)]
        for name in servers.SERVERS:
            server = servers.start(name, upstream.fast, folder)
            stack.callback(server.process.stop)
            pid = server.process.pid
            if name == BARE_REFUSALS:
                series.append(_refusals(name, server, folder, nginx))
                continue
            for side, target in _targets(server):
                call = stack.enter_context(caller(target))
                series.append(_Series(side, 1, pid, _one(server, call, nginx)))
                series.append(_Series(side, MANY, pid, _many(server, target, weight(target, call()), folder, nginx)))
            if name == "facade":
                series.append(_refusals(REFUSALS, server, folder, nginx))
        yield series


def _targets(server: Server) -> Iterator[tuple[str, Target]]:
    yield server.name, server.target
    if server.name == "facade":
        yield WITHOUT_ID, replace(server.target, body=REQUEST.SerializeToString())


def _refusals(side: str, server: Server, folder: Path, upstream: int) -> _Series:
    refused = replace(server.target, body=REFUSED_REQUEST.SerializeToString())
    _require_refusal(refused)
    return _Series(side, MANY, server.process.pid, _many(server, refused, 0, folder, upstream))


def _require_refusal(target: Target) -> None:
    """Raises WrongAnswerError where a call is not refused with all of its VIOLATIONS."""
    with grpc.insecure_channel(target.address) as channel:
        try:
            method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(target.path)
            method(target.body, timeout=10)
        except grpc.RpcError as error:
            if len(FacadeError.of(error).violations) == VIOLATIONS:
                return
            raise
    raise WrongAnswerError(f"{VIOLATIONS} violations were not refused")


def _one(server: Server, call: Callable[[], bytes], upstream: int) -> Callable[[int], Measurement]:
    return lambda calls: one_caller(server, call, calls, upstream)


def _many(
    server: Server, target: Target, answer_bytes: int, folder: Path, upstream: int
) -> Callable[[int], Measurement]:
    return lambda calls: many_callers(server, target, calls, answer_bytes, folder, upstream)


def _plain(process: Process, threads: int, upstream: int) -> Callable[[int], Measurement]:
    def measure(calls: int) -> Measurement:
        upstream_cpu = cpu_seconds(upstream)
        answer = json.loads(process.ask(f"{threads} {calls}"))
        return Measurement(
            calls=calls,
            seconds=answer["seconds"],
            cpu=answer["cpu"],
            callers_cpu=0.0,
            upstream_cpu=cpu_seconds(upstream) - upstream_cpu,
            latency=statistics.median(answer["latencies"]),
        )

    return measure
