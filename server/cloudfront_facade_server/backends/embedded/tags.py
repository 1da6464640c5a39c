"""The tags of resources, by ARN."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from ... import limits
from .database import Database
from .responses import CloudFrontError

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
            _require_resource(connection, arn)
            rows = connection.execute("SELECT key, value FROM tags WHERE arn = ? ORDER BY rowid", (arn,)).fetchall()
        return {"Tags": {"Items": [_tag(row) for row in rows]}}

    def add(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """TagResource. A tag that is there already keeps its place and gets the new value.

        Raises:
            RefusedError: InvalidTagging, NoSuchResource.
        """
        arn, tags = arguments["Resource"], requested_tags(arguments)
        with self._database.writing() as connection:
            _require_resource(connection, arn)
            _put(connection, arn, tags)
            (count,) = connection.execute("SELECT count(*) FROM tags WHERE arn = ?", (arn,)).fetchone()
            if count > limits.TAGS_MAX:
                raise _invalid(f"There would be {count} tags; a resource has at most {limits.TAGS_MAX}.")
        return {}

    def remove(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """UntagResource. Keys that are not there are passed over.

        Raises:
            RefusedError: InvalidTagging, NoSuchResource.
        """
        arn, keys = arguments["Resource"], arguments["TagKeys"].get("Items", [])
        _require_unreserved(keys)
        with self._database.writing() as connection:
            _require_resource(connection, arn)
            connection.executemany("DELETE FROM tags WHERE arn = ? AND key = ?", [(arn, key) for key in keys])
        return {}


def requested_tags(arguments: Mapping[str, Any]) -> Sequence[Tag]:
    """The tags of a create or of a TagResource, found good.

    Raises:
        RefusedError: InvalidTagging.
    """
    tags: Sequence[Tag] = arguments.get("Tags", {}).get("Items", [])
    keys = [tag["Key"] for tag in tags]
    if len(keys) > limits.TAGS_MAX:
        raise _invalid(f"There are {len(keys)} tags; a resource has at most {limits.TAGS_MAX}.")
    if len(set(keys)) < len(keys):
        raise _invalid("A tag key is given more than once.")
    _require_unreserved(keys)
    return tags


def add_resource(connection: sqlite3.Connection, arn: str, tags: Sequence[Tag]) -> None:
    """Makes an ARN known, with its tags."""
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
        raise CloudFrontError("NoSuchResource", 404, "There is no resource with this ARN.")


def _require_unreserved(keys: Sequence[str]) -> None:
    if any(key.lower().startswith(limits.TAG_RESERVED_PREFIX) for key in keys):
        raise _invalid(f"Tag keys that start with {limits.TAG_RESERVED_PREFIX} are reserved.")


def _tag(row: sqlite3.Row) -> Tag:
    tag = {"Key": row["key"]}
    return tag if row["value"] is None else {**tag, "Value": row["value"]}


def _invalid(message: str) -> CloudFrontError:
    return CloudFrontError("InvalidTagging", 400, message)
