"""Runs CloudFront functions for TestFunction, each in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import secrets
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import event as events
from . import output as outputs
from . import process
from .model import RUNTIME_1, RUNTIME_2, Limits, Run, RunnerError, StoreFacts
from .syntax import UnsupportedSyntaxError, prepared

ENGINE = "_quickjs"
"""The engine's module, of the distribution quickjs-ng."""

COULD_NOT_RUN = "The CloudFront function associated with the CloudFront distribution is invalid or could not run. "
"""CloudFront's own words, before the text of the error."""

_HERE = Path(__file__).parent
_RESULT_BYTES = 16
"""Bytes of the worker's result for each byte of output and logs: twice JSON, which may escape each."""

_FIXED_RESULT_BYTES = 64 * 1024
_MAX_ERROR_CHARACTERS = 1000


class Runner:
    """Runs functions. May be used by many threads at once.

    Args:
        limits: what a function may use up.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        folder = _HERE / "scripts"
        self._scripts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.js"))}
        self._builtins = json.loads((folder / "builtins.json").read_text(encoding="utf-8"))

    def run(
        self,
        code: bytes,
        runtime: str,
        event: bytes,
        key_values: Mapping[str, str] | None,
        store: StoreFacts | None = None,
    ) -> Run:
        """Runs a function once, and blocks until it is over, at most `wall_seconds`.

        Args:
            code: the function, UTF-8.
            runtime: `cloudfront-js-1.0` or `cloudfront-js-2.0`.
            event: a JSON object.
            key_values: what the associated store holds; None where none is associated.
            store: what else is known of the store; without it `meta()` fails, and `kvs()` takes any id.

        Raises:
            InvalidEventError: CloudFront gives no such event to a function.
            RunnerError: the runner failed, not the function.
        """
        if runtime not in (RUNTIME_1, RUNTIME_2):
            raise RunnerError(f"There is no runtime {runtime!r}.")
        given = events.read(event)
        try:
            text = code.decode("utf-8")
            module_name = f"cloudfront_{secrets.token_hex(8)}"
            script, has_module = prepared(text, runtime, module_name)
        except UnicodeDecodeError:
            return self._failed("SyntaxError: the code is not UTF-8")
        except UnsupportedSyntaxError as refused:
            return self._failed(f"SyntaxError: {refused}")
        request = {
            "scripts": self._for_runtime(runtime),
            "allowed": self._allowed(runtime),
            "config": {
                "isAsync": runtime == RUNTIME_2,
                "eventType": given["context"]["eventType"],
                "maxLogCharacters": self._limits.log_bytes,
                "startMilliseconds": int(time.time() * 1000),
                "cloudfrontName": module_name if has_module else None,
                "store": None if key_values is None else _store(store),
            },
            "code": script,
            "event": json.dumps(given),
            "keyValues": None if key_values is None else dict(key_values),
            "memoryBytes": self._limits.memory_bytes,
            "cpuSeconds": self._limits.cpu_seconds,
        }
        result = self._result(json.dumps(request).encode("ascii"))
        return self._answer(result, given)

    def _for_runtime(self, runtime: str) -> dict[str, str]:
        scripts = dict(self._scripts)
        scripts["runtime"] = scripts["runtime10" if runtime == RUNTIME_1 else "runtime20"]
        return scripts

    def _allowed(self, runtime: str) -> dict[str, list[str]]:
        parts = [self._builtins[part] for part in ("es5", "both", runtime)]
        paths = {path for part in parts for path in part}
        return {path: [name for part in parts for name in part.get(path, [])] for path in paths}

    def _result(self, request: bytes) -> dict[str, Any]:
        """What the worker answers; `state` is `crash` where the function ended it."""
        limits = self._limits
        bound = _FIXED_RESULT_BYTES + _RESULT_BYTES * (limits.output_bytes + limits.log_bytes)
        try:
            ended = process.run(_command(), request, seconds=limits.wall_seconds, max_output_bytes=bound)
        except OSError as error:
            raise RunnerError(f"The process that runs functions could not start: {error.strerror}.") from None
        lines = ended.output.splitlines() or [b"{}"]
        first = _parsed(lines[0])
        if "failure" in first:
            raise RunnerError(f"The JavaScript engine could not be loaded: {first['failure']}.")
        if "ready" not in first:
            reason = "in time" if ended.is_late else f"(exit code {ended.exit_code})"
            raise RunnerError(f"The process that runs functions did not begin {reason}.")
        if ended.is_long:
            return {"state": "long"}
        if ended.is_late:
            return {"state": "time"}
        return (_parsed(lines[1]) if len(lines) > 1 else {}) or {"state": "crash"}

    def _answer(self, result: Mapping[str, Any], given: Mapping[str, Any]) -> Run:
        state, text = result["state"], result.get("text", "")
        logs = _capped(result.get("logs", []), self._limits.log_bytes)
        spent = result.get("cpuSeconds", self._limits.cpu_seconds)
        # Some platforms count CPU time coarsely, and no function takes none.
        utilization = min(max(math.ceil(100 * spent / self._limits.cpu_seconds), 1), 100)
        if state == "done":
            try:
                if len(text.encode()) > self._limits.output_bytes:
                    return self._failed("Error: the function returned too much", logs, utilization)
                return Run(outputs.read(text, given), None, logs, utilization)
            except outputs.InvalidOutputError as invalid:
                return Run(None, str(invalid), logs, utilization)
        reason = {
            "time": "Error: the function exceeded the allowed time",
            "memory": "Error: the function exceeded the allowed memory",
            "long": "Error: the function returned too much",
            "crash": "Error: the function ended the process that it ran in",
            "pending": "Error: the function returned a promise that is never settled",
        }.get(state, text)
        line = f" in {result['line']}" if result.get("line") else ""
        return self._failed(f"{reason}{line}", logs, 100 if state in ("time", "crash") else utilization)

    def _failed(self, reason: str, logs: list[str] | None = None, utilization: int = 0) -> Run:
        return Run(None, COULD_NOT_RUN + _printable(reason)[:_MAX_ERROR_CHARACTERS], logs or [], utilization)


def _command() -> list[str]:
    if os.name != "posix":
        raise RunnerError("Functions can be run on Linux and macOS only.")
    engine = importlib.util.find_spec(ENGINE)
    if engine is None or engine.origin is None:
        raise RunnerError("The JavaScript engine is not installed; install quickjs-ng.")
    if not sys.executable:
        raise RunnerError("There is no Python to start the process with that runs functions.")
    # Isolated and without the site module: no setting, file or folder of the user is read.
    return [sys.executable, "-I", "-S", str(_HERE / "worker.py"), str(Path(engine.origin).parent)]


def _store(store: StoreFacts | None) -> dict[str, str | None]:
    if store is None:
        return {"id": None, "created": None, "updated": None}
    return {"id": store.id, "created": store.creation_date_time, "updated": store.last_updated_date_time}


def _parsed(line: bytes) -> dict[str, Any]:
    """A line of the worker's; empty when it is none."""
    try:
        document = json.loads(line)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _capped(lines: list[str], limit: int) -> list[str]:
    """The lines, cut where they pass `limit` bytes, a line break counted for each."""
    kept = []
    for line in lines:
        if limit <= 0:
            break
        content = _printable(line).encode()
        kept.append(content[:limit].decode(errors="ignore"))
        limit -= len(content) + 1
    return kept


def _printable(text: str) -> str:
    """The text without halves of surrogate pairs, which UTF-8 has not."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
