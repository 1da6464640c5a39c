"""TestFunction, which runs a function's code on an event."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ... import limits
from .database import Database
from .function_queries import function_row, required_stage, summary_of
from .responses import CloudFrontError, from_milliseconds, invalid_argument
from .versions import invalid_if_match, require_if_match

if TYPE_CHECKING:
    from ...function_runtime import Run, StoreMetadata

_log = logging.getLogger(__name__)


class CodeRunner(Protocol):
    """Runs the code of functions."""

    def run(
        self,
        code: bytes,
        runtime: str,
        event: bytes,
        key_values: Mapping[str, str] | None,
        store: StoreMetadata | None = None,
    ) -> Run:
        """Runs `code` on `event`; `key_values` and `store` describe the associated store, and are None without one."""


class TestRuns:
    """The TestFunction operation.

    Args:
        database: The database.
        runner: Runs the functions; None selects the runner of `function_runtime`.
    """

    def __init__(self, database: Database, runner: CodeRunner | None) -> None:
        self._database = database
        self._runner = runner

    def test(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Implements TestFunction.

        Returns:
            `TestResult`, with a `FunctionErrorMessage` if the function throws.

        Raises:
            CloudFrontError: InvalidArgument, InvalidIfMatchVersion, NoSuchFunctionExists, TestFunctionFailed.
        """
        name, stage, event = arguments["Name"], required_stage(arguments), arguments["EventObject"]
        version = require_if_match(arguments)
        if len(event) > limits.EVENT_OBJECT_MAX_BYTES:
            raise invalid_argument(
                f"The event has {len(event)} bytes; at most {limits.EVENT_OBJECT_MAX_BYTES} are allowed."
            )
        with self._database.reading() as connection:
            function = function_row(connection, name, stage)
            # The service model has no PreconditionFailed for TestFunction.
            if version != function["etag"]:
                raise invalid_if_match()
            summary = summary_of(connection, name, stage)
            store = _store(connection, function["key_value_store_arn"])
        # After the transaction, so that a running function does not block other operations.
        run = self._run(function, event, *store)
        return {
            "TestResult": {
                "FunctionSummary": summary,
                "ComputeUtilization": str(run.compute_utilization),
                "FunctionExecutionLogs": list(run.logs),
                "FunctionErrorMessage": run.error_message or "",
                "FunctionOutput": run.output or "",
            }
        }

    def warn_if_unprotected(self) -> None:
        """Logs a warning if the platform cannot confine the processes of functions, or cannot start them."""
        from ...function_runtime import Runner, RunnerError

        try:
            missing = Runner().missing_protection()
        except RunnerError as error:
            _log.warning("functions cannot be tested: %s", error)
            return
        if missing:
            _log.warning("functions run with less protection, because the kernel lacks: %s", ", ".join(missing))

    def _run(
        self, function: sqlite3.Row, event: bytes, key_values: Mapping[str, str] | None, store: StoreMetadata | None
    ) -> Run:
        # Imported lazily, because most servers never test a function.
        from ...function_runtime import InvalidEventError, Runner, RunnerError

        if self._runner is None:
            self._runner = Runner()
        try:
            return self._runner.run(function["code"], function["runtime"], event, key_values, store)
        except InvalidEventError as error:
            raise invalid_argument(str(error)) from None
        except RunnerError as error:
            _log.warning("the function runner failed: %s", error)
            raise CloudFrontError("TestFunctionFailed", 500, "The function could not be tested.") from error


def _store(connection: sqlite3.Connection, arn: str | None) -> tuple[dict[str, str], StoreMetadata] | tuple[None, None]:
    """Returns the key value pairs and the metadata of the associated store; None and None without one."""
    from ...function_runtime import StoreMetadata

    if arn is None:
        return None, None
    row = connection.execute("SELECT * FROM key_value_stores WHERE arn = ?", (arn,)).fetchone()
    pairs = connection.execute("SELECT key, value FROM key_values WHERE arn = ?", (arn,))
    return dict(pairs), StoreMetadata(
        id=arn.rpartition("/")[2],
        creation_date_time=_iso(row["created_time"]),
        last_updated_date_time=_iso(row["data_last_modified_time"]),
    )


def _iso(milliseconds: int) -> str:
    return from_milliseconds(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
