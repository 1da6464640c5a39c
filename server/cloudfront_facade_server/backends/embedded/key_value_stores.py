"""The control plane of key value stores."""

from __future__ import annotations

import logging
import sqlite3
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .database import Database
from .import_source import Import, ImportFolder
from .pages import max_items
from .responses import ARN_PREFIX, LOCATION_PREFIX, CloudFrontError, from_milliseconds, to_milliseconds
from .store_queries import STORES, store_by_name
from .tags import add_resource, requested_tags
from .versions import check_version, new_data_etag, new_etag, require_if_match

_log = logging.getLogger(__name__)


class KeyValueStores:
    """The operations on stores.

    Args:
        database: The database.
        imports: The folder with import files.
        provisioning_seconds: Seconds for which a new store is PROVISIONING.
        max_stores: The account's quota of stores.
    """

    def __init__(
        self, database: Database, imports: ImportFolder, *, provisioning_seconds: float, max_stores: int
    ) -> None:
        self._database = database
        self._imports = imports
        self._provisioning_milliseconds = round(provisioning_seconds * 1000)
        self._max_stores = max_stores

    def create(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Implements CreateKeyValueStore.

        Returns:
            `KeyValueStore` (always PROVISIONING), `ETag` and `Location`.

        Raises:
            CloudFrontError: EntityAlreadyExists, EntityLimitExceeded, EntitySizeLimitExceeded, InvalidTagging.
        """
        name = arguments["Name"]
        tags = requested_tags(arguments)
        source = arguments.get("ImportSource")
        # Before the transaction, so that reading a slow file does not block other operations.
        imported = self._imports.read(source["SourceARN"]) if source else Import({})
        with self._database.writing() as connection:
            if connection.execute("SELECT 1 FROM key_value_stores WHERE name = ?", (name,)).fetchone():
                raise CloudFrontError("EntityAlreadyExists", 409, f'A key value store named "{name}" already exists.')
            (count,) = connection.execute("SELECT count(*) FROM key_value_stores").fetchone()
            if count >= self._max_stores:
                message = f"The account has {count} key value stores; at most {self._max_stores} are allowed."
                raise CloudFrontError("EntityLimitExceeded", 400, message)
            arn = f"{ARN_PREFIX}key-value-store/{uuid.uuid4()}"
            add_resource(connection, arn, tags)
            self._insert(connection, arn, arguments, imported, to_milliseconds(now))
            row = _row(connection, name, now)
        if source and imported.failure:
            _log.warning("the import into key value store %s failed: %s", name, imported.failure)
        return {
            "KeyValueStore": {**_key_value_store(row), "Status": "PROVISIONING"},
            "ETag": row["etag"],
            "Location": f"{LOCATION_PREFIX}key-value-store/{name}",
        }

    def _insert(
        self, connection: sqlite3.Connection, arn: str, arguments: Mapping[str, Any], imported: Import, now: int
    ) -> None:
        if imported.failure is not None:
            ready_time = None
        elif self._provisioning_milliseconds:
            ready_time = now + self._provisioning_milliseconds
        else:
            # READY immediately, even if the clock is set back.
            ready_time = 0
        connection.execute(
            """
            INSERT INTO key_value_stores (
                arn, name, comment, etag, created_time, last_modified_time, ready_time, failure_reason,
                data_etag, data_last_modified_time
            ) VALUES (:arn, :name, :comment, :etag, :now, :now, :ready_time, :failure_reason, :data_etag, :now)
            """,
            {
                "arn": arn,
                "name": arguments["Name"],
                "comment": arguments.get("Comment"),
                "etag": new_etag(),
                "now": now,
                "ready_time": ready_time,
                "failure_reason": imported.failure,
                "data_etag": new_data_etag(),
            },
        )
        connection.executemany(
            "INSERT INTO key_values (arn, key, value) VALUES (?, ?, ?)",
            [(arn, key, value) for key, value in imported.key_values.items()],
        )

    def describe(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Implements DescribeKeyValueStore.

        Returns:
            `KeyValueStore` and `ETag`.

        Raises:
            CloudFrontError: EntityNotFound.
        """
        with self._database.reading() as connection:
            row = _row(connection, arguments["Name"], now)
        return {"KeyValueStore": _key_value_store(row), "ETag": row["etag"]}

    def list(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Implements ListKeyValueStores. A marker is the last name of the previous page.

        Returns:
            `KeyValueStoreList`, sorted by name.

        Raises:
            CloudFrontError: InvalidArgument.
        """
        page_size = max_items(arguments)
        with self._database.reading() as connection:
            rows = connection.execute(
                f"{STORES} WHERE name > :marker AND (:status IS NULL OR status = :status) ORDER BY name LIMIT :limit",
                {
                    "now": to_milliseconds(now),
                    "marker": arguments.get("Marker", ""),
                    "status": arguments.get("Status"),
                    # One more row than the page has, to find out whether there is another page.
                    "limit": page_size + 1,
                },
            ).fetchall()
        items = [_key_value_store(row) for row in rows[:page_size]]
        page = {"MaxItems": page_size, "Quantity": len(items), "Items": items}
        if len(rows) > page_size:
            page["NextMarker"] = items[-1]["Name"]
        return {"KeyValueStoreList": page}

    def update(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Implements UpdateKeyValueStore, which changes the comment.

        Returns:
            `KeyValueStore` and `ETag`.

        Raises:
            CloudFrontError: EntityNotFound, InvalidIfMatchVersion, PreconditionFailed.
        """
        name, version = arguments["Name"], require_if_match(arguments)
        with self._database.writing() as connection:
            check_version(version, _row(connection, name, now)["etag"])
            connection.execute(
                "UPDATE key_value_stores SET comment = ?, etag = ?, last_modified_time = ? WHERE name = ?",
                (arguments["Comment"], new_etag(), to_milliseconds(now), name),
            )
            row = _row(connection, name, now)
        return {"KeyValueStore": _key_value_store(row), "ETag": row["etag"]}

    def delete(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Implements DeleteKeyValueStore, which also deletes the keys and tags.

        Raises:
            CloudFrontError: CannotDeleteEntityWhileInUse if a stage of a function is associated with the store,
                EntityNotFound, InvalidIfMatchVersion, PreconditionFailed.
        """
        version = require_if_match(arguments)
        with self._database.writing() as connection:
            row = _row(connection, arguments["Name"], now)
            check_version(version, row["etag"])
            associated = "SELECT 1 FROM function_stages WHERE key_value_store_arn = ?"
            if connection.execute(associated, (row["arn"],)).fetchone():
                message = "The key value store is associated with a function."
                raise CloudFrontError("CannotDeleteEntityWhileInUse", 409, message)
            connection.execute("DELETE FROM resources WHERE arn = ?", (row["arn"],))
        return {}


def _row(connection: sqlite3.Connection, name: str, now: datetime) -> sqlite3.Row:
    row = store_by_name(connection, name, now)
    if row is None:
        raise CloudFrontError("EntityNotFound", 404, f'Key value store "{name}" does not exist.')
    return row


def _key_value_store(row: sqlite3.Row) -> dict[str, Any]:
    comment = {} if row["comment"] is None else {"Comment": row["comment"]}
    return {
        "Name": row["name"],
        "Id": row["arn"].rpartition("/")[2],
        **comment,
        "ARN": row["arn"],
        "Status": row["status"],
        "LastModifiedTime": from_milliseconds(row["last_modified_time"]),
    }
