"""The tables: on the terminal, and between the marks of docs/explanation/performance.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from .creates import BARE_REFUSALS, PLAIN, REFUSALS
from .figures import SIDES, Figure, Spread
from .load import MANY, Measurement
from .process import PLACES
from .results import Results

_BEGIN: Final = "<!-- made by make bench: begin -->"
_END: Final = "<!-- made by make bench: end -->"

NAMES: Final = {
    PLAIN: "boto3",
    **SIDES,
    "echo": "echo",
    "echo_threads": "threaded echo",
    REFUSALS: "refusals",
    BARE_REFUSALS: "bare refusal",
    "disk": "syncs of the disk",
}
"""The sides in words."""


def markdown(results: Results, found: Sequence[Figure]) -> str:
    """Gives the machine and the tables."""
    machine = "\n".join(f"* {name}: {value}" for name, value in results.machine.items())
    parts = [machine, _doubts(results)]
    for place in PLACES:
        parts.append(f"On {place}:")
        parts.append(_table(_figure_rows(figure for figure in found if figure.place == place)))
    parts.append(f"What the ratios were made of, medians of {len(results.rounds)} rounds:")
    parts.extend(_table(_series_rows(results, place)) for place in PLACES)
    return "\n\n".join(parts)


def _doubts(results: Results) -> str:
    """Tells what else could have been measured: others on the machine, nginx, the callers themselves."""
    foreign = Spread.of(each.foreign for each in results.rounds)
    nginx = _busiest(results, lambda one: one.upstream_cpu)
    callers = _busiest(results, lambda one: one.callers_cpu)
    return (
        f"Others took {foreign.median:.0%} of the machine in the median round, {foreign.most:.0%} at most. "
        f"nginx took {nginx:.0%} of its core at most, the callers {callers:.0%}, by the medians of the rounds."
    )


def _busiest(results: Results, cpu: Callable[[Measurement], float]) -> float:
    """Gives the share of a core that somebody takes while the side that asks most of them is measured."""
    names = results.rounds[0].series
    return max(
        Spread.of(cpu(one) / one.seconds for one in (each.series[name] for each in results.rounds)).median
        for name in names
    )


def insert(page: Path, text: str) -> None:
    """Puts the text between the marks of a page."""
    before, _, rest = page.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    page.write_text(f"{before}{_BEGIN}\n\n{text}\n\n{_END}{after}")


def _figure_rows(found: Iterable[Figure]) -> Iterator[Sequence[str]]:
    others = [side for side in SIDES if side != "facade"]
    yield ["figure", "facade", "goal", "", *(NAMES[side] for side in others)]
    for figure in found:
        beside = [f"{NAMES[side]}: {_spread(spread)}" for side, spread in figure.spreads.items() if side not in SIDES]
        cells = [_number(figure.spreads[side].median) if side in figure.spreads else "" for side in others]
        title = "; ".join([figure.title, *beside])
        yield [title, _spread(figure.spreads["facade"]), figure.goal, figure.verdict, *cells]


def _series_rows(results: Results, place: str) -> Iterator[Sequence[str]]:
    """What the ratios were made of; these depend on the machine and its hour."""
    yield [f"on {place}", "one caller, ms", "CPU, ms", f"{MANY} callers, per second", "CPU, ms", "cores busy"]
    for side in (PLAIN, "echo", "echo_threads", *SIDES, BARE_REFUSALS, REFUSALS):
        refuses = side in (BARE_REFUSALS, REFUSALS)
        alone = [] if refuses else [each.of(side, 1, place) for each in results.rounds]
        crowd = [each.of(side, MANY, place) for each in results.rounds]
        yield [
            NAMES[side],
            _median(alone, lambda one: one.latency * 1e3, ".2f"),
            _median(alone, lambda one: one.cpu_per_call * 1e3, ".2f"),
            _median(crowd, lambda one: one.per_second, ",.0f"),
            _median(crowd, lambda one: one.cpu_per_call * 1e3, ".2f"),
            _median(crowd, lambda one: one.cpu / one.seconds, ".2f"),
        ]


def _median(measured: Sequence[Measurement], value: Callable[[Measurement], float], form: str) -> str:
    return format(Spread.of(map(value, measured)).median, form) if measured else ""


def _spread(spread: Spread) -> str:
    return f"{_number(spread.median)} ({_number(spread.least)} to {_number(spread.most)})"


def _number(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 10 else f"{value:,.0f}"


def _table(rows: Iterable[Sequence[str]]) -> str:
    """Aligns a Markdown table whose first row is its head."""
    kept = list(rows)
    widths = [max(len(row[column]) for row in kept) for column in range(len(kept[0]))]
    lines = [f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |" for row in kept]
    return "\n".join([lines[0], f"|{'|'.join('-' * (width + 2) for width in widths)}|", *lines[1:]])
