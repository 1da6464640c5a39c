"""Runs CloudFront functions for TestFunction, each in a process of its own."""

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
from .sandbox import RUNTIME_1, RUNTIME_2

ENGINE = "_quickjs"
"""The engine's module, of the distribution quickjs-ng."""

COULD_NOT_RUN = "The CloudFront function associated with the CloudFront distribution is invalid or could not run. "
"""CloudFront's own words, before the text of the error."""

_HERE = Path(__file__).parent
_START = "import sys; sys.path.append(sys.argv[1]); from sandbox.worker import main; sys.exit(main())"
_STORE_PART_PAIRS = 256
"""So that no other thread waits long while a store is put into JSON: a value has at most 1 KB."""

_READY_BYTES = 1024
_FIXED_LINE_BYTES = 32 * 1024
_LINE_BYTES = 8
"""Bytes of the line of an answer for each byte of logs: JSON in ASCII has at most six for a control character, and four
for an empty line."""

_FIXED_OUTPUT_BYTES = 1024
_OUTPUT_BYTES = 3
"""Bytes of ASCII for each byte of UTF-8, in JSON."""


class Runner:
    """Runs functions. May be used by many threads at once.

    Args:
        limits: what a function may use up.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        folder = _HERE / "scripts"
        scripts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.js"))}
        builtins = json.loads((folder / "builtins.json").read_text(encoding="utf-8"))
        self._static = {name: _static(name, scripts, builtins) for name in (RUNTIME_1, RUNTIME_2)}

    def run(
        self,
        code: bytes,
        runtime: str,
        event: bytes,
        key_values: Mapping[str, str] | None,
        store: StoreMetadata | None = None,
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
        static = self._static.get(runtime)
        if static is None:
            raise RunnerError(f"There is no runtime {runtime!r}.")
        parts = [static, code, event, *_store_parts(key_values or {})]
        head = {
            "sizes": [len(part) for part in parts],
            "runtime": runtime,
            "isStoreOpen": key_values is not None,
            "store": _store(store),
            "moduleName": f"cloudfront_{secrets.token_hex(8)}",
            "startMilliseconds": int(time.time() * 1000),
            "memoryBytes": self._limits.memory_bytes,
            "cpuSeconds": self._limits.cpu_seconds,
            "logBytes": self._limits.log_bytes,
            "outputBytes": self._limits.output_bytes,
        }
        return self._run(*self._answer(b"".join([json.dumps(head).encode("ascii"), b"\n", *parts])))

    def _answer(self, request: bytes) -> tuple[dict[str, Any], bytes]:
        """The line of the worker's answer, and the output; `state` is `crash` where the function ended the worker."""
        limits = self._limits
        line_bytes = _FIXED_LINE_BYTES + _LINE_BYTES * limits.log_bytes
        bound = _READY_BYTES + line_bytes + _FIXED_OUTPUT_BYTES + _OUTPUT_BYTES * limits.output_bytes
        try:
            ended = process.run(_command(), request, seconds=limits.wall_seconds, max_output_bytes=bound)
        except OSError as error:
            raise RunnerError(f"The process that runs functions could not start: {error.strerror}.") from None
        ready, _, rest = ended.output.partition(b"\n")
        first = _parsed(ready[:_READY_BYTES])
        if "failure" in first:
            raise RunnerError(f"The JavaScript engine could not be loaded: {first['failure']}.")
        if "ready" not in first:
            reason = "in time" if ended.timed_out else f"(exit code {ended.exit_code})"
            raise RunnerError(f"The process that runs functions did not begin {reason}.")
        if ended.output_exceeded:
            return {"state": "output"}, b""
        if ended.timed_out:
            return {"state": "late"}, b""
        return _split(rest, line_bytes)

    def _run(self, result: Mapping[str, Any], output: bytes) -> Run:
        limits = self._limits
        state, text, logs = result["state"], result.get("text", ""), result.get("logs", [])
        if state == "event":
            raise InvalidEventError(text)
        if state == "refused":
            return Run(None, COULD_NOT_RUN + text, [], 0)
        spent = result.get("cpuSeconds", limits.cpu_seconds)
        # Some platforms count CPU time coarsely, and no function takes none.
        utilization = min(max(math.ceil(100 * spent / limits.cpu_seconds), 1), 100)
        if state == "done":
            return Run(output.decode("ascii"), None, logs, utilization)
        if state == "invalid":
            return Run(None, text, logs, utilization)
        memory = f"Error: the function exceeded the allowed memory, {_size(limits.memory_bytes)}"
        reason = {
            "time": f"Error: the function exceeded the allowed time, {limits.cpu_seconds * 1000:g} ms of CPU time",
            "late": f"Error: the function exceeded the allowed time, {limits.wall_seconds:g} s in all",
            "memory": memory,
            "null": f"{memory}, or threw null",
            "output": f"Error: the function exceeded the allowed output, {_size(limits.output_bytes)} as JSON",
            "crash": "Error: the function ended the process that it ran in",
            "pending": "Error: the function returned a promise that is never settled",
        }.get(state, text)
        line = f" in {result['line']}" if reason is text and result.get("line") else ""
        return Run(None, f"{COULD_NOT_RUN}{reason}{line}", logs, 100 if state in _ENDED else utilization)


_ENDED = ("time", "late", "crash")


def _static(runtime: str, scripts: Mapping[str, str], builtins: Mapping[str, Any]) -> bytes:
    """What each run of a runtime is given besides."""
    groups = [builtins[group] for group in ("es5", "both", runtime)]
    paths = {path for group in groups for path in group}
    allowed = {path: [name for group in groups for name in group.get(path, [])] for path in paths}
    own = scripts["runtime10" if runtime == RUNTIME_1 else "runtime20"]
    return json.dumps({"scripts": {**scripts, "runtime": own}, "allowed": allowed}).encode("ascii")


def _command() -> list[str]:
    if os.name != "posix":
        raise RunnerError("Functions can be run on Linux and macOS only.")
    engine = importlib.util.find_spec(ENGINE)
    if engine is None or engine.origin is None:
        raise RunnerError("The JavaScript engine is not installed; install quickjs-ng.")
    if not sys.executable:
        raise RunnerError("There is no Python to start the process with that runs functions.")
    # Isolated and without the site module: no setting, file or folder of the user is read.
    return [sys.executable, "-I", "-S", "-c", _START, str(_HERE), str(Path(engine.origin).parent)]


def _store_parts(key_values: Mapping[str, str]) -> Iterator[bytes]:
    pairs = iter(key_values.items())
    while part := dict(itertools.islice(pairs, _STORE_PART_PAIRS)):
        yield json.dumps(part).encode("ascii")


def _store(store: StoreMetadata | None) -> dict[str, str | None]:
    if store is None:
        return {"id": None, "created": None, "updated": None}
    return {"id": store.id, "created": store.creation_date_time, "updated": store.last_updated_date_time}


def _split(answer: bytes, max_line_bytes: int) -> tuple[dict[str, Any], bytes]:
    """The line and the output of the worker's answer; `state` is `crash` where it has none."""
    line, _, output = answer.partition(b"\n")
    document = _parsed(line) if len(line) <= max_line_bytes else {}
    return (document, output) if "state" in document else ({"state": "crash"}, b"")


def _parsed(line: bytes) -> dict[str, Any]:
    """A line of the worker's; empty when it is none."""
    try:
        document = json.loads(line)
    # RecursionError is a line that is nested too deeply.
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _size(count: int) -> str:
    for unit, name in ((1024 * 1024, "MiB"), (1024, "KiB")):
        if count % unit == 0:
            return f"{count // unit} {name}"
    return f"{count} bytes"
