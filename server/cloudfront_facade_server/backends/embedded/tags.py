"""The tags of resources, by ARN."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from ... import limits
from .database import Database
from .responses import CloudFrontError

Tag = Mapping[str, str]
"""`Key`, and `Value` if the tag has one."""


class Tags:
    """The operations on tags.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Implements ListTagsForResource.

        Returns:
            `Tags` with `Items`, in the order in which they were added.

        Raises:
            CloudFrontError: NoSuchResource.
        """
        arn = arguments["Resource"]
        with self._database.reading() as connection:
            _require_resource(connection, arn)
            rows = connection.execute("SELECT key, value FROM tags WHERE arn = ? ORDER BY rowid", (arn,)).fetchall()
        return {"Tags": {"Items": [_tag(row) for row in rows]}}

    def add(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Implements TagResource. An existing tag keeps its position and gets the new value.

        Raises:
            CloudFrontError: InvalidTagging, NoSuchResource.
        """
        arn, tags = arguments["Resource"], requested_tags(arguments)
        with self._database.writing() as connection:
            _require_resource(connection, arn)
            _put(connection, arn, tags)
            (count,) = connection.execute("SELECT count(*) FROM tags WHERE arn = ?", (arn,)).fetchone()
            if count > limits.TAGS_MAX:
                raise _invalid(f"The resource would have {count} tags; at most {limits.TAGS_MAX} are allowed.")
        return {}

    def remove(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Implements UntagResource. Keys that do not exist are ignored.

        Raises:
            CloudFrontError: InvalidTagging, NoSuchResource.
        """
        arn, keys = arguments["Resource"], arguments["TagKeys"].get("Items", [])
        _require_unreserved(keys)
        with self._database.writing() as connection:
            _require_resource(connection, arn)
            connection.executemany("DELETE FROM tags WHERE arn = ? AND key = ?", [(arn, key) for key in keys])
        return {}


def requested_tags(arguments: Mapping[str, Any]) -> Sequence[Tag]:
    """Checks and returns the tags of a create or of a TagResource.

    Raises:
        CloudFrontError: InvalidTagging.
    """
    tags: Sequence[Tag] = arguments.get("Tags", {}).get("Items", [])
    keys = [tag["Key"] for tag in tags]
    if len(keys) > limits.TAGS_MAX:
        raise _invalid(f"The request has {len(keys)} tags; at most {limits.TAGS_MAX} are allowed.")
    if len(set(keys)) < len(keys):
        raise _invalid("A tag key occurs more than once; keys must be unique.")
    _require_unreserved(keys)
    return tags


def add_resource(connection: sqlite3.Connection, arn: str, tags: Sequence[Tag]) -> None:
    """Adds a resource and its tags."""
    connection.execute("INSERT INTO resources (arn) VALUES (?)", (arn,))
    _put(connection, arn, tags)


def _put(connection: sqlite3.Connection, arn: str, tags: Sequence[Tag]) -> None:
    connection.executemany(
        """
        INSERT INTO tags (arn, key, value) VALUES (?, ?, ?)
        ON CONFLICT (arn, key) DO UPDATE SET value = excluded.value
        """,
        [(arn, tag["Key"], tag.get("Value")) for tag in tags],
    )


def _require_resource(connection: sqlite3.Connection, arn: str) -> None:
    if connection.execute("SELECT 1 FROM resources WHERE arn = ?", (arn,)).fetchone() is None:
        raise CloudFrontError("NoSuchResource", 404, "No resource has this ARN.")


def _require_unreserved(keys: Sequence[str]) -> None:
    if any(key.lower().startswith(limits.TAG_RESERVED_PREFIX) for key in keys):
        raise _invalid(
            f'A tag key must not start with "{limits.TAG_RESERVED_PREFIX}", in any case; AWS reserves this prefix.'
        )


def _tag(row: sqlite3.Row) -> Tag:
    tag = {"Key": row["key"]}
    return tag if row["value"] is None else {**tag, "Value": row["value"]}


def _invalid(message: str) -> CloudFrontError:
    return CloudFrontError("InvalidTagging", 400, message)
