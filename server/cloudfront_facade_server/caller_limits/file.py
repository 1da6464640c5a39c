"""Reads the limits by caller from YAML."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from ..errors.violations import Violation, quote
from ..patterns import Pattern
from ..strict_yaml import YamlError
from ..strict_yaml import load as load_yaml
from ..validation.tags import Tag
from ..watched_files import Content, UnusableFilesError, WatchedFiles
from .entries import Entry, Limits
from .forced_tags import ForcedTags
from .gcra import Rate

FILE_MAX_BYTES: Final = 256 * 1024
"""Maximum size of the file. Source: this service."""

RATE_MIN: Final = 0.001
"""Minimum of `calls_per_second`: one call in 1,000 seconds. Source: this service."""

LIMIT_MAX: Final = 1_000_000
"""Maximum of each limit. Source: this service."""

_SHOWN_PROBLEMS: Final = 3
_SHOWN_CHARACTERS: Final = 64

CheckTags = Callable[[str, Sequence[Tag]], Iterable[Violation]]
"""Checks tags in the way of those of a request: `validation.tags.TagRules.check`."""

_Whole = Annotated[int, Field(ge=1, le=LIMIT_MAX)]


class _Entry(BaseModel):
    """An entry as it is written."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    callers: Annotated[str, Field(min_length=1)] | None = None
    group: Annotated[str, Field(min_length=1)] | None = None
    tags: Annotated[dict[str, str], Field(min_length=1)] | None = None
    calls_per_second: Annotated[float, Field(ge=RATE_MIN, le=LIMIT_MAX)] | None = None
    burst: _Whole | None = None
    calls_in_flight: _Whole | None = None


_ENTRIES: Final = TypeAdapter(list[_Entry])
_FIELDS: Final = ", ".join(_Entry.model_fields)
_RANGE: Final = f"from 1 to {LIMIT_MAX}"

_ALLOWED: Final = {
    "callers": "a pattern of callers, in quotes",
    "group": "the name of a group",
    "tags": "at least one key with a text as its value; write numbers and true, false, yes, no, on, off in quotes",
    "calls_per_second": f"a number from {RATE_MIN} to {LIMIT_MAX}",
    "burst": f"a whole number {_RANGE}",
    "calls_in_flight": f"a whole number {_RANGE}",
}


def watched_file(path: Path, check_tags: CheckTags) -> WatchedFiles[Limits]:
    """Returns the limits of a file, which is read again when it changes.

    Args:
        path: The file.
        check_tags: Checks the forced tags.

    Raises:
        UnusableFilesError: The file cannot be read, or an entry is invalid.
    """
    return WatchedFiles("limits", partial(_read, path), partial(load, check_tags=check_tags))


def load(content: Content, check_tags: CheckTags) -> Limits:
    """Returns the limits of the content of one file; raises UnusableFilesError."""
    [(path, raw)] = content.items()
    if len(raw) > FILE_MAX_BYTES:
        raise UnusableFilesError(f"{path}: too large; allowed: at most {FILE_MAX_BYTES:,} bytes")
    try:
        value = load_yaml(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UnusableFilesError(f"{path}: byte {error.start}: not UTF-8") from None
    except YamlError as error:
        raise UnusableFilesError(f"{path}: {error}") from None
    if not isinstance(value, list) or not value:
        raise UnusableFilesError(f"{path}: no entries; allowed: a list of entries with {_FIELDS}")
    try:
        entries = _ENTRIES.validate_python(value)
    except ValidationError as error:
        raise _unusable(path, map(_describe, error.errors(include_url=False))) from None
    if problems := [
        problem for number, entry in enumerate(entries, 1) for problem in _check(number, entry, check_tags)
    ]:
        raise _unusable(path, problems)
    return Limits([_entry(each) for each in entries])


def _check(number: int, entry: _Entry, check_tags: CheckTags) -> Iterator[str]:
    if (entry.callers is None) is (entry.group is None):
        yield f"entry {number}: callers, group: {'none' if entry.group is None else 'both'}; allowed: one of the two"
    if entry.burst is not None and entry.calls_per_second is None:
        yield f"entry {number}: burst: set without calls_per_second; allowed: both, or calls_per_second alone"
    forced = ForcedTags(entry.tags or {}).tags
    for violation in check_tags("tags", forced):
        index = int(violation.field.partition("[")[2].partition("]")[0] or 0)
        yield f"entry {number}: tags.{_shown(forced[index].key)}: {violation.description}"


def _entry(entry: _Entry) -> Entry:
    rate = entry.calls_per_second
    return Entry(
        None if entry.callers is None else Pattern(entry.callers),
        entry.group,
        ForcedTags(entry.tags or {}),
        None if rate is None else Rate(rate, entry.burst or math.ceil(rate)),
        entry.calls_in_flight,
    )


def _describe(error: ErrorDetails) -> str:
    number, *path = error["loc"]
    where = f"entry {int(number) + 1}"
    if not path:
        return f"{where}: {_sent(error['input'])}; allowed: {_FIELDS}"
    name = str(path[0])
    if name not in _ALLOWED:
        return f"{where}: {_shown(name)}: unknown field; allowed: {_FIELDS}"
    inner = [_shown(str(step)) for step in path[1:] if step != "[key]"]
    return f"{where}: {'.'.join([name, *inner])}: {_sent(error['input'])}; allowed: {_ALLOWED[name]}"


def _sent(value: Any) -> str:
    if value is None:
        return "empty"
    return "not a single value" if isinstance(value, dict | list) else quote(str(value), _SHOWN_CHARACTERS)


def _shown(name: str) -> str:
    quoted = quote(name, _SHOWN_CHARACTERS)
    return name if quoted == f'"{name}"' else quoted


def _unusable(path: str, problems: Iterable[str]) -> UnusableFilesError:
    found = list(problems)
    more = f" (and {len(found) - _SHOWN_PROBLEMS} more)" if len(found) > _SHOWN_PROBLEMS else ""
    return UnusableFilesError(f"{path}: {'; '.join(found[:_SHOWN_PROBLEMS])}{more}")


def _read(path: Path) -> Content:
    try:
        with path.open("rb") as file:
            return {str(path): file.read(FILE_MAX_BYTES + 1)}
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UnusableFilesError(f"{path}: {reason}; --limits takes a YAML file") from None
