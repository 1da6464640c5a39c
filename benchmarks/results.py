"""The measurements of one run, in memory and as JSON. Tables, verdicts and plots are derived from them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, Final

from .creates import Round
from .embedded import EmbeddedRun
from .load_generator import Measurement
from .open_loop import OpenLoopRun
from .startup import StartupRun

_DIGITS: Final = 5
"""The number of significant digits in the file. The measurements are not more precise than that."""


@dataclass(frozen=True)
class Results:
    """One run.

    Attributes:
        machine: The description of the machine.
        rounds: Creates and rejected requests.
        open_loop: The open-loop load test.
        startup: The times of whole processes.
        embedded: The embedded backend.
    """

    machine: Mapping[str, str]
    rounds: Sequence[Round]
    open_loop: Sequence[OpenLoopRun]
    startup: Sequence[StartupRun]
    embedded: Sequence[EmbeddedRun]

    def dump(self, path: Path, metrics: Mapping[str, Any]) -> None:
        """Writes the run and its metrics. "columns" has the names of the values in each row."""
        series = {name: [_row(each.series[name]) for each in self.rounds] for name in self.rounds[0].series}
        parts: dict[str, Mapping[Any, Any]] = {
            "metrics": metrics,
            "machine": self.machine,
            "columns": {kind.__name__: [item.name for item in fields(kind)] for kind in _KINDS},
            "background_load": dict(enumerate(_rounded(each.background_load) for each in self.rounds)),
            "rounds": series,
            "open_loop": dict(enumerate(map(_row, self.open_loop))),
            "startup": dict(enumerate(map(_row, self.startup))),
            "embedded": dict(enumerate(map(_row, self.embedded))),
        }
        members = (f"{json.dumps(name)}: {_lines(part)}" for name, part in parts.items())
        path.write_text("{\n" + ",\n".join(members) + "\n}\n")

    @classmethod
    def load(cls, path: Path) -> Results:
        """Reads a file that `dump` wrote."""
        parts = json.loads(path.read_text())
        series = {name: [Measurement(*row) for row in rows] for name, rows in parts["rounds"].items()}
        return cls(
            machine=parts["machine"],
            rounds=[
                Round(dict(zip(series, measured, strict=True)), background_load)
                for *measured, background_load in zip(*series.values(), parts["background_load"].values(), strict=True)
            ],
            open_loop=[OpenLoopRun(*row) for row in parts["open_loop"].values()],
            startup=[StartupRun(*row) for row in parts["startup"].values()],
            embedded=[EmbeddedRun(*row) for row in parts["embedded"].values()],
        )


_KINDS: Final = (Measurement, OpenLoopRun, StartupRun, EmbeddedRun)


def _row(measured: Measurement | OpenLoopRun | StartupRun | EmbeddedRun) -> list[Any]:
    return [_rounded(value) for value in astuple(measured)]


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return float(f"{value:.{_DIGITS}g}")
        case list() | tuple():
            return [_rounded(item) for item in value]
    return value


def _lines(part: Mapping[Any, Any]) -> str:
    """Returns an object with one line per member, so that diffs are readable."""
    members = (f"  {json.dumps(str(name))}: {json.dumps(value)}" for name, value in part.items())
    return "{\n" + ",\n".join(members) + "\n}"
