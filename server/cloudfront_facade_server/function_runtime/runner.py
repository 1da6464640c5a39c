"""Runs CloudFront functions, each in a separate process."""

from __future__ import annotations

import importlib.util
import itertools
import json
import math
import os
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import process
from .model import InvalidEventError, Limits, Run, RunnerError, StoreMetadata
from .sandbox import RUNTIME_1, RUNTIME_2, State

ENGINE = "_quickjs"
"""The engine's module, which the distribution quickjs-ng installs."""

COULD_NOT_RUN = "The CloudFront function associated with the CloudFront distribution is invalid or could not run. "
"""CloudFront's own message, which is followed by the error."""

_HERE = Path(__file__).parent
_BOOTSTRAP = "import os, sys; sys.path.append(sys.argv[1]); from sandbox.worker import main; os._exit(main())"
"""Without Python's own clean-up at the end, which needs more system calls than are allowed."""

_STORE_CHUNK_PAIRS = 256
"""Number of pairs per call of the JSON encoder, which holds the GIL, so that a store of 5 MB does not block threads."""

_READY_BYTES = 1024
_FIXED_LINE_BYTES = 32 * 1024
_LINE_BYTES_PER_LOG_BYTE = 8
"""Upper bound. In ASCII JSON, a control character takes six bytes, and an empty line takes four."""

_FIXED_OUTPUT_BYTES = 1024
_JSON_BYTES_PER_OUTPUT_BYTE = 3
"""Upper bound for ASCII JSON of output in UTF-8."""

_FULL_UTILIZATION = (State.CPU_TIME_EXCEEDED, State.TIMEOUT, State.CRASHED)


class Runner:
    """Runs functions. Thread-safe.

    Args:
        limits: The resources that one run may use.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        folder = _HERE / "scripts"
        scripts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.js"))}
        builtins = json.loads((folder / "builtins.json").read_text(encoding="utf-8"))
        self._static = {name: _static_part(name, scripts, builtins) for name in (RUNTIME_1, RUNTIME_2)}

    def run(
        self,
        code: bytes,
        runtime: str,
        event: bytes,
        key_values: Mapping[str, str] | None,
        store: StoreMetadata | None = None,
    ) -> Run:
        """Runs a function once. Blocks until it ends, for at most `wall_seconds`.

        Args:
            code: The function's code in UTF-8.
            runtime: `cloudfront-js-1.0` or `cloudfront-js-2.0`.
            event: A JSON object.
            key_values: The keys and values of the associated store; None if no store is associated.
            store: The metadata of the store. Without it, `meta()` fails, and `kvs()` accepts any id.

        Returns:
            The result, even if the function fails.

        Raises:
            InvalidEventError: CloudFront would not pass this event to a function.
            RunnerError: The runner failed, not the function.
        """
        static = self._static.get(runtime)
        if static is None:
            raise RunnerError(f'Unknown runtime "{runtime}"; allowed: {RUNTIME_1} and {RUNTIME_2}.')
        parts = [static, code, event, *_store_chunks(key_values or {})]
        head = {
            "sizes": [len(part) for part in parts],
            "runtime": runtime,
            "hasStore": key_values is not None,
            "store": _store_members(store),
            "moduleName": f"cloudfront_{secrets.token_hex(8)}",
            "startMilliseconds": int(time.time() * 1000),
            "memoryBytes": self._limits.memory_bytes,
            "cpuSeconds": self._limits.cpu_seconds,
            "logBytes": self._limits.log_bytes,
            "outputBytes": self._limits.output_bytes,
        }
        return self._result(*self._call_worker(b"".join([json.dumps(head).encode("ascii"), b"\n", *parts])))

    def missing_protection(self) -> list[str]:
        """Starts a process without a function. Blocks for at most `wall_seconds`.

        Returns:
            What the platform does not have of Landlock and seccomp, which confine the process.

        Raises:
            RunnerError: The process failed.
        """
        ready, _ = self._start_worker(b"", max_bytes=_READY_BYTES)
        missing: list[str] = ready["missing"]
        return missing

    def _call_worker(self, request: bytes) -> tuple[dict[str, Any], bytes]:
        """Runs the worker.

        Returns:
            The line of its response, and the function's output. If the function crashed the worker or exceeded a limit
            of the process, the line contains only `state`.
        """
        limits = self._limits
        line_bytes = _FIXED_LINE_BYTES + _LINE_BYTES_PER_LOG_BYTE * limits.log_bytes
        max_bytes = _READY_BYTES + line_bytes + _FIXED_OUTPUT_BYTES + _JSON_BYTES_PER_OUTPUT_BYTE * limits.output_bytes
        _, completed = self._start_worker(request, max_bytes)
        if completed.output_exceeded:
            return {"state": State.OUTPUT_EXCEEDED}, b""
        if completed.timed_out:
            return {"state": State.TIMEOUT}, b""
        return _parse_response(completed.output.partition(b"\n")[2], line_bytes)

    def _start_worker(self, request: bytes, max_bytes: int) -> tuple[dict[str, Any], process.CompletedRun]:
        """Runs the worker, which must become ready; returns the line that reports it, and how the worker ended."""
        limits = self._limits
        try:
            completed = process.run(_command(), request, seconds=limits.wall_seconds, max_output_bytes=max_bytes)
        except OSError as error:
            raise RunnerError(f"The function process could not be started: {error.strerror}.") from None
        first = _json_object(completed.output.partition(b"\n")[0][:_READY_BYTES])
        if "failure" in first:
            raise RunnerError(f"The JavaScript engine could not be loaded: {first['failure']}.")
        if "ready" not in first:
            if completed.timed_out:
                raise RunnerError(f"The function process was not ready within {limits.wall_seconds:g} s.")
            raise RunnerError(f"The function process ended before it was ready (exit code {completed.exit_code}).")
        return first, completed

    def _result(self, line: Mapping[str, Any], output: bytes) -> Run:
        """Converts the worker's response to a result."""
        limits = self._limits
        state, text, logs = line["state"], line.get("text", ""), line.get("logs", [])
        if state == State.INVALID_EVENT:
            raise InvalidEventError(text)
        if state == State.INVALID_CODE:
            return Run(None, COULD_NOT_RUN + text, [], 0)
        spent = line.get("cpuSeconds", limits.cpu_seconds)
        # At least 1, because every function uses CPU time, which the clock of some platforms is too coarse to measure.
        utilization = min(max(math.ceil(100 * spent / limits.cpu_seconds), 1), 100)
        if state == State.COMPLETED:
            return Run(output.decode("ascii"), None, logs, utilization)
        if state == State.INVALID_OUTPUT:
            return Run(None, text, logs, utilization)
        memory = f"Error: the function exceeded the allowed memory, {_size(limits.memory_bytes)}"
        reason = {
            State.CPU_TIME_EXCEEDED: "Error: the function exceeded the allowed time, "
            f"{limits.cpu_seconds * 1000:g} ms of CPU time",
            State.TIMEOUT: "Error: the function exceeded the allowed time, "
            f"{limits.wall_seconds:g} s of wall-clock time",
            State.MEMORY_EXCEEDED: memory,
            State.THREW_NULL: f"{memory}, or threw null",
            State.OUTPUT_EXCEEDED: "Error: the function exceeded the allowed output, "
            f"{_size(limits.output_bytes)} as JSON",
            State.CRASHED: "Error: the function crashed its process",
            State.PENDING: "Error: the function returned a promise that never settles",
        }.get(state, text)
        location = f" in {line['line']}" if reason is text and line.get("line") else ""
        return Run(None, f"{COULD_NOT_RUN}{reason}{location}", logs, 100 if state in _FULL_UTILIZATION else utilization)


def _static_part(runtime: str, scripts: Mapping[str, str], builtins: Mapping[str, Any]) -> bytes:
    """Returns the part of a request that is the same for every run of a runtime."""
    groups = [builtins[group] for group in ("es5", "both", runtime)]
    paths = {path for group in groups for path in group}
    allowed = {path: [name for group in groups for name in group.get(path, [])] for path in paths}
    runtime_script = scripts["runtime10" if runtime == RUNTIME_1 else "runtime20"]
    return json.dumps({"scripts": {**scripts, "runtime": runtime_script}, "allowed": allowed}).encode("ascii")


def _command() -> list[str]:
    if os.name != "posix":
        raise RunnerError("Functions run only on Linux and macOS.")
    engine = importlib.util.find_spec(ENGINE)
    if engine is None or engine.origin is None:
        raise RunnerError("The JavaScript engine is not installed; install quickjs-ng.")
    if not sys.executable:
        raise RunnerError("The path of the Python interpreter is unknown; it is needed to start the function process.")
    # Isolated mode, without the site module: Python ignores the user's environment variables and site-packages.
    return [sys.executable, "-I", "-S", "-c", _BOOTSTRAP, str(_HERE), str(Path(engine.origin).parent)]


def _store_chunks(key_values: Mapping[str, str]) -> Iterator[bytes]:
    pairs = iter(key_values.items())
    while chunk := dict(itertools.islice(pairs, _STORE_CHUNK_PAIRS)):
        yield json.dumps(chunk).encode("ascii")


def _store_members(store: StoreMetadata | None) -> dict[str, str | None]:
    if store is None:
        return {"id": None, "created": None, "updated": None}
    return {"id": store.id, "created": store.creation_date_time, "updated": store.last_updated_date_time}


def _parse_response(response: bytes, max_line_bytes: int) -> tuple[dict[str, Any], bytes]:
    """Returns the line and the output of a response; without a valid line, the state is CRASHED."""
    line, _, output = response.partition(b"\n")
    document = _json_object(line) if len(line) <= max_line_bytes else {}
    return (document, output) if "state" in document else ({"state": State.CRASHED}, b"")


def _json_object(line: bytes) -> dict[str, Any]:
    """Returns the JSON object in a line of the worker; empty if the line does not contain one."""
    try:
        document = json.loads(line)
    # RecursionError: the line is nested too deeply.
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _size(count: int) -> str:
    for unit, name in ((1024 * 1024, "MiB"), (1024, "KiB")):
        if count % unit == 0:
            return f"{count // unit} {name}"
    return f"{count} bytes"
