"""Remembers the latest updates and deletes of this process: they show what reads that lag do not show yet."""

from __future__ import annotations

from typing import Final

from ..errors.operation_target import OperationTarget
from .request_tag import fingerprint

_MAX_REMEMBERED: Final = 1024
"""Maximum number of remembered changes: several for each function and store of an account."""

_Version = tuple[str, str, str]
"""The kind and name of a resource, and the etag of one of its versions."""


class AppliedChanges:
    """The latest versions that this process has replaced, each with the change that replaced it."""

    def __init__(self) -> None:
        self._replaced: dict[_Version, tuple[str, str]] = {}

    def record(self, target: OperationTarget, etag: str) -> None:
        """Remembers a change that was applied to a version.

        Args:
            target: The resource, with the arguments of the change, including `IfMatch`.
            etag: The etag of the version that the change created; empty for a delete, or if it is not known.
        """
        replaced = _version(target, target.arguments["IfMatch"])
        if etag == target.arguments["IfMatch"]:
            return
        self._replaced.pop(replaced, None)
        self._replaced[replaced] = fingerprint(target.arguments), etag
        if len(self._replaced) > _MAX_REMEMBERED:
            del self._replaced[next(iter(self._replaced))]

    def created(self, target: OperationTarget, etag: str) -> bool:
        """Returns whether the same update, by this process, created this version and, as far as is known, the last."""
        if self.replaced(target, etag):
            return False
        found = self._replaced.get(_version(target, target.arguments["IfMatch"]))
        return found is not None and found == (fingerprint(target.arguments), etag)

    def replaced(self, target: OperationTarget, etag: str) -> bool:
        """Returns whether this process has replaced this version."""
        return _version(target, etag) in self._replaced


def _version(target: OperationTarget, etag: str) -> _Version:
    return target.kind, target.name, etag
