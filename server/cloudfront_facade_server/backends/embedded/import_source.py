"""Files that stand for S3 objects, and what a store imports from them.

CloudFront takes the import for a background job: all that can be wrong with the object but its size shows as the reason
of the store's failure, not as an error of the create. Reasons say nothing of the file's content or of where it is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ... import limits
from .responses import CloudFrontError


@dataclass(frozen=True, slots=True)
class Import:
    """What an import brought: keys with their values, or why it failed."""

    key_values: dict[str, str]
    failure: str | None = None


class ImportFailedError(Exception):
    """The import fails; the message is the reason that callers may see."""


class ImportFolder:
    """A folder whose file `BUCKET/KEY` stands for the S3 object `arn:aws:s3:::BUCKET/KEY`.

    Args:
        folder: None when there is none; then every import fails.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def read(self, source_arn: str) -> Import:
        """Reads an object.

        Raises:
            RefusedError: EntitySizeLimitExceeded.
        """
        try:
            content = self._content(source_arn)
            if len(content) > limits.IMPORT_FILE_MAX_BYTES:
                raise CloudFrontError(
                    "EntitySizeLimitExceeded",
                    413,
                    f"The import file has more than {limits.IMPORT_FILE_MAX_BYTES} bytes.",
                )
            return Import(_parse(content))
        except ImportFailedError as failure:
            return Import({}, str(failure))

    def _content(self, source_arn: str) -> bytes:
        if self._folder is None:
            raise ImportFailedError("There is no folder with import files; set --embedded-s3-dir.")
        try:
            root = self._folder.resolve()
            file = root.joinpath(source_arn.split(":", 5)[-1]).resolve()
            # Before anything else is asked of the file: not even whether it exists is told of one outside.
            if not file.is_relative_to(root):
                raise ImportFailedError("The import file is outside the folder of --embedded-s3-dir.")
            # A pipe or a device would block, or never end.
            if not file.is_file():
                raise ImportFailedError("The import file is not in the folder of --embedded-s3-dir.")
            with file.open("rb") as stream:
                return stream.read(limits.IMPORT_FILE_MAX_BYTES + 1)
        # RuntimeError is a loop of links, ValueError a NUL in the path.
        except (OSError, RuntimeError, ValueError):
            raise ImportFailedError("The import file cannot be read.") from None


def _parse(content: bytes) -> dict[str, str]:
    try:
        document = json.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise ImportFailedError("The import file is not UTF-8.") from None
    # RecursionError is a document that is nested too deeply.
    except (ValueError, RecursionError):
        raise ImportFailedError("The import file is not JSON.") from None
    entries = document.get("data") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ImportFailedError('The import file is not an object with a list "data".')
    key_values: dict[str, str] = {}
    for index, entry in enumerate(entries):
        key, value = _key_value(index, entry)
        if key in key_values:
            raise ImportFailedError(f"data[{index}] repeats the key of an earlier entry.")
        key_values[key] = value
    return key_values


def _key_value(index: int, entry: object) -> tuple[str, str]:
    if not isinstance(entry, dict):
        raise ImportFailedError(f"data[{index}] is not an object.")
    key, value = entry.get("key"), entry.get("value")
    if not isinstance(key, str) or not isinstance(value, str):
        raise ImportFailedError(f'data[{index}] has not both strings "key" and "value".')
    try:
        key_bytes, value_bytes = len(key.encode()), len(value.encode())
    except UnicodeEncodeError:
        raise ImportFailedError(f"data[{index}] has half of a surrogate pair.") from None
    if not 1 <= key_bytes <= limits.KEY_MAX_BYTES:
        raise ImportFailedError(
            f"data[{index}] has a key of {key_bytes} bytes; 1 to {limits.KEY_MAX_BYTES} are allowed."
        )
    if value_bytes > limits.VALUE_MAX_BYTES:
        raise ImportFailedError(
            f"data[{index}] has a value of {value_bytes} bytes; at most {limits.VALUE_MAX_BYTES} are allowed."
        )
    return key, value
