"""The error of a caller that does not prove who it is."""

from __future__ import annotations


class CallerUnknownError(Exception):
    """A caller does not prove who it is.

    Args:
        reason: The reason, which is for the log only.

    Attributes:
        reason: The reason.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
