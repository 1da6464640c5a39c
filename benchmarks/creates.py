"""Measures creates and rejected requests, with one client and with many.

Each round measures every implementation once, so that a ratio compares measurements of the same half minute.
"""

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
from .load_generator import (
    MANY_CLIENTS,
    Measurement,
    UnexpectedResponseError,
    body_size,
    children_cpu_seconds,
    measure_many_clients,
    measure_one_client,
    open_connection,
)
from .machine import busy_cpu_seconds
from .messages import INVALID_REQUEST, REQUEST, VIOLATIONS
from .process import AFFINITIES, Process, cpu_seconds, interpreter, pin, print_progress
from .servers import Server, Target
from .upstream import Upstream

PLAIN_BOTO3: Final = "boto3"
WITHOUT_REQUEST_ID: Final = "facade_without_request_id"
REJECTIONS: Final = "rejections"
BARE_REJECTION: Final = "bare_rejection"

_WARM_UP_CALLS: Final = 200

_MAX_BACKGROUND_LOAD: Final = 0.1
"""A round with more background load than this is repeated."""

_MAX_ROUNDS_FACTOR: Final = 1.25
"""Limits the repetitions: at most this many times the requested rounds are run, and the quietest ones are kept."""


@dataclass(frozen=True)
class Round:
    """The measurements of one round, which takes about half a minute.

    Attributes:
        series: The measurements, by `series_name`.
        background_load: The share of the machine's CPU time that other processes used, from 0 to 1.
    """

    series: Mapping[str, Measurement]
    background_load: float

    def of(self, implementation: str, clients: int, affinity: str) -> Measurement:
        """Returns the measurement of an implementation."""
        return self.series[series_name(implementation, clients, affinity)]


def series_name(implementation: str, clients: int, affinity: str) -> str:
    """Returns the name of a series, which is measured once per round."""
    return f"{implementation}, {clients} {'client' if clients == 1 else 'clients'}, {affinity}"


@dataclass
class _Series:
    """One implementation with a number of clients, pinned to whichever cores are measured."""

    implementation: str
    clients: int
    pid: int
    measure: Callable[[int], Measurement]
    calls: int = field(default=_WARM_UP_CALLS)

    def warm_up(self, seconds: float) -> None:
        """Makes calls to fill caches, then sets `calls` to the number of calls that take this long."""
        self.measure(self.calls)
        self.calls = max(MANY_CLIENTS, round(self.measure(self.calls).per_second * seconds))


def measure(upstream: Upstream, folder: Path, rounds: int, seconds: float) -> list[Round]:
    """Measures all implementations.

    Args:
        upstream: The running nginx.
        folder: The folder for logs and h2load's files.
        rounds: The number of rounds to return.
        seconds: The approximate duration of each measurement.

    Returns:
        The rounds with the least background load, in ascending order of it.
    """
    order = random.Random(0)  # noqa: S311 (an order, not a secret)
    with _all_series(upstream, folder) as series:
        for each in series:
            each.warm_up(seconds)
        measured: list[Round] = []
        while (quiet := sum(each.background_load <= _MAX_BACKGROUND_LOAD for each in measured)) < rounds and len(
            measured
        ) < rounds * _MAX_ROUNDS_FACTOR:
            print_progress(f"creates and rejections: round {len(measured) + 1}, quiet so far: {quiet} of {rounds}")
            measured.append(_round(series, order))
    return sorted(measured, key=lambda each: each.background_load)[:rounds]


def _round(series: Sequence[_Series], order: random.Random) -> Round:
    found = {}
    start, busy = time.perf_counter(), busy_cpu_seconds()
    own = time.process_time() + children_cpu_seconds()
    for affinity, cores in AFFINITIES.items():
        for each in series:
            pin(each.pid, cores)
        # Measurements that are divided by each other run close together, because the machine's speed drifts.
        for clients in (1, MANY_CLIENTS):
            group = [each for each in series if each.clients == clients]
            for each in order.sample(group, len(group)):
                found[series_name(each.implementation, clients, affinity)] = each.measure(each.calls)
    own = time.process_time() + children_cpu_seconds() - own
    own += sum(each.cpu + each.upstream_cpu for each in found.values())
    available = (time.perf_counter() - start) * (os.cpu_count() or 1)
    return Round(found, max(0.0, busy_cpu_seconds() - busy - own) / available)


@contextmanager
def _all_series(upstream: Upstream, folder: Path) -> Iterator[list[_Series]]:
    """Starts all servers and yields the series to measure."""
    nginx = upstream.process.pid
    with ExitStack() as stack:
        command = [interpreter(), "-m", "benchmarks.baselines.plain_boto3", upstream.fast]
        plain = stack.enter_context(Process(command, AFFINITIES["both cores"], folder / "boto3.log", piped=True))
        series = [
            _Series(PLAIN_BOTO3, clients, plain.pid, _plain_boto3(plain, clients, nginx))
            for clients in (1, MANY_CLIENTS)
        ]
        for name in servers.SERVERS:
            server = servers.start(name, upstream.fast, folder)
            stack.callback(server.process.stop)
            pid = server.process.pid
            if name == BARE_REJECTION:
                series.append(_rejections(name, server, folder, nginx))
                continue
            for implementation, target in _targets(server):
                call = stack.enter_context(open_connection(target))
                size = body_size(target, call())
                series.append(_Series(implementation, 1, pid, _one_client(server, call, nginx)))
                many = _many_clients(server, target, size, folder, nginx)
                series.append(_Series(implementation, MANY_CLIENTS, pid, many))
            if name == "facade":
                series.append(_rejections(REJECTIONS, server, folder, nginx))
        yield series


def _targets(server: Server) -> Iterator[tuple[str, Target]]:
    yield server.name, server.target
    if server.name == "facade":
        yield WITHOUT_REQUEST_ID, replace(server.target, body=REQUEST.SerializeToString())


def _rejections(implementation: str, server: Server, folder: Path, upstream: int) -> _Series:
    target = replace(server.target, body=INVALID_REQUEST.SerializeToString())
    _check_rejection(target)
    return _Series(implementation, MANY_CLIENTS, server.process.pid, _many_clients(server, target, 0, folder, upstream))


def _check_rejection(target: Target) -> None:
    """Checks that the server rejects the call with all VIOLATIONS.

    Raises:
        UnexpectedResponseError: The server accepted the request.
        grpc.RpcError: The error has another number of violations.
    """
    with grpc.insecure_channel(target.address) as channel:
        try:
            method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(target.path)
            method(target.body, timeout=10)
        except grpc.RpcError as error:
            if len(FacadeError.of(error).violations) == VIOLATIONS:
                return
            raise
    raise UnexpectedResponseError(f"a request with {VIOLATIONS} violations was accepted")


def _one_client(server: Server, call: Callable[[], bytes], upstream: int) -> Callable[[int], Measurement]:
    return lambda calls: measure_one_client(server, call, calls, upstream)


def _many_clients(
    server: Server, target: Target, response_bytes: int, folder: Path, upstream: int
) -> Callable[[int], Measurement]:
    return lambda calls: measure_many_clients(server, target, calls, response_bytes, folder, upstream)


def _plain_boto3(process: Process, threads: int, upstream: int) -> Callable[[int], Measurement]:
    def measure(calls: int) -> Measurement:
        upstream_cpu = cpu_seconds(upstream)
        measured = json.loads(process.exchange(f"{threads} {calls}"))
        return Measurement(
            calls=calls,
            seconds=measured["seconds"],
            cpu=measured["cpu"],
            client_cpu=0.0,
            upstream_cpu=cpu_seconds(upstream) - upstream_cpu,
            latency=statistics.median(measured["latencies"]),
        )

    return measure
