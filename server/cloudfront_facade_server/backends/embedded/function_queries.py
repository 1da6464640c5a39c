"""Queries of functions, which have one row per stage, and the FunctionSummary of a row."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ... import limits
from .responses import CloudFrontError, from_milliseconds, invalid_argument
from .store_queries import READY, store_by_arn

DEVELOPMENT = "DEVELOPMENT"
LIVE = "LIVE"

ASSOCIATION_RUNTIME = "cloudfront-js-2.0"
"""The only runtime that can read stores. Source: the Developer Guide, features of the runtimes."""

SUMMARIES = """
    SELECT name, stage, arn, comment, runtime, key_value_store_arn, created_time, last_modified_time,
        EXISTS (
            SELECT 1 FROM function_stages AS live WHERE live.name = stages.name AND live.stage = 'LIVE'
        ) AS published
    FROM function_stages AS stages
"""
"""Selects the columns of `function_summary` for every stage of every function. A WHERE may follow."""


def required_stage(arguments: Mapping[str, Any]) -> str:
    """Returns the requested stage, by default DEVELOPMENT.

    Raises:
        CloudFrontError: InvalidArgument.
    """
    stage: str = arguments.get("Stage", DEVELOPMENT)
    if stage not in (DEVELOPMENT, LIVE):
        raise invalid_argument("Stage must be DEVELOPMENT or LIVE.")
    return stage


def function_row(connection: sqlite3.Connection, name: str, stage: str = DEVELOPMENT) -> sqlite3.Row:
    """Returns the row of a stage of a function.

    Raises:
        CloudFrontError: NoSuchFunctionExists.
    """
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM function_stages WHERE name = ? AND stage = ?", (name, stage)
    ).fetchone()
    if row is None:
        raise CloudFrontError("NoSuchFunctionExists", 404, f'Function "{name}" does not exist in the stage {stage}.')
    return row


def summary_of(connection: sqlite3.Connection, name: str, stage: str = DEVELOPMENT) -> dict[str, Any]:
    """Returns the FunctionSummary of a stage that exists."""
    return function_summary(connection.execute(f"{SUMMARIES} WHERE name = ? AND stage = ?", (name, stage)).fetchone())


def function_summary(row: sqlite3.Row) -> dict[str, Any]:
    """Returns the FunctionSummary of a row of SUMMARIES."""
    config = {"Comment": row["comment"], "Runtime": row["runtime"]}
    if row["key_value_store_arn"] is not None:
        items = [{"KeyValueStoreARN": row["key_value_store_arn"]}]
        config["KeyValueStoreAssociations"] = {"Quantity": len(items), "Items": items}
    return {
        "Name": row["name"],
        # ASSOCIATED is impossible, because this backend has no distributions.
        "Status": "UNASSOCIATED" if row["published"] else "UNPUBLISHED",
        "FunctionConfig": config,
        "FunctionMetadata": {
            "FunctionARN": row["arn"],
            "Stage": row["stage"],
            "CreatedTime": from_milliseconds(row["created_time"]),
            "LastModifiedTime": from_milliseconds(row["last_modified_time"]),
        },
    }


def associated_store(config: Mapping[str, Any]) -> str | None:
    """Checks the associations of a FunctionConfig, without a query, and returns the ARN of its store, or None.

    Raises:
        CloudFrontError: InvalidArgument.
    """
    associations = config.get("KeyValueStoreAssociations", {"Quantity": 0})
    items = associations.get("Items", [])
    if associations["Quantity"] != len(items):
        raise invalid_argument(f"Quantity is {associations['Quantity']}; it must be {len(items)}, the number of Items.")
    if not items:
        return None
    if len(items) > limits.ASSOCIATIONS_MAX:
        raise invalid_argument(
            f"The function has {len(items)} key value stores; at most {limits.ASSOCIATIONS_MAX} is allowed."
        )
    if config["Runtime"] != ASSOCIATION_RUNTIME:
        raise invalid_argument(f"A function with a key value store must use the runtime {ASSOCIATION_RUNTIME}.")
    arn: str = items[0]["KeyValueStoreARN"]
    return arn


def require_ready(connection: sqlite3.Connection, store_arn: str | None, now: datetime) -> None:
    """Checks that a store can be associated with a function; None, for a function without a store, is valid.

    Raises:
        CloudFrontError: InvalidArgument.
    """
    if store_arn is None:
        return
    store = store_by_arn(connection, store_arn, now)
    if store is None or store["status"] != READY:
        raise invalid_argument("The associated key value store does not exist or is not READY.")
