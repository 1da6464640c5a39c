"""The plots of docs/explanation/performance.md, as SVG that differs only where the figures differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt

from .creates import PLAIN, WITHOUT_ID
from .crowd import CALLERS
from .figures import Figure, Spread
from .load import MANY, Measurement
from .process import PLACES
from .report import NAMES
from .results import Results
from .upstream import DELAY_SECONDS

_SIDES: Final = (PLAIN, "facade", WITHOUT_ID, "naive", "rest", "aio")
_COLOURS: Final = {"both cores": "#1f5f8b", "one core": "#8fb8d6"}
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


def draw(results: Results, found: Sequence[Figure], into: Path) -> None:
    """Writes `goals.svg`, `creates.svg`, `cpu.svg` and `crowd.svg`."""
    with mpl.rc_context(_STYLE):
        for name, figure in {
            "goals": _goals(found),
            "creates": _creates(results),
            "cpu": _cpu(results),
            "crowd": _crowd(results),
        }.items():
            figure.savefig(into / f"{name}.svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
            plt.close(figure)


def _goals(found: Sequence[Figure]) -> Any:
    """Each figure in parts of its goal, so that all read alike: up to 1 is met."""
    shown = [figure for figure in found if figure.limit and figure.place == "both cores"]
    titles = [figure.title for figure in shown]
    drawing, axes = plt.subplots(figsize=(9, 0.45 * len(titles) + 1.2))
    for place, colour in _COLOURS.items():
        figures = [figure for figure in found if figure.place == place and figure.limit]
        rows = [titles.index(figure.title) + _offset(place, 0.13) for figure in figures]
        spreads = [_in_goals(figure) for figure in figures]
        _ranges(axes, rows, spreads, colour, f"facade, on {place}")
    axes.axvline(1, color=_GOAL, linewidth=1.2)
    axes.set_yticks(range(len(titles)), [_label(figure) for figure in shown])
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel("in parts of the goal, less is better: median, least and most of the rounds")
    axes.grid(axis="y", visible=False)
    _legend(drawing)
    return drawing


def _creates(results: Results) -> Any:
    drawing, (latency, rate) = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True, layout="constrained")
    _bars(latency, results, 1, lambda one: one.latency * 1e3)
    latency.set(title="One caller", xlabel="median latency, ms")
    _bars(rate, results, MANY, lambda one: one.per_second)
    rate.set(title=f"{MANY} callers", xlabel="creates per second")
    _legend(drawing)
    return drawing


def _cpu(results: Results) -> Any:
    drawing, panels = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True, layout="constrained")
    for axes, callers in zip(panels, (1, MANY), strict=True):
        _bars(axes, results, callers, lambda one: one.cpu_per_call * 1e3)
        for place in PLACES:
            plain, echo = (_spread(results, side, callers, place, _cpu_ms).median for side in (PLAIN, "echo"))
            axes.barh(
                _offset(place),
                echo,
                0.36,
                left=plain,
                color=_ECHO,
                label="a bare gRPC call" if place == "one core" else "",
            )
        axes.set(title="One caller" if callers == 1 else f"{callers} callers", xlabel="CPU time for each create, ms")
    _legend(drawing)
    return drawing


def _crowd(results: Results) -> Any:
    drawing, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for number, crowd in enumerate(results.crowds):
        label = f"{CALLERS} callers, {crowd.offered:.0f} creates per second; a line for each round"
        axes.plot(
            range(1, 100),
            [seconds * 1e3 for seconds in crowd.percentiles],
            color=_COLOURS["both cores"],
            linewidth=1.4,
            label="" if number else label,
        )
    axes.axhline(DELAY_SECONDS * 1e3, color="#777777", linewidth=1, linestyle=":", label="upstream's own time")
    axes.axhline(1.5 * DELAY_SECONDS * 1e3, color=_GOAL, linewidth=1.2, label="goal of the 99th")
    axes.set(xlabel="percentile of the calls", ylabel="latency, ms", xlim=(0, 100))
    axes.set_ylim(0, 1.1 * max(1.5 * DELAY_SECONDS, *(max(crowd.percentiles) for crowd in results.crowds)) * 1e3)
    _legend(drawing)
    return drawing


def _bars(axes: Any, results: Results, callers: int, value: Callable[[Measurement], float]) -> None:
    for place, colour in _COLOURS.items():
        spreads = [_spread(results, side, callers, place, value) for side in _SIDES]
        rows = [index + _offset(place) for index in range(len(_SIDES))]
        axes.barh(rows, [spread.median for spread in spreads], 0.36, color=colour, label=f"on {place}")
    axes.set_yticks(range(len(_SIDES)), [NAMES[side] for side in _SIDES])
    axes.grid(axis="y", visible=False)
    if not axes.yaxis_inverted():
        axes.invert_yaxis()


def _ranges(axes: Any, rows: Iterable[float], spreads: Sequence[Spread], colour: str, label: str) -> None:
    medians = [spread.median for spread in spreads]
    errors = [
        [spread.median - spread.least for spread in spreads],
        [spread.most - spread.median for spread in spreads],
    ]
    axes.errorbar(medians, list(rows), xerr=errors, fmt="o", color=colour, elinewidth=2, markersize=6, label=label)


def _in_goals(figure: Figure) -> Spread:
    """Gives the facade's spread in parts of the goal; where more is better, upside down."""
    limit, spread = figure.limit or 1.0, figure.spreads["facade"]
    if figure.at_least:
        return Spread(limit / spread.median, limit / spread.most, limit / spread.least)
    return Spread(spread.median / limit, spread.least / limit, spread.most / limit)


def _spread(results: Results, side: str, callers: int, place: str, value: Callable[[Measurement], float]) -> Spread:
    return Spread.of(value(each.of(side, callers, place)) for each in results.rounds)


def _cpu_ms(one: Measurement) -> float:
    return one.cpu_per_call * 1e3


def _offset(place: str, distance: float = 0.2) -> float:
    return -distance if place == "both cores" else distance


def _label(figure: Figure) -> str:
    """Gives the title and the goal, in two lines where the title is long."""
    title = figure.title.replace(": ", ":\n", 1) if len(figure.title) > 40 else figure.title
    return f"{title}, {figure.goal}"


def _legend(drawing: Any) -> None:
    """One legend below all panels, each label once."""
    found = {
        label: handle for axes in drawing.axes for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    drawing.legend(found.values(), found.keys(), loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=len(found))
