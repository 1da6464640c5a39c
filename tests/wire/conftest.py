"""Fixtures of the wire tests."""

from __future__ import annotations

from wire.side_by_side import side_by_side

__all__ = ["side_by_side"]
