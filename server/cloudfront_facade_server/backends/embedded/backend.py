"""The embedded backend: `Backend` on SQLite."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ... import limits
from ..protocol import Response
from .database import Database, unusable
from .functions import Functions
from .import_source import ImportFolder
from .key_value_stores import KeyValueStores
from .key_values import KeyValues
from .pages import list_distributions
from .responses import CloudFrontError, response_metadata
from .tags import Tags
from .test_runs import CodeRunner, TestRuns

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
        runner: what runs a function that is tested; None for JavaScript in an engine of its own.

    Raises:
        EmbeddedDatabaseError: the file cannot be used.
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
        busy_timeout_seconds: float = 5,
        runner: CodeRunner | None = None,
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
        self._key_values = KeyValues(self._database)
        self._functions = Functions(self._database, max_functions=max_functions, max_code_bytes=max_function_code_bytes)
        self._function_tests = TestRuns(self._database, runner)

    def create_function(self, **arguments: Any) -> Response:
        """CloudFront's CreateFunction."""
        return self._answer("CreateFunction", 201, lambda now: self._functions.create(arguments, now))

    def describe_function(self, **arguments: Any) -> Response:
        """CloudFront's DescribeFunction; of DEVELOPMENT where no Stage is given."""
        return self._answer("DescribeFunction", 200, lambda _: self._functions.describe(arguments))

    def get_function(self, **arguments: Any) -> Response:
        """CloudFront's GetFunction; of DEVELOPMENT where no Stage is given."""
        return self._answer("GetFunction", 200, lambda _: self._functions.get(arguments))

    def update_function(self, **arguments: Any) -> Response:
        """CloudFront's UpdateFunction."""
        # So CloudFront spells this header, of this operation only.
        header = "ettag"
        return self._answer("UpdateFunction", 200, lambda now: self._functions.update(arguments, now), header)

    def publish_function(self, **arguments: Any) -> Response:
        """CloudFront's PublishFunction."""
        return self._answer("PublishFunction", 200, lambda now: self._functions.publish(arguments, now))

    def test_function(self, **arguments: Any) -> Response:
        """CloudFront's TestFunction; of DEVELOPMENT where no Stage is given."""
        return self._answer("TestFunction", 200, lambda _: self._function_tests.test(arguments))

    def delete_function(self, **arguments: Any) -> Response:
        """CloudFront's DeleteFunction."""
        return self._answer("DeleteFunction", 204, lambda _: self._functions.delete(arguments))

    def list_functions(self, **arguments: Any) -> Response:
        """CloudFront's ListFunctions; of both stages where no Stage is given."""
        return self._answer("ListFunctions", 200, lambda _: self._functions.list(arguments))

    def list_distributions(self, **arguments: Any) -> Response:
        """CloudFront's ListDistributions; there are none."""
        return self._answer("ListDistributions", 200, lambda _: list_distributions(arguments))

    def create_key_value_store(self, **arguments: Any) -> Response:
        """CloudFront's CreateKeyValueStore."""
        return self._answer("CreateKeyValueStore", 201, lambda now: self._key_value_stores.create(arguments, now))

    def describe_key_value_store(self, **arguments: Any) -> Response:
        """CloudFront's DescribeKeyValueStore."""
        return self._answer("DescribeKeyValueStore", 200, lambda now: self._key_value_stores.describe(arguments, now))

    def update_key_value_store(self, **arguments: Any) -> Response:
        """CloudFront's UpdateKeyValueStore."""
        return self._answer("UpdateKeyValueStore", 200, lambda now: self._key_value_stores.update(arguments, now))

    def delete_key_value_store(self, **arguments: Any) -> Response:
        """CloudFront's DeleteKeyValueStore."""
        return self._answer("DeleteKeyValueStore", 204, lambda now: self._key_value_stores.delete(arguments, now))

    def list_key_value_stores(self, **arguments: Any) -> Response:
        """CloudFront's ListKeyValueStores."""
        return self._answer("ListKeyValueStores", 200, lambda now: self._key_value_stores.list(arguments, now))

    def describe_key_value_store_data(self, **arguments: Any) -> Response:
        """The data plane's DescribeKeyValueStore."""
        return self._answer("DescribeKeyValueStore", 200, lambda now: self._key_values.describe(arguments, now))

    def get_key(self, **arguments: Any) -> Response:
        """The data plane's GetKey."""
        return self._answer("GetKey", 200, lambda now: self._key_values.get(arguments, now))

    def put_key(self, **arguments: Any) -> Response:
        """The data plane's PutKey."""
        return self._answer("PutKey", 200, lambda now: self._key_values.put(arguments, now))

    def delete_key(self, **arguments: Any) -> Response:
        """The data plane's DeleteKey."""
        return self._answer("DeleteKey", 200, lambda now: self._key_values.delete(arguments, now))

    def list_keys(self, **arguments: Any) -> Response:
        """The data plane's ListKeys."""
        return self._answer("ListKeys", 200, lambda now: self._key_values.list(arguments, now))

    def update_keys(self, **arguments: Any) -> Response:
        """The data plane's UpdateKeys."""
        return self._answer("UpdateKeys", 200, lambda now: self._key_values.update(arguments, now))

    def tag_resource(self, **arguments: Any) -> Response:
        """CloudFront's TagResource."""
        return self._answer("TagResource", 204, lambda _: self._tags.add(arguments))

    def untag_resource(self, **arguments: Any) -> Response:
        """CloudFront's UntagResource."""
        return self._answer("UntagResource", 204, lambda _: self._tags.remove(arguments))

    def list_tags_for_resource(self, **arguments: Any) -> Response:
        """CloudFront's ListTagsForResource."""
        return self._answer("ListTagsForResource", 200, lambda _: self._tags.list(arguments))

    def close(self) -> None:
        """Closes the database, after the transaction that is under way."""
        self._database.close()

    def _answer(
        self,
        operation: str,
        http_status: int,
        run: Callable[[datetime], Mapping[str, Any]],
        etag_header: str = "etag",
    ) -> Response:
        now = self._clock()
        try:
            members = run(now)
        except CloudFrontError as refusal:
            raise refusal.client_error(operation, now) from None
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise
        except sqlite3.DatabaseError as error:
            _log.warning("%s", unusable(self._path, error))
            unavailable = CloudFrontError(
                "ServiceUnavailable", 503, "The embedded database cannot be used at the moment."
            )
            raise unavailable.client_error(operation, now) from error
        return {"ResponseMetadata": response_metadata(http_status, now, members, etag_header), **members}
