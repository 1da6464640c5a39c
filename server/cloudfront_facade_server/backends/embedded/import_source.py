"""Local files that replace S3 objects, and the keys that a store imports from them.

CloudFront imports in the background. So every problem with the object, except its size, becomes the store's failure
reason and not an error of the create. A reason discloses neither the file's content nor its path.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ... import limits
from .responses import CloudFrontError


@dataclass(frozen=True, slots=True)
class Import:
    """The result of an import: the keys with their values, or the reason why it failed."""

    key_values: dict[str, str]
    failure: str | None = None


class ImportFailedError(Exception):
    """The import failed. The message is the reason that callers see."""


class ImportFolder:
    """A folder in which the file `BUCKET/KEY` replaces the S3 object `arn:aws:s3:::BUCKET/KEY`.

    Args:
        folder: The folder; if None, every import fails.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def read(self, source_arn: str) -> Import:
        """Reads and parses an object.

        Returns:
            Its keys, or the reason why the import failed.

        Raises:
            CloudFrontError: EntitySizeLimitExceeded.
        """
        try:
            content = self._content(source_arn)
            if len(content) > limits.IMPORT_FILE_MAX_BYTES:
                raise CloudFrontError(
                    "EntitySizeLimitExceeded",
                    413,
                    f"The import file is too large; at most {limits.IMPORT_FILE_MAX_BYTES} bytes are allowed.",
                )
            return Import(_parse(content))
        except ImportFailedError as failure:
            return Import({}, str(failure))

    def _content(self, source_arn: str) -> bytes:
        if self._folder is None:
            raise ImportFailedError("The folder with import files is not configured; set --embedded-s3-dir.")
        try:
            root = self._folder.resolve()
            file = root.joinpath(source_arn.split(":", 5)[-1]).resolve()
            # Checked first, so that a caller cannot learn whether a file outside the folder exists.
            if not file.is_relative_to(root):
                raise ImportFailedError("The import file is outside the folder of --embedded-s3-dir.")
            # Reading a pipe could block, and reading a device could never end.
            if not file.is_file():
                raise ImportFailedError("The import file does not exist in the folder of --embedded-s3-dir.")
            with file.open("rb") as stream:
                return stream.read(limits.IMPORT_FILE_MAX_BYTES + 1)
        # RuntimeError: a loop of symbolic links. ValueError: a NUL in the path.
        except (OSError, RuntimeError, ValueError):
            raise ImportFailedError("The import file cannot be read.") from None


def _parse(content: bytes) -> dict[str, str]:
    try:
        document = json.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise ImportFailedError("The import file is not UTF-8.") from None
    # RecursionError: the document is nested too deeply.
    except (ValueError, RecursionError):
        raise ImportFailedError("The import file is not JSON.") from None
    entries = document.get("data") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ImportFailedError('The import file must be a JSON object with a list "data".')
    key_values: dict[str, str] = {}
    for index, entry in enumerate(entries):
        key, value = _key_value(index, entry)
        if key in key_values:
            raise ImportFailedError(f"data[{index}] repeats the key of an earlier entry; keys must be unique.")
        key_values[key] = value
    return key_values


def _key_value(index: int, entry: object) -> tuple[str, str]:
    if not isinstance(entry, dict):
        raise ImportFailedError(f"data[{index}] must be an object.")
    key, value = entry.get("key"), entry.get("value")
    if not isinstance(key, str) or not isinstance(value, str):
        raise ImportFailedError(f'data[{index}] must have the strings "key" and "value".')
    try:
        key_bytes, value_bytes = len(key.encode()), len(value.encode())
    except UnicodeEncodeError:
        raise ImportFailedError(
            f"data[{index}] has an unpaired surrogate; allowed: text that UTF-8 can encode."
        ) from None
    if not 1 <= key_bytes <= limits.KEY_MAX_BYTES:
        raise ImportFailedError(
            f"data[{index}] has a key of {key_bytes} bytes; 1 to {limits.KEY_MAX_BYTES} are allowed."
        )
    if value_bytes > limits.VALUE_MAX_BYTES:
        raise ImportFailedError(
            f"data[{index}] has a value of {value_bytes} bytes; at most {limits.VALUE_MAX_BYTES} are allowed."
        )
    return key, value
