"""What the benchmark makes of its measurements; the measurements themselves are `make bench`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest

from benchmarks.creates import BARE_REFUSALS, PLAIN, REFUSALS, Round, series_name
from benchmarks.crowd import Crowd
from benchmarks.embedded import Durable
from benchmarks.figures import SIDES, Figure, Spread, figures
from benchmarks.load import MANY, Measurement
from benchmarks.process import PLACES
from benchmarks.results import Results
from benchmarks.sides.messages import BOTO_ARGUMENTS, REFUSED_REQUEST, REQUEST, VIOLATIONS, to_boto
from benchmarks.starts import Starts
from cloudfront_facade_server.errors.violations import ValidationError
from cloudfront_facade_server.translation.functions import create_function_to_boto
from cloudfront_facade_server.validation.rules import Rules
from cloudfront_facade_server.validation.tags import TagRules

MILLISECONDS: Final = MappingProxyType(
    {PLAIN: 2.0, "echo": 1.0, "echo_threads": 0.5, "facade": 4.0, REFUSALS: 1.25, BARE_REFUSALS: 1.1}
)
OTHERS_MILLISECONDS: Final = 5.0


def a_round(slowness: float, milliseconds: Mapping[str, float] = MILLISECONDS) -> Round:
    """Every side takes its time, wherever it runs and however many call it."""
    series: dict[str, Measurement] = {}
    for side in {*SIDES, *milliseconds}:
        seconds = slowness * milliseconds.get(side, OTHERS_MILLISECONDS) / 1e3
        one = Measurement(calls=1, seconds=seconds, cpu=seconds, callers_cpu=0, upstream_cpu=0, latency=seconds)
        series |= {series_name(side, callers, place): one for callers in (1, MANY) for place in PLACES}
    return Round(series, foreign=0.0)


def results(*rounds: Round) -> Results:
    return Results(
        machine={"Python": "3.11"},
        rounds=rounds,
        crowds=[Crowd(100.0, [0.15] * 98 + [0.3], 0, 50_000_000, 90_000_000, 0.001)],
        starts=[Starts(0.1, 0.4, 0.6, 0.5)],
        durable=[Durable(500.0, 2000.0)],
    )


def medians(found: Results) -> dict[str, float]:
    return {figure.title: figure.spreads["facade"].median for figure in figures(found)}


def test_each_figure_is_the_ratio_that_its_title_says() -> None:
    assert medians(results(a_round(1))) == pytest.approx(
        {
            "added latency, one caller: (side - boto3) / echo": 2.0,
            "server CPU per create, one caller: side / (boto3 + echo)": 4 / 3,
            "server CPU per create, 32 callers: side / (boto3 + echo)": 4 / 3,
            "creates per second, 32 callers: side / boto3": 0.5,
            "creates per second, 32 callers: side / aiobotocore": 1.25,
            "refusals per second / echoes per second": 0.8,
            "500 callers, 150 ms upstream, half of capacity: p99 / 150 ms": 2.0,
            "500 callers, 150 ms upstream, half of capacity: memory above idle": 40.0,
            "500 callers, 150 ms upstream, half of capacity: failed calls": 0,
            "a script that creates one function and exits: client / boto3": 0.25,
            "serve until SERVING / import boto3, grpc and make a client": 1.2,
            "embedded: durable creates per second": 500.0,
        }
    )


def test_a_machine_that_slows_down_between_rounds_changes_no_ratio() -> None:
    assert medians(results(a_round(1), a_round(3), a_round(1.7))) == pytest.approx(medians(results(a_round(1))))


@pytest.mark.parametrize(
    ("median", "at_least", "verdict"),
    [(0.9, False, "met"), (1.1, False, "missed"), (0.9, True, "missed"), (1.1, True, "met")],
)
def test_the_median_of_the_facade_decides_whether_a_goal_is_met(median: float, at_least: bool, verdict: str) -> None:
    assert Figure("a figure", {"facade": Spread(median, 0.5, 1.5)}, 1.0, at_least=at_least).verdict == verdict


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = results(a_round(1), a_round(2))
    written.dump(tmp_path / "results.json", {})
    assert medians(Results.load(tmp_path / "results.json")) == pytest.approx(medians(written))


def test_every_side_makes_the_same_create() -> None:
    assert to_boto(REQUEST) == BOTO_ARGUMENTS == create_function_to_boto(REQUEST)


def test_the_refused_request_has_as_many_violations_as_the_benchmark_says() -> None:
    with pytest.raises(ValidationError) as refused:
        Rules(TagRules("ascii", 50), 10_240).create_function(REFUSED_REQUEST)
    assert len(refused.value.violations) == VIOLATIONS
