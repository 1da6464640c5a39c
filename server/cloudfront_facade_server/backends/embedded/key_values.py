"""The data plane of key value stores. A store has one ETag for all of its keys."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from ... import limits
from .database import Database
from .responses import DataPlaneError, from_milliseconds, to_milliseconds
from .store_queries import READY, store_by_arn
from .versions import check_data_version, new_data_etag, require_data_if_match

FAILED = "FAILED"
"""The status of a store whose import failed. CloudFront's own value is not documented."""

Change = Callable[[sqlite3.Connection], bool]
"""Changes keys; returns whether there was anything to change. Otherwise the store keeps its ETag."""


class KeyValues:
    """The operations of the data plane.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Implements DescribeKeyValueStore.

        Returns:
            The members of the response; `FailureReason` only if the import failed.

        Raises:
            DataPlaneError: ResourceNotFoundException.
        """
        arn = arguments["KvsARN"]
        with self._database.reading() as connection:
            row = _store(connection, arn, now)
            sizes = _sizes(connection, arn)
        failed = row["failure_reason"] is not None
        return {
            **sizes,
            "KvsARN": arn,
            "Created": from_milliseconds(row["created_time"]),
            "ETag": row["data_etag"],
            "LastModified": from_milliseconds(row["data_last_modified_time"]),
            "Status": FAILED if failed else row["status"],
            **({"FailureReason": row["failure_reason"]} if failed else {}),
        }

    def get(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Implements GetKey.

        Returns:
            `Key`, `Value`, `ItemCount` and `TotalSizeInBytes`.

        Raises:
            DataPlaneError: ConflictException, ResourceNotFoundException.
        """
        arn, key = arguments["KvsARN"], arguments["Key"]
        with self._database.reading() as connection:
            _ready_store(connection, arn, now)
            row = connection.execute("SELECT value FROM key_values WHERE arn = ? AND key = ?", (arn, key)).fetchone()
            if row is None:
                raise _no_such_key()
            return {"Key": key, "Value": row["value"], **_sizes(connection, arn)}

    def list(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Implements ListKeys.

        Returns:
            `Items`, sorted by key, and `NextToken` if there is another page.

        Raises:
            DataPlaneError: ConflictException, ResourceNotFoundException, ValidationException.
        """
        arn, page_size = arguments["KvsARN"], arguments.get("MaxResults", limits.KEYS_PAGE_DEFAULT)
        if not 1 <= page_size <= limits.KEYS_PAGE_MAX:
            raise _invalid(f"MaxResults must be from 1 to {limits.KEYS_PAGE_MAX}.")
        last_key = _last_key(arguments["NextToken"], arn) if "NextToken" in arguments else ""
        with self._database.reading() as connection:
            _ready_store(connection, arn, now)
            rows = connection.execute(
                "SELECT key, value FROM key_values WHERE arn = ? AND key > ? ORDER BY key LIMIT ?",
                # One more row than the page has, to find out whether there is another page.
                (arn, last_key, page_size + 1),
            ).fetchall()
        items = [{"Key": row["key"], "Value": row["value"]} for row in rows[:page_size]]
        next_page = {"NextToken": _token(arn, items[-1]["Key"])} if len(rows) > page_size else {}
        return {"Items": items, **next_page}

    def put(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Implements PutKey.

        Returns:
            The new `ItemCount`, `TotalSizeInBytes` and `ETag` of the store.

        Raises:
            DataPlaneError: ConflictException, ResourceNotFoundException, ServiceQuotaExceededException,
                ValidationException.
        """
        pair = _checked_pair(arguments)

        def put_one(connection: sqlite3.Connection) -> bool:
            _put(connection, arguments["KvsARN"], [pair])
            return True

        return self._change(arguments, now, put_one)

    def delete(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Implements DeleteKey.

        Returns:
            The new `ItemCount`, `TotalSizeInBytes` and `ETag` of the store.

        Raises:
            DataPlaneError: ConflictException, ResourceNotFoundException, ValidationException.
        """
        key = _checked_key(arguments["Key"])

        def delete_one(connection: sqlite3.Connection) -> bool:
            if not _delete(connection, arguments["KvsARN"], [key]):
                raise _no_such_key()
            return True

        return self._change(arguments, now, delete_one)

    def update(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Implements UpdateKeys, which is atomic and ignores deletes of keys that do not exist.

        If it only deletes keys that do not exist, the store keeps its ETag, as in CloudFront.

        Returns:
            The new `ItemCount`, `TotalSizeInBytes` and `ETag` of the store.

        Raises:
            DataPlaneError: ConflictException, ResourceNotFoundException, ServiceQuotaExceededException,
                ValidationException.
        """
        puts, deletes = arguments.get("Puts", []), arguments.get("Deletes", [])
        if not 1 <= len(puts) + len(deletes) <= limits.UPDATE_KEYS_MAX_KEYS:
            raise _invalid(
                f"The request has {len(puts) + len(deletes)} keys; 1 to {limits.UPDATE_KEYS_MAX_KEYS} are allowed."
            )
        pairs = [_checked_pair(put) for put in puts]
        deleted = [_checked_key(delete["Key"]) for delete in deletes]
        if len({key for key, _ in pairs} | set(deleted)) < len(pairs) + len(deleted):
            raise _invalid("A key occurs more than once; keys must be unique.")

        def update_all(connection: sqlite3.Connection) -> bool:
            _put(connection, arguments["KvsARN"], pairs)
            return _delete(connection, arguments["KvsARN"], deleted) > 0 or bool(pairs)

        return self._change(arguments, now, update_all)

    def _change(self, arguments: Mapping[str, Any], now: datetime, change: Change) -> dict[str, Any]:
        arn, version = arguments["KvsARN"], require_data_if_match(arguments)
        with self._database.writing() as connection:
            etag = _ready_store(connection, arn, now)["data_etag"]
            check_data_version(version, etag)
            if change(connection):
                etag = new_data_etag()
                connection.execute(
                    "UPDATE key_value_stores SET data_etag = ?, data_last_modified_time = ? WHERE arn = ?",
                    (etag, to_milliseconds(now), arn),
                )
            sizes = _sizes(connection, arn)
            if sizes["TotalSizeInBytes"] > limits.KEY_VALUE_STORE_MAX_BYTES:
                allowed = limits.KEY_VALUE_STORE_MAX_BYTES
                message = f"The key value store would be too large; at most {allowed} bytes are allowed."
                raise DataPlaneError("ServiceQuotaExceededException", 402, message)
        return {**sizes, "ETag": etag}


def _store(connection: sqlite3.Connection, arn: str, now: datetime) -> sqlite3.Row:
    row = store_by_arn(connection, arn, now)
    if row is None:
        raise DataPlaneError("ResourceNotFoundException", 404, "No key value store has this ARN.")
    return row


def _ready_store(connection: sqlite3.Connection, arn: str, now: datetime) -> sqlite3.Row:
    row = _store(connection, arn, now)
    if row["status"] != READY:
        # CloudFront's own message for ConflictException.
        raise DataPlaneError("ConflictException", 409, "The key value store was not in expected state: not READY.")
    return row


def _sizes(connection: sqlite3.Connection, arn: str) -> dict[str, int]:
    count, total = connection.execute(
        """
        SELECT count(*), coalesce(sum(length(CAST(key AS BLOB)) + length(CAST(value AS BLOB))), 0)
        FROM key_values WHERE arn = ?
        """,
        (arn,),
    ).fetchone()
    return {"ItemCount": count, "TotalSizeInBytes": total}


def _put(connection: sqlite3.Connection, arn: str, pairs: Iterable[tuple[str, str]]) -> None:
    connection.executemany(
        """
        INSERT INTO key_values (arn, key, value) VALUES (?, ?, ?)
        ON CONFLICT (arn, key) DO UPDATE SET value = excluded.value
        """,
        [(arn, key, value) for key, value in pairs],
    )


def _delete(connection: sqlite3.Connection, arn: str, keys: Iterable[str]) -> int:
    """Deletes keys, and returns how many of them existed."""
    sql = "DELETE FROM key_values WHERE arn = ? AND key = ?"
    return connection.executemany(sql, [(arn, key) for key in keys]).rowcount


def _checked_pair(item: Mapping[str, str]) -> tuple[str, str]:
    key, value = _checked_key(item["Key"]), item["Value"]
    if _bytes(value) > limits.VALUE_MAX_BYTES:
        raise _invalid(f"A value has {_bytes(value)} bytes; at most {limits.VALUE_MAX_BYTES} are allowed.")
    return key, value


def _checked_key(key: str) -> str:
    if not 1 <= _bytes(key) <= limits.KEY_MAX_BYTES:
        raise _invalid(f"A key has {_bytes(key)} bytes; 1 to {limits.KEY_MAX_BYTES} are allowed.")
    return key


def _bytes(text: str) -> int:
    return len(text.encode())


def _token(arn: str, key: str) -> str:
    return base64.urlsafe_b64encode(f"{arn} {key}".encode()).decode()


def _last_key(token: str, arn: str) -> str:
    """Returns the last key of the previous page, which may have been deleted since."""
    try:
        token_arn, _, key = base64.b64decode(token, b"-_", validate=True).decode().partition(" ")
    except ValueError:
        raise _invalid("NextToken is malformed; it must be one that ListKeys returned.") from None
    if token_arn != arn or not key:
        raise _invalid("NextToken must be one that ListKeys returned for this key value store.")
    return key


def _no_such_key() -> DataPlaneError:
    return DataPlaneError("ResourceNotFoundException", 404, "The key does not exist in the key value store.")


def _invalid(message: str) -> DataPlaneError:
    return DataPlaneError("ValidationException", 400, message)
