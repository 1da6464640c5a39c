"""The embedded backend, which implements `Backend` on SQLite."""

from __future__ import annotations

import logging
import math
import sqlite3
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ... import limits
from ...errors.classify import EmbeddedFileError, RolledBackError
from ..protocol import Response
from .database import Database, LostCommitError, is_lost, unusable_error
from .functions import Functions
from .import_source import ImportFolder
from .key_value_stores import KeyValueStores
from .key_values import KeyValues
from .pages import list_distributions
from .responses import CloudFrontError, response_metadata
from .tags import Tags
from .test_runs import CodeRunner, TestRuns

_SECONDS_BETWEEN_REPORTS = 60

_log = logging.getLogger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class EmbeddedBackend:
    """Emulates CloudFront. Thread-safe; several processes may share the database file.

    Args:
        path: The database file, or `:memory:` for a database that is lost when the backend is closed.
        s3_dir: The folder whose files `BUCKET/KEY` replace S3 objects; None if imports are not configured.
        provisioning_seconds: Seconds for which a new store is PROVISIONING; with 0, its first read returns READY.
        max_functions: The account's quota of functions.
        max_key_value_stores: The account's quota of stores.
        max_function_code_bytes: Maximum size of a function's code.
        clock: Returns the current time, an aware datetime.
        busy_timeout_seconds: Seconds to wait for a locked database; after them, calls fail with ServiceUnavailable.
            Together with the rest of a call it must be less than two.
        runner: Runs functions for TestFunction; None selects the runner of `function_runtime`.

    Attributes:
        on_loss: Called in any thread, at most once, when the file is found to be corrupt, or no longer at its path. All
            later calls fail.

    Raises:
        EmbeddedDatabaseError: The file cannot be opened or written to, has another format, or is corrupt.
    """

    name = "embedded"

    def __init__(
        self,
        *,
        path: str,
        s3_dir: Path | None,
        provisioning_seconds: float = 0,
        max_functions: int = limits.FUNCTIONS_QUOTA,
        max_key_value_stores: int = limits.KEY_VALUE_STORES_QUOTA,
        max_function_code_bytes: int = limits.FUNCTION_CODE_QUOTA,
        clock: Callable[[], datetime] = _utc_now,
        busy_timeout_seconds: float = 1.5,
        runner: CodeRunner | None = None,
    ) -> None:
        self.on_loss: Callable[[], object] = lambda: None
        self._is_lost = False
        self._reports: dict[str, float] = {}
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
        self._key_values = KeyValues(self._database)
        self._functions = Functions(self._database, max_functions=max_functions, max_code_bytes=max_function_code_bytes)
        self._test_runs = TestRuns(self._database, runner)

    def create_function(self, **arguments: Any) -> Response:
        """Implements CreateFunction."""
        return self._run("CreateFunction", 201, lambda now: self._functions.create(arguments, now))

    def describe_function(self, **arguments: Any) -> Response:
        """Implements DescribeFunction. Stage defaults to DEVELOPMENT."""
        return self._run("DescribeFunction", 200, lambda _: self._functions.describe(arguments))

    def get_function(self, **arguments: Any) -> Response:
        """Implements GetFunction. Stage defaults to DEVELOPMENT."""
        return self._run("GetFunction", 200, lambda _: self._functions.get(arguments))

    def update_function(self, **arguments: Any) -> Response:
        """Implements UpdateFunction."""
        # CloudFront misspells this header, in this operation only.
        header = "ettag"
        return self._run("UpdateFunction", 200, lambda now: self._functions.update(arguments, now), header)

    def publish_function(self, **arguments: Any) -> Response:
        """Implements PublishFunction."""
        return self._run("PublishFunction", 200, lambda now: self._functions.publish(arguments, now))

    def test_function(self, **arguments: Any) -> Response:
        """Implements TestFunction. Stage defaults to DEVELOPMENT."""
        return self._run("TestFunction", 200, lambda _: self._test_runs.test(arguments))

    def delete_function(self, **arguments: Any) -> Response:
        """Implements DeleteFunction."""
        return self._run("DeleteFunction", 204, lambda _: self._functions.delete(arguments))

    def list_functions(self, **arguments: Any) -> Response:
        """Implements ListFunctions. Without Stage it lists both stages."""
        return self._run("ListFunctions", 200, lambda _: self._functions.list(arguments))

    def list_distributions(self, **arguments: Any) -> Response:
        """Implements ListDistributions. The list is always empty."""
        return self._run("ListDistributions", 200, lambda _: list_distributions(arguments))

    def create_key_value_store(self, **arguments: Any) -> Response:
        """Implements CreateKeyValueStore."""
        return self._run("CreateKeyValueStore", 201, lambda now: self._key_value_stores.create(arguments, now))

    def describe_key_value_store(self, **arguments: Any) -> Response:
        """Implements DescribeKeyValueStore."""
        return self._run("DescribeKeyValueStore", 200, lambda now: self._key_value_stores.describe(arguments, now))

    def update_key_value_store(self, **arguments: Any) -> Response:
        """Implements UpdateKeyValueStore."""
        return self._run("UpdateKeyValueStore", 200, lambda now: self._key_value_stores.update(arguments, now))

    def delete_key_value_store(self, **arguments: Any) -> Response:
        """Implements DeleteKeyValueStore."""
        return self._run("DeleteKeyValueStore", 204, lambda now: self._key_value_stores.delete(arguments, now))

    def list_key_value_stores(self, **arguments: Any) -> Response:
        """Implements ListKeyValueStores."""
        return self._run("ListKeyValueStores", 200, lambda now: self._key_value_stores.list(arguments, now))

    def describe_key_value_store_data(self, **arguments: Any) -> Response:
        """Implements DescribeKeyValueStore of the data plane."""
        return self._run("DescribeKeyValueStore", 200, lambda now: self._key_values.describe(arguments, now))

    def get_key(self, **arguments: Any) -> Response:
        """Implements GetKey of the data plane."""
        return self._run("GetKey", 200, lambda now: self._key_values.get(arguments, now))

    def put_key(self, **arguments: Any) -> Response:
        """Implements PutKey of the data plane."""
        return self._run("PutKey", 200, lambda now: self._key_values.put(arguments, now))

    def delete_key(self, **arguments: Any) -> Response:
        """Implements DeleteKey of the data plane."""
        return self._run("DeleteKey", 200, lambda now: self._key_values.delete(arguments, now))

    def list_keys(self, **arguments: Any) -> Response:
        """Implements ListKeys of the data plane."""
        return self._run("ListKeys", 200, lambda now: self._key_values.list(arguments, now))

    def update_keys(self, **arguments: Any) -> Response:
        """Implements UpdateKeys of the data plane."""
        return self._run("UpdateKeys", 200, lambda now: self._key_values.update(arguments, now))

    def tag_resource(self, **arguments: Any) -> Response:
        """Implements TagResource."""
        return self._run("TagResource", 204, lambda _: self._tags.add(arguments))

    def untag_resource(self, **arguments: Any) -> Response:
        """Implements UntagResource."""
        return self._run("UntagResource", 204, lambda _: self._tags.remove(arguments))

    def list_tags_for_resource(self, **arguments: Any) -> Response:
        """Implements ListTagsForResource."""
        return self._run("ListTagsForResource", 200, lambda _: self._tags.list(arguments))

    def warm_up(self) -> None:
        """Logs a warning if functions cannot be tested, or only with less protection. It takes a few milliseconds."""
        self._test_runs.warn_if_unprotected()

    def close(self) -> None:
        """Closes the database, after the current transaction."""
        self._database.close()

    def _run(
        self,
        operation: str,
        http_status: int,
        call: Callable[[datetime], Mapping[str, Any]],
        etag_header: str = "etag",
    ) -> Response:
        now = self._clock()
        if self._is_lost:
            raise RolledBackError(*_unavailable(operation, now))
        try:
            members = call(now)
        except CloudFrontError as error:
            raise error.client_error(operation, now) from None
        # These are bugs in this backend, not problems of the database.
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise
        except sqlite3.DatabaseError as error:
            self._report(error)
            failed = EmbeddedFileError if isinstance(error, LostCommitError) else RolledBackError
            raise failed(*_unavailable(operation, now)) from error
        return {"ResponseMetadata": response_metadata(http_status, now, members, etag_header), **members}

    def _report(self, error: sqlite3.DatabaseError) -> None:
        """Logs why the database cannot be used: once if it never can be again, else once a minute."""
        line = str(unusable_error(self._path, error))
        if is_lost(error):
            if not self._is_lost:
                self._is_lost = True
                _log.error("%s", line)
                self.on_loss()
            return
        now = time.monotonic()
        if now - self._reports.get(line, -math.inf) >= _SECONDS_BETWEEN_REPORTS:
            self._reports[line] = now
            _log.warning("%s", line)


def _unavailable(operation: str, now: datetime) -> tuple[Any, str]:
    """Returns the arguments of the exception for a database that cannot be used."""
    error = CloudFrontError("ServiceUnavailable", 503, "The embedded database is unavailable.")
    return error.client_error(operation, now).response, operation
