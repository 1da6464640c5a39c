"""Loads a tag policy: from a file, or from content that was fetched."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import structlog

from ..watched_files import Content, UnusableFilesError, WatchedFiles
from .document import POLICY_MAX_BYTES, DocumentError, parse
from .rules import TagPolicy

WHAT = "tag policy"
"""What the files are, for the log."""

_log = structlog.get_logger()


def watched_file(path: Path, *, apply_all: bool) -> WatchedFiles[TagPolicy]:
    """Returns the tag policy of a file, which is read again when it changes.

    Args:
        path: The file.
        apply_all: Whether each rule holds for functions and stores, whatever types of resources it names.

    Raises:
        UnusableFilesError: The file cannot be read, or is not an effective tag policy.
    """
    return WatchedFiles(WHAT, partial(_read, path), partial(load, apply_all=apply_all))


def load(content: Content, *, apply_all: bool) -> TagPolicy:
    """Returns the policy of a content, and warns if it has no effect. Empty content is an account without a policy.

    Raises:
        UnusableFilesError: The content is not an effective tag policy.
    """
    for source, document in content.items():
        try:
            policy = TagPolicy(parse(document), apply_all=apply_all)
        except DocumentError as error:
            raise UnusableFilesError(f"{source}: {error}") from None
        _warn(source, policy)
        return policy
    _log.warning("no tag policy applies to the service's account; tags are not checked against one")
    return TagPolicy()


def _warn(source: str, policy: TagPolicy) -> None:
    if policy.unknown_types:
        _log.warning("the tag policy names unknown types of resources", source=source, types=policy.unknown_types)
    if not policy.applies:
        _log.warning(
            "no rule of the tag policy holds for cloudfront:function or cloudfront:key-value-store, so it has no "
            "effect; --tag-policy-all applies every rule",
            source=source,
        )


def _read(path: Path) -> Content:
    try:
        with path.open("rb") as file:
            return {str(path): file.read(POLICY_MAX_BYTES + 1)}
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UnusableFilesError(f"{path}: {reason}; --tag-policy takes a JSON file or organizations") from None
