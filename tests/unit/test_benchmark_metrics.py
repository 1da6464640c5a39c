"""The benchmark computes its metrics correctly; `make bench` runs the measurements."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest

from benchmarks.creates import BARE_REJECTION, PLAIN_BOTO3, REJECTIONS, Round, series_name
from benchmarks.embedded import EmbeddedRun
from benchmarks.load_generator import MANY_CLIENTS, Measurement
from benchmarks.messages import BOTO_ARGUMENTS, INVALID_REQUEST, REQUEST, VIOLATIONS, to_boto
from benchmarks.metrics import COMPARED, Metric, Spread, metrics
from benchmarks.open_loop import OpenLoopRun
from benchmarks.process import AFFINITIES
from benchmarks.results import Results
from benchmarks.startup import StartupRun
from cloudfront_facade_server.errors.violations import ValidationError
from cloudfront_facade_server.translation.functions import create_function_to_boto
from cloudfront_facade_server.validation.rules import Rules
from cloudfront_facade_server.validation.tags import TagRules

MILLISECONDS: Final = MappingProxyType(
    {PLAIN_BOTO3: 2.0, "echo": 1.0, "threaded_echo": 0.5, "facade": 4.0, REJECTIONS: 1.25, BARE_REJECTION: 1.1}
)
DEFAULT_MILLISECONDS: Final = 5.0


def make_round(slowness: float, milliseconds: Mapping[str, float] = MILLISECONDS) -> Round:
    """Returns a round in which a call takes the same time on all cores and with any number of clients."""
    series: dict[str, Measurement] = {}
    for name in {*COMPARED, *milliseconds}:
        seconds = slowness * milliseconds.get(name, DEFAULT_MILLISECONDS) / 1e3
        measurement = Measurement(calls=1, seconds=seconds, cpu=seconds, client_cpu=0, upstream_cpu=0, latency=seconds)
        series |= {
            series_name(name, clients, affinity): measurement
            for clients in (1, MANY_CLIENTS)
            for affinity in AFFINITIES
        }
    return Round(series, background_load=0.0)


def results(*rounds: Round) -> Results:
    return Results(
        machine={"Python": "3.11"},
        rounds=rounds,
        open_loop=[OpenLoopRun(100.0, [0.15] * 98 + [0.3], 0, 50_000_000, 90_000_000, 0.001)],
        startup=[StartupRun(0.1, 0.4, 0.6, 0.5)],
        embedded=[EmbeddedRun(500.0, 2000.0)],
    )


def medians(measured: Results) -> dict[str, float]:
    return {metric.title: metric.spreads["facade"].median for metric in metrics(measured)}


def test_each_metric_is_the_ratio_in_its_title() -> None:
    assert medians(results(make_round(1))) == pytest.approx(
        {
            "added latency, 1 client: (server - boto3) / echo": 2.0,
            "CPU per create, 1 client: server / (boto3 + echo)": 4 / 3,
            "CPU per create, 32 clients: server / (boto3 + echo)": 4 / 3,
            "creates per second, 32 clients: server / boto3": 0.5,
            "creates per second, 32 clients: server / aiobotocore": 1.25,
            "rejected requests per second, 32 clients: server / echo": 0.8,
            "open loop, 500 clients, 150 ms upstream, half of capacity: p99 / 150 ms": 2.0,
            "open loop, 500 clients, 150 ms upstream, half of capacity: memory above idle": 40.0,
            "open loop, 500 clients, 150 ms upstream, half of capacity: failed calls": 0,
            "script that creates one function and exits: facade client / boto3": 0.25,
            "startup: facade until SERVING / import boto3, import grpc, create a client": 1.2,
            "embedded backend: durable creates per second": 500.0,
        }
    )


def test_the_speed_of_a_round_does_not_change_the_ratios() -> None:
    rounds = (make_round(1), make_round(3), make_round(1.7))
    assert medians(results(*rounds)) == pytest.approx(medians(results(make_round(1))))


@pytest.mark.parametrize(
    ("median", "at_least", "verdict"),
    [(0.9, False, "met"), (1.1, False, "missed"), (0.9, True, "missed"), (1.1, True, "met")],
)
def test_the_median_of_the_facade_decides_whether_a_goal_is_met(median: float, at_least: bool, verdict: str) -> None:
    assert Metric("a metric", {"facade": Spread(median, 0.5, 1.5)}, 1.0, at_least=at_least).verdict == verdict


def test_load_returns_what_dump_wrote(tmp_path: Path) -> None:
    written = results(make_round(1), make_round(2))
    written.dump(tmp_path / "results.json", {})
    assert medians(Results.load(tmp_path / "results.json")) == pytest.approx(medians(written))


def test_the_plain_translation_makes_the_same_create_as_the_facade() -> None:
    assert to_boto(REQUEST) == BOTO_ARGUMENTS == create_function_to_boto(REQUEST)


def test_the_invalid_request_has_the_stated_number_of_violations() -> None:
    with pytest.raises(ValidationError) as rejected:
        Rules(TagRules("ascii", 50), 10_240).create_function(INVALID_REQUEST)
    assert len(rejected.value.violations) == VIOLATIONS
