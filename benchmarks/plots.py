"""Draws the plots of docs/explanation/performance.md. Equal results produce equal SVG files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt

from .creates import PLAIN_BOTO3, WITHOUT_REQUEST_ID
from .load_generator import MANY_CLIENTS, Measurement
from .metrics import Metric, Spread
from .open_loop import CLIENTS
from .process import AFFINITIES
from .report import LABELS
from .results import Results
from .upstream import DELAY_SECONDS

_IMPLEMENTATIONS: Final = (PLAIN_BOTO3, "facade", WITHOUT_REQUEST_ID, "naive", "rest", "aio")
_COLORS: Final = {"both cores": "#1f5f8b", "one core": "#8fb8d6"}
_ECHO: Final = "#d9a441"
_GOAL: Final = "#b03a2e"

_STYLE: Final = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "font.family": "sans-serif",
    "font.size": 10,
    "grid.color": "#e4e4e4",
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "cloudfront-facade",
    "ytick.major.size": 0,
}


def draw(results: Results, found: Sequence[Metric], folder: Path) -> None:
    """Writes `goals.svg`, `creates.svg`, `cpu.svg` and `open_loop.svg`."""
    with mpl.rc_context(_STYLE):
        for name, drawing in {
            "goals": _goals(found),
            "creates": _creates(results),
            "cpu": _cpu(results),
            "open_loop": _open_loop(results),
        }.items():
            drawing.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
            plt.close(drawing)


def _goals(found: Sequence[Metric]) -> Any:
    """Draws each metric relative to its goal, so that all share one axis: a goal is met up to 1."""
    shown = [metric for metric in found if metric.limit and metric.affinity == "both cores"]
    titles = [metric.title for metric in shown]
    drawing, axes = plt.subplots(figsize=(9, 0.45 * len(titles) + 1.2))
    for affinity, color in _COLORS.items():
        selected = [metric for metric in found if metric.affinity == affinity and metric.limit]
        rows = [titles.index(metric.title) + _offset(affinity, 0.13) for metric in selected]
        spreads = [_relative_to_goal(metric) for metric in selected]
        _ranges(axes, rows, spreads, color, f"facade, on {affinity}")
    axes.axvline(1, color=_GOAL, linewidth=1.2)
    axes.set_yticks(range(len(titles)), [_label(metric) for metric in shown])
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel("relative to the goal, lower is better: median, minimum and maximum of the rounds")
    axes.grid(axis="y", visible=False)
    _legend(drawing)
    return drawing


def _creates(results: Results) -> Any:
    drawing, (latency, rate) = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True, layout="constrained")
    _bars(latency, results, 1, lambda one: one.latency * 1e3)
    latency.set(title="1 client", xlabel="median latency, ms")
    _bars(rate, results, MANY_CLIENTS, lambda one: one.per_second)
    rate.set(title=f"{MANY_CLIENTS} clients", xlabel="creates per second")
    _legend(drawing)
    return drawing


def _cpu(results: Results) -> Any:
    drawing, panels = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True, layout="constrained")
    for axes, clients in zip(panels, (1, MANY_CLIENTS), strict=True):
        _bars(axes, results, clients, lambda one: one.cpu_per_call * 1e3)
        for affinity in AFFINITIES:
            plain, echo = (_spread(results, name, clients, affinity, _cpu_ms).median for name in (PLAIN_BOTO3, "echo"))
            axes.barh(
                _offset(affinity),
                echo,
                0.36,
                left=plain,
                color=_ECHO,
                label="bare gRPC call (echo)" if affinity == "one core" else "",
            )
        axes.set(title="1 client" if clients == 1 else f"{clients} clients", xlabel="CPU time per create, ms")
    _legend(drawing)
    return drawing


def _open_loop(results: Results) -> Any:
    drawing, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for number, run in enumerate(results.open_loop):
        label = f"{CLIENTS} clients, {run.offered_rate:.0f} creates per second (one line per round)"
        axes.plot(
            range(1, 100),
            [seconds * 1e3 for seconds in run.percentiles],
            color=_COLORS["both cores"],
            linewidth=1.4,
            label="" if number else label,
        )
    axes.axhline(DELAY_SECONDS * 1e3, color="#777777", linewidth=1, linestyle=":", label="upstream delay")
    axes.axhline(1.5 * DELAY_SECONDS * 1e3, color=_GOAL, linewidth=1.2, label="goal for p99")
    axes.set(xlabel="percentile of calls", ylabel="latency, ms", xlim=(0, 100))
    axes.set_ylim(0, 1.1 * max(1.5 * DELAY_SECONDS, *(max(run.percentiles) for run in results.open_loop)) * 1e3)
    _legend(drawing)
    return drawing


def _bars(axes: Any, results: Results, clients: int, value: Callable[[Measurement], float]) -> None:
    for affinity, color in _COLORS.items():
        spreads = [_spread(results, name, clients, affinity, value) for name in _IMPLEMENTATIONS]
        rows = [index + _offset(affinity) for index in range(len(_IMPLEMENTATIONS))]
        axes.barh(rows, [spread.median for spread in spreads], 0.36, color=color, label=f"on {affinity}")
    axes.set_yticks(range(len(_IMPLEMENTATIONS)), [LABELS[name] for name in _IMPLEMENTATIONS])
    axes.grid(axis="y", visible=False)
    if not axes.yaxis_inverted():
        axes.invert_yaxis()


def _ranges(axes: Any, rows: Iterable[float], spreads: Sequence[Spread], color: str, label: str) -> None:
    medians = [spread.median for spread in spreads]
    errors = [
        [spread.median - spread.minimum for spread in spreads],
        [spread.maximum - spread.median for spread in spreads],
    ]
    axes.errorbar(medians, list(rows), xerr=errors, fmt="o", color=color, elinewidth=2, markersize=6, label=label)


def _relative_to_goal(metric: Metric) -> Spread:
    """Returns the facade's spread divided by the goal, or the inverse if higher values are better."""
    limit, spread = metric.limit or 1.0, metric.spreads["facade"]
    if metric.at_least:
        return Spread(limit / spread.median, limit / spread.maximum, limit / spread.minimum)
    return Spread(spread.median / limit, spread.minimum / limit, spread.maximum / limit)


def _spread(
    results: Results, implementation: str, clients: int, affinity: str, value: Callable[[Measurement], float]
) -> Spread:
    return Spread.of(value(each.of(implementation, clients, affinity)) for each in results.rounds)


def _cpu_ms(one: Measurement) -> float:
    return one.cpu_per_call * 1e3


def _offset(affinity: str, distance: float = 0.2) -> float:
    return -distance if affinity == "both cores" else distance


def _label(metric: Metric) -> str:
    """Returns the title and the goal, on two lines if the title is long."""
    title = metric.title.replace(": ", ":\n", 1) if len(metric.title) > 40 else metric.title
    return f"{title}, {metric.goal}"


def _legend(drawing: Any) -> None:
    """Draws one legend below all panels, with each label once."""
    found = {
        label: handle for axes in drawing.axes for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    drawing.legend(found.values(), found.keys(), loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=len(found))
