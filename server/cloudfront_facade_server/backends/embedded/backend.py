"""The embedded backend: `Backend` on SQLite."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..protocol import Response
from .answers import RefusedError, response_metadata
from .database import Database, unusable
from .functions import Functions
from .import_source import ImportFolder
from .key_value_stores import KeyValueStores
from .tags import Tags

_log = logging.getLogger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class EmbeddedBackend:
    """CloudFront's behaviour without CloudFront. Safe for threads; processes may share the file.

    Args:
        path: the database file, or `:memory:`, which forgets.
        s3_dir: the folder whose files `BUCKET/KEY` stand for S3 objects; None when there is none.
        provisioning_seconds: how long a new store is PROVISIONING; at 0 its next read says READY.
        max_functions: the account's quota of functions.
        max_key_value_stores: the account's quota of stores.
        max_function_code_bytes: the largest function code.
        clock: the aware time of each operation.
        busy_timeout_seconds: how long to wait for the database before ServiceUnavailable.

    Raises:
        EmbeddedStoreError: the file cannot be used.
    """

    name = "embedded"

    def __init__(
        self,
        *,
        path: str,
        s3_dir: Path | None,
        provisioning_seconds: float = 0,
        max_functions: int = 100,
        max_key_value_stores: int = 200,
        max_function_code_bytes: int = 10_240,
        clock: Callable[[], datetime] = _utc_now,
        busy_timeout_seconds: float = 5,
    ) -> None:
        self._clock = clock
        self._path = path
        self._database = Database(path, busy_timeout_seconds)
        self._tags = Tags(self._database)
        self._key_value_stores = KeyValueStores(
            self._database,
            ImportFolder(s3_dir),
            provisioning_seconds=provisioning_seconds,
            max_stores=max_key_value_stores,
        )
        self._functions = Functions(self._database, max_functions=max_functions, max_code_bytes=max_function_code_bytes)

    def create_function(self, **arguments: Any) -> Response:
        """CloudFront's CreateFunction."""
        return self._answer("CreateFunction", 201, lambda now: self._functions.create(arguments, now))

    def describe_function(self, **arguments: Any) -> Response:
        """CloudFront's DescribeFunction; of DEVELOPMENT where no Stage is given."""
        return self._answer("DescribeFunction", 200, lambda _: self._functions.describe(arguments))

    def get_function(self, **arguments: Any) -> Response:
        """CloudFront's GetFunction; of DEVELOPMENT where no Stage is given."""
        return self._answer("GetFunction", 200, lambda _: self._functions.get(arguments))

    def create_key_value_store(self, **arguments: Any) -> Response:
        """CloudFront's CreateKeyValueStore."""
        return self._answer("CreateKeyValueStore", 201, lambda now: self._key_value_stores.create(arguments, now))

    def describe_key_value_store(self, **arguments: Any) -> Response:
        """CloudFront's DescribeKeyValueStore."""
        return self._answer("DescribeKeyValueStore", 200, lambda now: self._key_value_stores.describe(arguments, now))

    def list_key_value_stores(self, **arguments: Any) -> Response:
        """CloudFront's ListKeyValueStores."""
        return self._answer("ListKeyValueStores", 200, lambda now: self._key_value_stores.list(arguments, now))

    def list_tags_for_resource(self, **arguments: Any) -> Response:
        """CloudFront's ListTagsForResource."""
        return self._answer("ListTagsForResource", 200, lambda _: self._tags.list(arguments))

    def import_failure(self, arn: str) -> str | None:
        """Why the import of a store failed; None if it did not, or there is no such store."""
        return self._key_value_stores.import_failure(arn)

    def close(self) -> None:
        """Closes the database, after the transaction that is under way."""
        self._database.close()

    def _answer(self, operation: str, http_status: int, run: Callable[[datetime], Mapping[str, Any]]) -> Response:
        now = self._clock()
        try:
            members = run(now)
        except RefusedError as refusal:
            raise refusal.client_error(operation, now) from None
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise
        except sqlite3.DatabaseError as error:
            _log.warning("%s", unusable(self._path, error))
            unavailable = RefusedError("ServiceUnavailable", 503, "The embedded database cannot be used at the moment.")
            raise unavailable.client_error(operation, now) from error
        return {"ResponseMetadata": response_metadata(http_status, now, members), **members}
