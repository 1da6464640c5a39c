"""All that one run measured, in memory and as JSON. Tables, verdicts and plots are made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, Final

from .creates import Round
from .crowd import Crowd
from .embedded import Durable
from .load import Measurement
from .starts import Starts

_DIGITS: Final = 5
"""Significant digits that are kept; the machine is not steadier than that."""


@dataclass(frozen=True)
class Results:
    """One run.

    Attributes:
        machine: what it ran on, in words.
        rounds: creates and refusals.
        crowds: many callers at a slow upstream.
        starts: whole processes.
        durable: the embedded backend.
    """

    machine: Mapping[str, str]
    rounds: Sequence[Round]
    crowds: Sequence[Crowd]
    starts: Sequence[Starts]
    durable: Sequence[Durable]

    def dump(self, path: Path, figures: Mapping[str, Any]) -> None:
        """Writes the run with the figures that were made of it; columns are the attributes of the classes."""
        series = {name: [_row(each.series[name]) for each in self.rounds] for name in self.rounds[0].series}
        parts: dict[str, Mapping[Any, Any]] = {
            "figures": figures,
            "machine": self.machine,
            "columns": {kind.__name__: [item.name for item in fields(kind)] for kind in _KINDS},
            "foreign": dict(enumerate(_rounded(each.foreign) for each in self.rounds)),
            "rounds": series,
            "crowds": dict(enumerate(map(_row, self.crowds))),
            "starts": dict(enumerate(map(_row, self.starts))),
            "durable": dict(enumerate(map(_row, self.durable))),
        }
        members = (f"{json.dumps(name)}: {_lines(part)}" for name, part in parts.items())
        path.write_text("{\n" + ",\n".join(members) + "\n}\n")

    @classmethod
    def load(cls, path: Path) -> Results:
        """Reads what `dump` wrote."""
        parts = json.loads(path.read_text())
        series = {name: [Measurement(*row) for row in rows] for name, rows in parts["rounds"].items()}
        return cls(
            machine=parts["machine"],
            rounds=[
                Round(dict(zip(series, measured, strict=True)), foreign)
                for *measured, foreign in zip(*series.values(), parts["foreign"].values(), strict=True)
            ],
            crowds=[Crowd(*row) for row in parts["crowds"].values()],
            starts=[Starts(*row) for row in parts["starts"].values()],
            durable=[Durable(*row) for row in parts["durable"].values()],
        )


_KINDS: Final = (Measurement, Crowd, Starts, Durable)


def _row(measured: Measurement | Crowd | Starts | Durable) -> list[Any]:
    return [_rounded(value) for value in astuple(measured)]


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return float(f"{value:.{_DIGITS}g}")
        case list() | tuple():
            return [_rounded(item) for item in value]
    return value


def _lines(part: Mapping[Any, Any]) -> str:
    """One line for each member, so that a difference can be read."""
    members = (f"  {json.dumps(str(name))}: {json.dumps(value)}" for name, value in part.items())
    return "{\n" + ",\n".join(members) + "\n}"
