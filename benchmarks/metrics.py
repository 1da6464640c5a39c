"""The metrics and their goals. A metric is computed for each round; its value is the median of the rounds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .creates import BARE_REJECTION, PLAIN_BOTO3, REJECTIONS, WITHOUT_REQUEST_ID, Round
from .load_generator import MANY_CLIENTS
from .open_loop import CLIENTS
from .process import AFFINITIES
from .results import Results
from .upstream import DELAY_SECONDS

COMPARED: Final = {
    "facade": "facade",
    WITHOUT_REQUEST_ID: "facade, no request_id",
    "naive": "naive threads",
    "rest": "REST",
    "aio": "aiobotocore",
}
"""The servers that are compared, with their labels."""

_DELAY: Final = f"{DELAY_SECONDS * 1000:.0f} ms"


@dataclass(frozen=True)
class Spread:
    """The median, the minimum and the maximum of the rounds."""

    median: float
    minimum: float
    maximum: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Returns the spread of the values of all rounds."""
        kept = list(values)
        return cls(statistics.median(kept), min(kept), max(kept))


@dataclass(frozen=True)
class Metric:
    """One row of the table.

    Attributes:
        title: The definition of the metric.
        spreads: The values of each implementation.
        limit: The goal, or None if the metric has no goal.
        at_least: Whether the goal is a minimum. Otherwise it is a maximum.
        unit: The unit of the values; empty for ratios.
        affinity: The cores that the implementations were pinned to, a key of AFFINITIES.
    """

    title: str
    spreads: Mapping[str, Spread]
    limit: float | None = None
    at_least: bool = False
    unit: str = ""
    affinity: str = "both cores"

    @property
    def goal(self) -> str:
        """The goal in words."""
        if self.limit is None:
            return "none"
        return f"{'at least' if self.at_least else 'at most'} {self.limit:g}{self.unit}"

    @property
    def verdict(self) -> str:
        """Whether the facade's median meets the goal: `met`, `missed`, or an empty string if there is no goal."""
        if self.limit is None:
            return ""
        median = self.spreads["facade"].median
        met = median >= self.limit if self.at_least else median <= self.limit
        return "met" if met else "missed"


def metrics(results: Results) -> list[Metric]:
    """Returns all metrics of a run."""
    creates = [metric for affinity in AFFINITIES for metric in _of_creates(results.rounds, affinity)]
    return [*creates, *_of_open_loop(results), *_of_startup(results), *_of_embedded(results)]


def as_json(found: Iterable[Metric]) -> dict[str, Any]:
    """Returns the metrics for the JSON file: minimum, median and maximum of each implementation."""
    return {
        f"{metric.title}, {metric.affinity}": {
            "goal": metric.goal,
            "verdict": metric.verdict,
            **{
                implementation: [round(value, 4) for value in (spread.minimum, spread.median, spread.maximum)]
                for implementation, spread in metric.spreads.items()
            },
        }
        for metric in found
    }


def _of_creates(rounds: Sequence[Round], affinity: str) -> Iterator[Metric]:
    def latency(each: Round, server: str) -> float:
        added = each.of(server, 1, affinity).latency - each.of(PLAIN_BOTO3, 1, affinity).latency
        return added / each.of("echo", 1, affinity).latency

    def cpu(clients: int) -> Callable[[Round, str], float]:
        def ratio(each: Round, server: str) -> float:
            plain, echo = each.of(PLAIN_BOTO3, clients, affinity), each.of("echo", clients, affinity)
            return each.of(server, clients, affinity).cpu_per_call / (plain.cpu_per_call + echo.cpu_per_call)

        return ratio

    def rate(baseline: str) -> Callable[[Round, str], float]:
        def ratio(each: Round, server: str) -> float:
            measured, compared = (each.of(name, MANY_CLIENTS, affinity) for name in (server, baseline))
            return measured.per_second / compared.per_second

        return ratio

    def metric(
        title: str,
        ratio: Callable[[Round, str], float],
        limit: float,
        *,
        at_least: bool = False,
        series: Mapping[str, str] | None = None,
    ) -> Metric:
        shown = series or {server: server for server in COMPARED}
        spreads = {name: Spread.of(ratio(each, server) for each in rounds) for name, server in shown.items()}
        return Metric(title, spreads, limit, at_least=at_least, affinity=affinity)

    many = f"{MANY_CLIENTS} clients"
    yield metric("added latency, 1 client: (server - boto3) / echo", latency, 1.5)
    yield metric("CPU per create, 1 client: server / (boto3 + echo)", cpu(1), 1.0)
    yield metric(f"CPU per create, {many}: server / (boto3 + echo)", cpu(MANY_CLIENTS), 0.9)
    yield metric(f"creates per second, {many}: server / boto3", rate(PLAIN_BOTO3), 1.0, at_least=True)
    yield metric(f"creates per second, {many}: server / aiobotocore", rate("aio"), 0.95, at_least=True)
    rejections = {"facade": REJECTIONS, BARE_REJECTION: BARE_REJECTION, "threaded_echo": "threaded_echo"}
    title = f"rejected requests per second, {many}: server / echo"
    yield metric(title, rate("echo"), 0.8, at_least=True, series=rejections)


def _of_open_loop(results: Results) -> Iterator[Metric]:
    latency = Spread.of(run.percentiles[98] / DELAY_SECONDS for run in results.open_loop)
    memory = Spread.of((run.peak_bytes - run.idle_bytes) / 1e6 for run in results.open_loop)
    failed = Spread.of(run.failed for run in results.open_loop)
    load = f"open loop, {CLIENTS} clients, {_DELAY} upstream, half of capacity"
    yield Metric(f"{load}: p99 / {_DELAY}", {"facade": latency}, 1.5)
    yield Metric(f"{load}: memory above idle", {"facade": memory}, 100, unit=" MB")
    yield Metric(f"{load}: failed calls", {"facade": failed}, 0)


def _of_startup(results: Results) -> Iterator[Metric]:
    script = Spread.of(run.facade_script / run.boto3_script for run in results.startup)
    serve = Spread.of(run.serve / run.minimal for run in results.startup)
    yield Metric("script that creates one function and exits: facade client / boto3", {"facade": script}, 0.5)
    yield Metric("startup: facade until SERVING / import boto3, import grpc, create a client", {"facade": serve}, 1.3)


def _of_embedded(results: Results) -> Iterator[Metric]:
    creates = Spread.of(run.creates_per_second for run in results.embedded)
    syncs = Spread.of(run.syncs_per_second for run in results.embedded)
    yield Metric("embedded backend: durable creates per second", {"facade": creates, "disk": syncs}, unit="/s")
