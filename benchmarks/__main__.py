"""The command: measures everything, and writes the table, the JSON and the plots. `make bench` runs it."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from . import creates, crowd, embedded, machine, plots, profiling, report, starts, upstream
from .figures import as_json, figures
from .load import MANY
from .process import CALLERS_CORES, say
from .results import Results

_PAGE: Final = Path("docs/explanation/performance.md")
_FOLDER: Final = Path("docs/explanation/performance")
_RESULTS: Final = "results.json"


@dataclass(frozen=True)
class _Effort:
    """How often, and for how many seconds each time, about."""

    rounds: int
    seconds: float
    crowd_rounds: int
    crowd_seconds: float
    start_rounds: int
    embedded_rounds: int


_FULL: Final = _Effort(20, 0.4, 3, 12.0, 25, 5)
_QUICK: Final = _Effort(3, 0.25, 1, 3.0, 3, 1)


def main(arguments: Sequence[str]) -> int:
    """Runs the command; gives the exit code, which is 0 also where goals are missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures the facade beside its parts.")
    parser.add_argument("--quick", action="store_true", help="few rounds, for the benchmark's own development")
    parser.add_argument(
        "--into",
        type=Path,
        help="where to write (default: docs/explanation/performance; a quick run: .make/bench-quick)",
    )
    parser.add_argument(
        "--again", action="store_true", help="make table and plots of the last results, measure nothing"
    )
    parser.add_argument("--hold", choices=profiling.SIDES, help="only keep one side under load, for a profiler")
    parser.add_argument("--callers", type=int, choices=(1, MANY), default=MANY, help="how many call it")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to hold it")
    options = parser.parse_args(arguments)
    into = options.into or (Path(".make/bench-quick") if options.quick else _FOLDER)
    into.mkdir(parents=True, exist_ok=True)
    if options.again:
        _tell(Results.load(into / _RESULTS), into)
        return 0
    try:
        machine.require_tools()
    except machine.MissingToolError as error:
        say(str(error))
        return 1
    os.sched_setaffinity(0, CALLERS_CORES)
    # Beside the repository's own files, for the embedded backend is to sync to a disk.
    Path(".make").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=".make", prefix="bench-") as name:
        folder = Path(name).resolve()
        nginx = upstream.start(folder)
        try:
            if options.hold:
                profiling.hold(options.hold, options.callers, nginx, folder, options.seconds)
            else:
                _tell(_measure(nginx, folder, _QUICK if options.quick else _FULL), into)
        finally:
            nginx.process.stop()
    return 0


def _measure(nginx: upstream.Upstream, folder: Path, effort: _Effort) -> Results:
    rounds = creates.measure(nginx, folder, effort.rounds, effort.seconds)
    capacity = statistics.median(each.of("facade", MANY, "both cores").per_second for each in rounds)
    return Results(
        machine=machine.describe(),
        rounds=rounds,
        crowds=crowd.measure(nginx, folder, capacity / 2, effort.crowd_rounds, effort.crowd_seconds),
        starts=starts.measure(nginx, folder, effort.start_rounds),
        durable=embedded.measure(folder, effort.embedded_rounds, 2.0),
    )


def _tell(results: Results, into: Path) -> None:
    found = figures(results)
    text = report.markdown(results, found)
    results.dump(into / _RESULTS, as_json(found))
    plots.draw(results, found, into)
    if into == _FOLDER:
        report.insert(_PAGE, text)
    print(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
