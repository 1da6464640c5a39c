"""The figures and their goals: ratios within one round, then the median over the rounds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .creates import BARE_REFUSALS, PLAIN, REFUSALS, WITHOUT_ID, Round
from .crowd import CALLERS
from .load import MANY
from .process import PLACES
from .results import Results
from .upstream import DELAY_SECONDS

SIDES: Final = {
    "facade": "facade",
    WITHOUT_ID: "facade, no request_id",
    "naive": "naive threads",
    "rest": "REST",
    "aio": "aiobotocore",
}
"""What is compared, by the words of the tables."""

_DELAY: Final = f"{DELAY_SECONDS * 1000:.0f} ms"


@dataclass(frozen=True)
class Spread:
    """What the rounds gave."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Sums up the values of the rounds."""
        kept = list(values)
        return cls(statistics.median(kept), min(kept), max(kept))


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        title: what it is.
        spreads: what the rounds gave, by side.
        limit: the goal; None where the figure is only stated.
        at_least: whether the goal is a least, else it is a most.
        unit: of the values; empty for ratios.
        place: where the sides ran, a name of PLACES.
    """

    title: str
    spreads: Mapping[str, Spread]
    limit: float | None = None
    at_least: bool = False
    unit: str = ""
    place: str = "both cores"

    @property
    def goal(self) -> str:
        """The goal in words."""
        if self.limit is None:
            return "stated"
        return f"{'at least' if self.at_least else 'at most'} {self.limit:g}{self.unit}"

    @property
    def verdict(self) -> str:
        """Whether the facade's median meets the goal: `met`, `missed`, or nothing where there is no goal."""
        if self.limit is None:
            return ""
        median = self.spreads["facade"].median
        met = median >= self.limit if self.at_least else median <= self.limit
        return "met" if met else "missed"


def figures(results: Results) -> list[Figure]:
    """Makes all figures of a run."""
    creates = [figure for place in PLACES for figure in _of_creates(results.rounds, place)]
    return [*creates, *_of_crowds(results), *_of_starts(results), *_of_embedded(results)]


def as_json(found: Iterable[Figure]) -> dict[str, Any]:
    """Gives the figures for the JSON: least, median and most of each side."""
    return {
        f"{figure.title}, {figure.place}": {
            "goal": figure.goal,
            "verdict": figure.verdict,
            **{
                side: [round(value, 4) for value in (spread.least, spread.median, spread.most)]
                for side, spread in figure.spreads.items()
            },
        }
        for figure in found
    }


def _of_creates(rounds: Sequence[Round], place: str) -> Iterator[Figure]:
    def latency(each: Round, side: str) -> float:
        added = each.of(side, 1, place).latency - each.of(PLAIN, 1, place).latency
        return added / each.of("echo", 1, place).latency

    def cpu(callers: int) -> Callable[[Round, str], float]:
        def ratio(each: Round, side: str) -> float:
            plain, echo = each.of(PLAIN, callers, place), each.of("echo", callers, place)
            return each.of(side, callers, place).cpu_per_call / (plain.cpu_per_call + echo.cpu_per_call)

        return ratio

    def rate(other: str) -> Callable[[Round, str], float]:
        return lambda each, side: each.of(side, MANY, place).per_second / each.of(other, MANY, place).per_second

    def figure(
        title: str,
        ratio: Callable[[Round, str], float],
        limit: float,
        *,
        at_least: bool = False,
        sides: Mapping[str, str] | None = None,
    ) -> Figure:
        shown = sides or {side: side for side in SIDES}
        spreads = {name: Spread.of(ratio(each, side) for each in rounds) for name, side in shown.items()}
        return Figure(title, spreads, limit, at_least=at_least, place=place)

    yield figure("added latency, one caller: (side - boto3) / echo", latency, 1.5)
    yield figure("server CPU per create, one caller: side / (boto3 + echo)", cpu(1), 1.0)
    yield figure(f"server CPU per create, {MANY} callers: side / (boto3 + echo)", cpu(MANY), 0.9)
    yield figure(f"creates per second, {MANY} callers: side / boto3", rate(PLAIN), 1.0, at_least=True)
    yield figure(f"creates per second, {MANY} callers: side / aiobotocore", rate("aio"), 0.95, at_least=True)
    refusals = {"facade": REFUSALS, BARE_REFUSALS: BARE_REFUSALS, "echo_threads": "echo_threads"}
    yield figure("refusals per second / echoes per second", rate("echo"), 0.8, at_least=True, sides=refusals)


def _of_crowds(results: Results) -> Iterator[Figure]:
    latency = Spread.of(crowd.percentiles[98] / DELAY_SECONDS for crowd in results.crowds)
    memory = Spread.of((crowd.most_bytes - crowd.idle_bytes) / 1e6 for crowd in results.crowds)
    failed = Spread.of(crowd.failed for crowd in results.crowds)
    where = f"{CALLERS} callers, {_DELAY} upstream, half of capacity"
    yield Figure(f"{where}: p99 / {_DELAY}", {"facade": latency}, 1.5)
    yield Figure(f"{where}: memory above idle", {"facade": memory}, 100, unit=" MB")
    yield Figure(f"{where}: failed calls", {"facade": failed}, 0)


def _of_starts(results: Results) -> Iterator[Figure]:
    script = Spread.of(starts.script_facade / starts.script_boto3 for starts in results.starts)
    serve = Spread.of(starts.serve / starts.bare for starts in results.starts)
    yield Figure("a script that creates one function and exits: client / boto3", {"facade": script}, 0.5)
    yield Figure("serve until SERVING / import boto3, grpc and make a client", {"facade": serve}, 1.3)


def _of_embedded(results: Results) -> Iterator[Figure]:
    creates = Spread.of(durable.creates for durable in results.durable)
    syncs = Spread.of(durable.syncs for durable in results.durable)
    yield Figure("embedded: durable creates per second", {"facade": creates, "disk": syncs}, unit="/s")
