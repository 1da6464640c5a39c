"""The tags of resources, by ARN."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from .answers import RefusedError
from .database import Database

MAX_TAGS = 50
"""Tags of one resource. Source: the AWS General Reference's tagging rules."""

RESERVED_PREFIX = "aws:"
"""Tag keys that only AWS gives, in any case. Source: the same."""

Tag = Mapping[str, str]
"""`Key`, and `Value` unless it is absent."""


class Tags:
    """The operations on tags."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """ListTagsForResource: `Tags` with `Items`, in the order in which they were given.

        Raises:
            RefusedError: NoSuchResource.
        """
        arn = arguments["Resource"]
        with self._database.reading() as connection:
            if connection.execute("SELECT 1 FROM resources WHERE arn = ?", (arn,)).fetchone() is None:
                raise RefusedError("NoSuchResource", 404, "There is no resource with this ARN.")
            rows = connection.execute("SELECT key, value FROM tags WHERE arn = ? ORDER BY rowid", (arn,)).fetchall()
        return {"Tags": {"Items": [_tag(row) for row in rows]}}


def requested_tags(arguments: Mapping[str, Any]) -> Sequence[Tag]:
    """The tags of a create, found good.

    Raises:
        RefusedError: InvalidTagging.
    """
    tags: Sequence[Tag] = arguments.get("Tags", {}).get("Items", [])
    keys = [tag["Key"] for tag in tags]
    if len(keys) > MAX_TAGS:
        raise _invalid(f"There are {len(keys)} tags; a resource has at most {MAX_TAGS}.")
    if len(set(keys)) < len(keys):
        raise _invalid("A tag key is given more than once.")
    if any(key.lower().startswith(RESERVED_PREFIX) for key in keys):
        raise _invalid(f"Tag keys that start with {RESERVED_PREFIX} are reserved.")
    return tags


def add_resource(connection: sqlite3.Connection, arn: str, tags: Sequence[Tag]) -> None:
    """Makes an ARN known, with its tags."""
    connection.execute("INSERT INTO resources (arn) VALUES (?)", (arn,))
    connection.executemany(
        "INSERT INTO tags (arn, key, value) VALUES (?, ?, ?)",
        [(arn, tag["Key"], tag.get("Value")) for tag in tags],
    )


def _tag(row: sqlite3.Row) -> Tag:
    tag = {"Key": row["key"]}
    return tag if row["value"] is None else {**tag, "Value": row["value"]}


def _invalid(message: str) -> RefusedError:
    return RefusedError("InvalidTagging", 400, message)
