"""The operations on functions and their two stages."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any

from botocore.response import StreamingBody

from .answers import (
    ARN_PREFIX,
    LOCATION_PREFIX,
    RefusedError,
    from_milliseconds,
    new_etag,
    to_milliseconds,
)
from .database import Database
from .key_value_stores import store_status
from .tags import add_resource, requested_tags

MAX_ASSOCIATIONS = 1
"""Stores of one function. Source: the Developer Guide, quotas of key value stores."""

ASSOCIATION_RUNTIME = "cloudfront-js-2.0"
"""The runtime that can read stores. Source: the Developer Guide, features of the runtimes."""

DEVELOPMENT = "DEVELOPMENT"


class Functions:
    """The operations on functions.

    Args:
        database: where they are.
        max_functions: the account's quota.
        max_code_bytes: the largest code.
    """

    def __init__(self, database: Database, *, max_functions: int, max_code_bytes: int) -> None:
        self._database = database
        self._max_functions = max_functions
        self._max_code_bytes = max_code_bytes

    def create(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """CreateFunction: `FunctionSummary`, `ETag`, `Location`.

        Raises:
            RefusedError: FunctionAlreadyExists, FunctionSizeLimitExceeded, InvalidArgument, InvalidTagging,
                TooManyFunctions.
        """
        name, code = arguments["Name"], arguments["FunctionCode"]
        if len(code) > self._max_code_bytes:
            message = f"The function code has {len(code)} bytes; at most {self._max_code_bytes} are allowed."
            raise RefusedError("FunctionSizeLimitExceeded", 413, message)
        store_arn = _associated_store(arguments["FunctionConfig"])
        tags = requested_tags(arguments)
        with self._database.writing() as connection:
            if connection.execute("SELECT 1 FROM function_stages WHERE name = ?", (name,)).fetchone():
                raise RefusedError("FunctionAlreadyExists", 409, f"There is a function named {name} already.")
            if store_arn is not None and store_status(connection, store_arn, now) != "READY":
                raise _invalid("The associated key value store does not exist or is not READY.")
            (count,) = connection.execute("SELECT count(DISTINCT name) FROM function_stages").fetchone()
            if count >= self._max_functions:
                message = f"There are {count} functions; an account has at most {self._max_functions}."
                raise RefusedError("TooManyFunctions", 400, message)
            arn = f"{ARN_PREFIX}function/{name}"
            add_resource(connection, arn, tags)
            connection.execute(
                """
                INSERT INTO function_stages (
                    name, stage, arn, comment, runtime, key_value_store_arn, code, etag,
                    created_time, last_modified_time
                ) VALUES (:name, :stage, :arn, :comment, :runtime, :store_arn, :code, :etag, :now, :now)
                """,
                {
                    "name": name,
                    "stage": DEVELOPMENT,
                    "arn": arn,
                    "comment": arguments["FunctionConfig"]["Comment"],
                    "runtime": arguments["FunctionConfig"]["Runtime"],
                    "store_arn": store_arn,
                    "code": code,
                    "etag": new_etag(),
                    "now": to_milliseconds(now),
                },
            )
            row = _row(connection, {"Name": name})
        return {
            "FunctionSummary": _function_summary(row),
            "ETag": row["etag"],
            "Location": f"{LOCATION_PREFIX}function/{name}",
        }

    def describe(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeFunction: `FunctionSummary`, `ETag`.

        Raises:
            RefusedError: NoSuchFunctionExists.
        """
        with self._database.reading() as connection:
            row = _row(connection, arguments)
        return {"FunctionSummary": _function_summary(row), "ETag": row["etag"]}

    def get(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """GetFunction: `FunctionCode`, a stream, `ETag`, `ContentType`.

        Raises:
            RefusedError: NoSuchFunctionExists.
        """
        with self._database.reading() as connection:
            row = _row(connection, arguments)
        return {
            "FunctionCode": StreamingBody(BytesIO(row["code"]), len(row["code"])),
            "ETag": row["etag"],
            "ContentType": "application/octet-stream",
        }


def _row(connection: sqlite3.Connection, arguments: Mapping[str, Any]) -> sqlite3.Row:
    name, stage = arguments["Name"], arguments.get("Stage", DEVELOPMENT)
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM function_stages WHERE name = ? AND stage = ?", (name, stage)
    ).fetchone()
    if row is None:
        raise RefusedError("NoSuchFunctionExists", 404, f"There is no function named {name} in the stage {stage}.")
    return row


def _function_summary(row: sqlite3.Row) -> dict[str, Any]:
    config = {"Comment": row["comment"], "Runtime": row["runtime"]}
    if row["key_value_store_arn"] is not None:
        items = [{"KeyValueStoreARN": row["key_value_store_arn"]}]
        config["KeyValueStoreAssociations"] = {"Quantity": len(items), "Items": items}
    return {
        "Name": row["name"],
        "Status": "UNPUBLISHED",
        "FunctionConfig": config,
        "FunctionMetadata": {
            "FunctionARN": row["arn"],
            "Stage": row["stage"],
            "CreatedTime": from_milliseconds(row["created_time"]),
            "LastModifiedTime": from_milliseconds(row["last_modified_time"]),
        },
    }


def _associated_store(config: Mapping[str, Any]) -> str | None:
    associations = config.get("KeyValueStoreAssociations", {"Quantity": 0})
    items = associations.get("Items", [])
    if associations["Quantity"] != len(items):
        raise _invalid(f"Quantity is {associations['Quantity']}, but there are {len(items)} key value stores.")
    if not items:
        return None
    if len(items) > MAX_ASSOCIATIONS:
        raise _invalid(f"A function has at most {MAX_ASSOCIATIONS} key value store.")
    if config["Runtime"] != ASSOCIATION_RUNTIME:
        raise _invalid(f"A function with a key value store needs the runtime {ASSOCIATION_RUNTIME}.")
    arn: str = items[0]["KeyValueStoreARN"]
    return arn


def _invalid(message: str) -> RefusedError:
    return RefusedError("InvalidArgument", 400, message)
