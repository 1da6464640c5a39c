"""Queries of key value stores, which both planes and functions use."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from .responses import to_milliseconds

READY = "READY"

STORES = """
    SELECT * FROM (
        SELECT *, CASE WHEN ready_time <= :now THEN 'READY' ELSE 'PROVISIONING' END AS status FROM key_value_stores
    )
"""
"""Selects all stores with their `status`. A WHERE may follow; `:now` is in milliseconds."""


def store_by_name(connection: sqlite3.Connection, name: str, now: datetime) -> sqlite3.Row | None:
    """Returns the store with its `status`; None if it does not exist."""
    parameters = {"now": to_milliseconds(now), "name": name}
    row: sqlite3.Row | None = connection.execute(f"{STORES} WHERE name = :name", parameters).fetchone()
    return row


def store_by_arn(connection: sqlite3.Connection, arn: str, now: datetime) -> sqlite3.Row | None:
    """Returns the store with its `status`; None if it does not exist."""
    parameters = {"now": to_milliseconds(now), "arn": arn}
    row: sqlite3.Row | None = connection.execute(f"{STORES} WHERE arn = :arn", parameters).fetchone()
    return row
