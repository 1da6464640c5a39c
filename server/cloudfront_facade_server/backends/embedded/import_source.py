"""Local files that replace S3 objects, from which a store imports keys.

CloudFront imports in the background. So every problem with the object, except its size, becomes the store's failure
reason and not an error of the create. A reason discloses neither the file's content nor its path.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ... import limits
from .import_document import ImportFailedError, parse
from .responses import CloudFrontError

_MISSING = "The import file does not exist in the folder of --embedded-s3-dir."


@dataclass(frozen=True, slots=True)
class Import:
    """The result of an import: the keys with their values, or the reason why it failed."""

    key_values: dict[str, str]
    failure: str | None = None


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
            return Import(parse(content))
        except ImportFailedError as failure:
            return Import({}, str(failure))

    def _content(self, source_arn: str) -> bytes:
        if self._folder is None:
            raise ImportFailedError("The folder with import files is not configured; set --embedded-s3-dir.")
        bucket, *segments = source_arn.split(":", 5)[-1].split("/")
        # A key is exact: "//f", "./f" and "x/../f" are other keys than "f" and "x/f", and no file stands for them.
        if not segments or not {"", ".", ".."}.isdisjoint((bucket, *segments)):
            raise ImportFailedError(_MISSING)
        try:
            root = self._folder.resolve()
            folder = root.joinpath(bucket).resolve()
            file = folder.joinpath(*segments).resolve()
            # Checked first, so that a caller cannot learn whether a file outside the folder exists.
            if not folder.is_relative_to(root) or not file.is_relative_to(folder):
                raise ImportFailedError("The import file is outside the folder of its bucket in --embedded-s3-dir.")
            # Reading a pipe could block, and reading a device could never end.
            if not file.is_file():
                raise ImportFailedError(_MISSING)
            with file.open("rb") as stream:
                return stream.read(limits.IMPORT_FILE_MAX_BYTES + 1)
        # RuntimeError: a loop of symbolic links. ValueError: a NUL in the path.
        except (OSError, RuntimeError, ValueError):
            raise ImportFailedError("The import file cannot be read.") from None
