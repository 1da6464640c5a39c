"""The operations on functions and their two stages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any

from botocore.response import StreamingBody

from .database import Database
from .function_queries import (
    DEVELOPMENT,
    LIVE,
    SUMMARIES,
    associated_store,
    function_row,
    function_summary,
    require_ready,
    required_stage,
    summary_of,
)
from .pages import max_items
from .responses import ARN_PREFIX, LOCATION_PREFIX, CloudFrontError, to_milliseconds
from .tags import add_resource, requested_tags
from .versions import check_version, new_etag, require_if_match


class Functions:
    """The operations on functions.

    Args:
        database: The database.
        max_functions: The account's quota of functions.
        max_code_bytes: Maximum size of a function's code.
    """

    def __init__(self, database: Database, *, max_functions: int, max_code_bytes: int) -> None:
        self._database = database
        self._max_functions = max_functions
        self._max_code_bytes = max_code_bytes

    def create(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Implements CreateFunction.

        Returns:
            `FunctionSummary`, `ETag` and `Location`.

        Raises:
            CloudFrontError: FunctionAlreadyExists, FunctionSizeLimitExceeded, InvalidArgument, InvalidTagging,
                TooManyFunctions.
        """
        name = arguments["Name"]
        columns = self._columns(arguments, now)
        tags = requested_tags(arguments)
        arn = f"{ARN_PREFIX}function/{name}"
        with self._database.writing() as connection:
            if connection.execute("SELECT 1 FROM function_stages WHERE name = ?", (name,)).fetchone():
                raise CloudFrontError("FunctionAlreadyExists", 409, f'A function named "{name}" already exists.')
            require_ready(connection, columns["store_arn"], now)
            (count,) = connection.execute("SELECT count(DISTINCT name) FROM function_stages").fetchone()
            if count >= self._max_functions:
                message = f"The account has {count} functions; at most {self._max_functions} are allowed."
                raise CloudFrontError("TooManyFunctions", 400, message)
            add_resource(connection, arn, tags)
            connection.execute(
                """
                INSERT INTO function_stages (
                    name, stage, arn, comment, runtime, key_value_store_arn, code, etag,
                    created_time, last_modified_time
                ) VALUES (:name, :stage, :arn, :comment, :runtime, :store_arn, :code, :etag, :now, :now)
                """,
                {**columns, "arn": arn},
            )
            summary = summary_of(connection, name)
        return {"FunctionSummary": summary, "ETag": columns["etag"], "Location": f"{LOCATION_PREFIX}function/{name}"}

    def describe(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Implements DescribeFunction.

        Returns:
            `FunctionSummary` and `ETag`.

        Raises:
            CloudFrontError: NoSuchFunctionExists.
        """
        name, stage = arguments["Name"], arguments.get("Stage", DEVELOPMENT)
        with self._database.reading() as connection:
            row = function_row(connection, name, stage)
            summary = summary_of(connection, name, stage)
        return {"FunctionSummary": summary, "ETag": row["etag"]}

    def get(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Implements GetFunction.

        Returns:
            `FunctionCode` (a stream), `ETag` and `ContentType`.

        Raises:
            CloudFrontError: NoSuchFunctionExists.
        """
        with self._database.reading() as connection:
            row = function_row(connection, arguments["Name"], arguments.get("Stage", DEVELOPMENT))
        return {
            "FunctionCode": StreamingBody(BytesIO(row["code"]), len(row["code"])),
            "ETag": row["etag"],
            "ContentType": "application/octet-stream",
        }

    def update(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Implements UpdateFunction, which replaces the config and the code of DEVELOPMENT.

        Returns:
            `FunctionSummary` and `ETag`.

        Raises:
            CloudFrontError: FunctionSizeLimitExceeded, InvalidArgument, InvalidIfMatchVersion, NoSuchFunctionExists,
                PreconditionFailed.
        """
        version = require_if_match(arguments)
        columns = self._columns(arguments, now)
        with self._database.writing() as connection:
            check_version(version, function_row(connection, arguments["Name"])["etag"])
            require_ready(connection, columns["store_arn"], now)
            connection.execute(
                """
                UPDATE function_stages SET
                    comment = :comment, runtime = :runtime, key_value_store_arn = :store_arn, code = :code,
                    etag = :etag, last_modified_time = :now
                WHERE name = :name AND stage = :stage
                """,
                columns,
            )
            summary = summary_of(connection, arguments["Name"])
        return {"FunctionSummary": summary, "ETag": columns["etag"]}

    def publish(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Implements PublishFunction, which copies DEVELOPMENT to LIVE. LIVE gets its own ETag.

        Returns:
            The `FunctionSummary` of LIVE.

        Raises:
            CloudFrontError: InvalidIfMatchVersion, NoSuchFunctionExists, PreconditionFailed.
        """
        name, version = arguments["Name"], require_if_match(arguments)
        with self._database.writing() as connection:
            check_version(version, function_row(connection, name)["etag"])
            # LIVE keeps its created_time when it is published again.
            connection.execute(
                """
                INSERT INTO function_stages (
                    name, stage, arn, comment, runtime, key_value_store_arn, code, etag,
                    created_time, last_modified_time
                )
                SELECT name, :live, arn, comment, runtime, key_value_store_arn, code, :etag, :now, :now
                FROM function_stages WHERE name = :name AND stage = :development
                ON CONFLICT (name, stage) DO UPDATE SET
                    comment = excluded.comment, runtime = excluded.runtime,
                    key_value_store_arn = excluded.key_value_store_arn, code = excluded.code,
                    etag = excluded.etag, last_modified_time = excluded.last_modified_time
                """,
                {
                    "name": name,
                    "live": LIVE,
                    "development": DEVELOPMENT,
                    "etag": new_etag(),
                    "now": to_milliseconds(now),
                },
            )
            summary = summary_of(connection, name, LIVE)
        return {"FunctionSummary": summary}

    def delete(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Implements DeleteFunction, which deletes both stages and the tags.

        Raises:
            CloudFrontError: InvalidIfMatchVersion, NoSuchFunctionExists, PreconditionFailed.
        """
        version = require_if_match(arguments)
        with self._database.writing() as connection:
            row = function_row(connection, arguments["Name"])
            check_version(version, row["etag"])
            connection.execute("DELETE FROM resources WHERE arn = ?", (row["arn"],))
        return {}

    def list(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Implements ListFunctions. A marker is the name and stage of the previous page's last item.

        Returns:
            `FunctionList`, sorted by name. Without `Stage`, it contains both stages, DEVELOPMENT before LIVE.

        Raises:
            CloudFrontError: InvalidArgument.
        """
        page_size = max_items(arguments)
        name, _, stage = arguments.get("Marker", "").partition("/")
        with self._database.reading() as connection:
            rows = connection.execute(
                f"""
                {SUMMARIES}
                WHERE (:stage IS NULL OR stage = :stage) AND (name, stage) > (:marked_name, :marked_stage)
                ORDER BY name, stage LIMIT :limit
                """,
                {
                    "stage": required_stage(arguments) if "Stage" in arguments else None,
                    "marked_name": name,
                    # A marker without a stage skips both stages of the name.
                    "marked_stage": stage or LIVE,
                    # One more row than the page has, to find out whether there is another page.
                    "limit": page_size + 1,
                },
            ).fetchall()
        items = [function_summary(row) for row in rows[:page_size]]
        page = {"MaxItems": page_size, "Quantity": len(items), "Items": items}
        if len(rows) > page_size:
            last = rows[page_size - 1]
            page["NextMarker"] = f"{last['name']}/{last['stage']}"
        return {"FunctionList": page}

    def _columns(self, arguments: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Checks the arguments, without a query, and returns the columns of a new version of DEVELOPMENT.

        Raises:
            CloudFrontError: FunctionSizeLimitExceeded, InvalidArgument.
        """
        config, code = arguments["FunctionConfig"], arguments["FunctionCode"]
        if len(code) > self._max_code_bytes:
            message = f"The function code has {len(code)} bytes; at most {self._max_code_bytes} are allowed."
            raise CloudFrontError("FunctionSizeLimitExceeded", 413, message)
        return {
            "name": arguments["Name"],
            "stage": DEVELOPMENT,
            "comment": config["Comment"],
            "runtime": config["Runtime"],
            "store_arn": associated_store(config),
            "code": code,
            "etag": new_etag(),
            "now": to_milliseconds(now),
        }
