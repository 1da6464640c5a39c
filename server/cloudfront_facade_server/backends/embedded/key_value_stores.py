"""The control plane of key value stores."""

from __future__ import annotations

import logging
import re
import sqlite3
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .answers import (
    ARN_PREFIX,
    LOCATION_PREFIX,
    RefusedError,
    from_milliseconds,
    new_etag,
    to_milliseconds,
)
from .database import Database
from .import_source import Import, ImportFolder
from .tags import add_resource, requested_tags

MAX_PAGE = 100
"""Stores of one page, also where more are asked for or nothing is. Source: CloudFront's default for its lists."""

_log = logging.getLogger(__name__)

_STORES = """
    SELECT * FROM (
        SELECT *, CASE WHEN ready_time <= :now THEN 'READY' ELSE 'PROVISIONING' END AS status FROM key_value_stores
    )
"""


class KeyValueStores:
    """The operations on stores.

    Args:
        database: where they are.
        imports: where import files are.
        provisioning_seconds: how long a store is PROVISIONING.
        max_stores: the account's quota.
    """

    def __init__(
        self, database: Database, imports: ImportFolder, *, provisioning_seconds: float, max_stores: int
    ) -> None:
        self._database = database
        self._imports = imports
        self._provisioning_milliseconds = round(provisioning_seconds * 1000)
        self._max_stores = max_stores

    def create(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """CreateKeyValueStore: `KeyValueStore`, always PROVISIONING, `ETag` and `Location`.

        Raises:
            RefusedError: EntityAlreadyExists, EntityLimitExceeded, EntitySizeLimitExceeded, InvalidTagging.
        """
        name = arguments["Name"]
        tags = requested_tags(arguments)
        source = arguments.get("ImportSource")
        # Ahead of the transaction, so that nobody waits for a slow file.
        imported = self._imports.read(source["SourceARN"]) if source else Import({})
        with self._database.writing() as connection:
            if connection.execute("SELECT 1 FROM key_value_stores WHERE name = ?", (name,)).fetchone():
                raise RefusedError("EntityAlreadyExists", 409, f"There is a key value store named {name} already.")
            (count,) = connection.execute("SELECT count(*) FROM key_value_stores").fetchone()
            if count >= self._max_stores:
                message = f"There are {count} key value stores; an account has at most {self._max_stores}."
                raise RefusedError("EntityLimitExceeded", 400, message)
            arn = f"{ARN_PREFIX}key-value-store/{uuid.uuid4()}"
            add_resource(connection, arn, tags)
            self._insert(connection, arn, arguments, imported, to_milliseconds(now))
            row = _row(connection, name, now)
        if source and imported.failure:
            _log.warning("the import into the store %s failed: %s", name, imported.failure)
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
            # Ready at once, even if the clock is set back.
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
                "data_etag": new_etag(),
            },
        )
        connection.executemany(
            "INSERT INTO key_values (arn, key, value) VALUES (?, ?, ?)",
            [(arn, key, value) for key, value in imported.key_values.items()],
        )

    def describe(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """DescribeKeyValueStore: `KeyValueStore`, `ETag`.

        Raises:
            RefusedError: EntityNotFound.
        """
        with self._database.reading() as connection:
            row = _row(connection, arguments["Name"], now)
        return {"KeyValueStore": _key_value_store(row), "ETag": row["etag"]}

    def list(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """ListKeyValueStores: `KeyValueStoreList`, by name. A marker is the last name of the page before.

        Raises:
            RefusedError: InvalidArgument.
        """
        max_items = _max_items(arguments.get("MaxItems", str(MAX_PAGE)))
        with self._database.reading() as connection:
            rows = connection.execute(
                f"{_STORES} WHERE name > :marker AND (:status IS NULL OR status = :status) ORDER BY name LIMIT :limit",
                {
                    "now": to_milliseconds(now),
                    "marker": arguments.get("Marker", ""),
                    "status": arguments.get("Status"),
                    # One more than the page has shows whether there is another.
                    "limit": max_items + 1,
                },
            ).fetchall()
        items = [_key_value_store(row) for row in rows[:max_items]]
        page = {"MaxItems": max_items, "Quantity": len(items), "Items": items}
        if len(rows) > max_items:
            page["NextMarker"] = items[-1]["Name"]
        return {"KeyValueStoreList": page}

    def import_failure(self, arn: str) -> str | None:
        """Why the store's import failed; None if it did not, or there is no such store."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT failure_reason FROM key_value_stores WHERE arn = ?", (arn,)).fetchone()
        return row["failure_reason"] if row else None


def store_status(connection: sqlite3.Connection, arn: str, now: datetime) -> str | None:
    """PROVISIONING or READY; None if there is no such store."""
    row = connection.execute(f"{_STORES} WHERE arn = :arn", {"now": to_milliseconds(now), "arn": arn}).fetchone()
    return row["status"] if row else None


def _row(connection: sqlite3.Connection, name: str, now: datetime) -> sqlite3.Row:
    parameters = {"now": to_milliseconds(now), "name": name}
    row: sqlite3.Row | None = connection.execute(f"{_STORES} WHERE name = :name", parameters).fetchone()
    if row is None:
        raise RefusedError("EntityNotFound", 404, f"There is no key value store named {name}.")
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


def _max_items(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise RefusedError("InvalidArgument", 400, "MaxItems is not a positive number.")
    return min(int(text), MAX_PAGE)
