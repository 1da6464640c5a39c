"""The command line: measures, then writes the tables, the JSON file and the plots. `make bench` runs it."""

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

from . import creates, embedded, machine, open_loop, plots, profiling, report, startup, upstream
from .load_generator import MANY_CLIENTS
from .metrics import as_json, metrics
from .process import CLIENT_CORES, print_progress
from .results import Results

_PAGE: Final = Path("docs/explanation/performance.md")
_FOLDER: Final = Path("docs/explanation/performance")
_RESULTS: Final = "results.json"


@dataclass(frozen=True)
class _Effort:
    """The number of rounds of each benchmark, and the approximate seconds of each measurement."""

    create_rounds: int
    create_seconds: float
    open_loop_rounds: int
    open_loop_seconds: float
    startup_rounds: int
    embedded_rounds: int


_FULL: Final = _Effort(20, 0.4, 3, 12.0, 25, 5)
_QUICK: Final = _Effort(3, 0.25, 1, 3.0, 3, 1)


def main(arguments: Sequence[str]) -> int:
    """Runs the command and returns its exit code. A missed goal does not change the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Compares the facade with baselines.")
    parser.add_argument("--quick", action="store_true", help="run few rounds, to develop the benchmark itself")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="write the results to this folder (default: docs/explanation/performance; "
        "with --quick: .make/bench-quick)",
    )
    parser.add_argument(
        "--report-only", action="store_true", help="write tables and plots of the last results; measure nothing"
    )
    parser.add_argument(
        "--sustain-load", choices=profiling.SERVERS, help="only keep this server under load, for a profiler"
    )
    parser.add_argument(
        "--clients",
        type=int,
        choices=(1, MANY_CLIENTS),
        default=MANY_CLIENTS,
        help="number of clients with --sustain-load (default: %(default)s)",
    )
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="duration of --sustain-load, in seconds (default: %(default)g)"
    )
    options = parser.parse_args(arguments)
    output = options.output or (Path(".make/bench-quick") if options.quick else _FOLDER)
    output.mkdir(parents=True, exist_ok=True)
    if options.report_only:
        _write_report(Results.load(output / _RESULTS), output)
        return 0
    try:
        machine.require_tools()
    except machine.MissingToolError as error:
        print_progress(str(error))
        return 1
    os.sched_setaffinity(0, CLIENT_CORES)
    # In the repository and not in /tmp, because the embedded backend must sync to a disk.
    Path(".make").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=".make", prefix="bench-") as name:
        folder = Path(name).resolve()
        nginx = upstream.start(folder)
        try:
            if options.sustain_load:
                profiling.sustain_load(options.sustain_load, options.clients, nginx, folder, options.seconds)
            else:
                results = _measure(nginx, folder, _QUICK if options.quick else _FULL)
                results.dump(output / _RESULTS, as_json(metrics(results)))
                _write_report(results, output)
        finally:
            nginx.process.stop()
    return 0


def _measure(nginx: upstream.Upstream, folder: Path, effort: _Effort) -> Results:
    rounds = creates.measure(nginx, folder, effort.create_rounds, effort.create_seconds)
    capacity = statistics.median(each.of("facade", MANY_CLIENTS, "both cores").per_second for each in rounds)
    return Results(
        machine=machine.describe(),
        rounds=rounds,
        open_loop=open_loop.measure(nginx, folder, capacity / 2, effort.open_loop_rounds, effort.open_loop_seconds),
        startup=startup.measure(nginx, folder, effort.startup_rounds),
        embedded=embedded.measure(folder, effort.embedded_rounds, 2.0),
    )


def _write_report(results: Results, output: Path) -> None:
    found = metrics(results)
    text = report.markdown(results, found)
    plots.draw(results, found, output)
    if output == _FOLDER:
        report.insert(_PAGE, text)
    print(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
