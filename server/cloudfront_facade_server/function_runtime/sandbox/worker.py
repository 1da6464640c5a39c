"""Runs one function, in a separate process. Only the standard library and the engine are available.

Standard input: the request, as `handle` expects it. Standard output: a line that reports whether the engine was loaded
and which layers of the confinement are missing, then the response. The arguments are the folders of this package and of
the engine's module.

The function cannot reach any Python object. Its requests to the key value store are text; the worker reads them and
passes the values back.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time

from . import RUNTIME_2, State
from .confinement import confine
from .event import EventError, parse_event
from .output import InvalidOutputError, format_output
from .syntax import Script, UnsupportedSyntaxError, to_script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

EPILOGUE_BYTES = 8 * 1024 * 1024
"""Added to the memory limit after the function has ended, so that its result can be read."""

EPILOGUE_SECONDS = 0.2

_CHUNK_BYTES = 64 * 1024

MAX_TEXT_CHARACTERS = 1000
"""Maximum length of an error's text."""

_OUT_OF_MEMORY = "InternalError: out of memory"
_INTERRUPTED = "InternalError: interrupted"
_FULL_BYTES = 4 * 1024
"""If less memory than this is left, the engine cannot create an error."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_ERROR_NAME = re.compile(r"[A-Za-z]\w*Error")


class Clock:
    """Measures the function's CPU time, starting when the clock is created.

    Args:
        engine: The engine that the function runs in.
        allowed: Limit of CPU time, in seconds.
    """

    def __init__(self, engine: Any, allowed: float) -> None:
        self._engine = engine
        self._allowed = allowed
        self._start = time.process_time()

    @property
    def spent(self) -> float:
        """CPU time since the start, in seconds. Not a sum of intervals, because some platforms have a coarse clock."""
        return time.process_time() - self._start

    @property
    def is_over(self) -> bool:
        """Whether the allowed time is used up."""
        return self.spent >= self._allowed

    def run(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Calls into the engine with the remaining time as its limit.

        Raises:
            TimeoutError: The allowed time is used up.
        """
        remaining = self._allowed - self.spent
        if remaining <= 0:
            raise TimeoutError
        # The engine's limit counts from the start of each call.
        self._engine.set_time_limit(remaining)
        return call(*arguments)


def handle(request: bytes, context: Callable[[], Any]) -> bytes:
    """Checks the event and the code, runs the function once, and checks what it returned.

    Args:
        request: A line of JSON, then parts without separators, whose sizes it lists. The line contains `sizes`;
            `runtime`; `hasStore` and `store`, the metadata for `kvs()` and `meta()`; `moduleName`, an unguessable name
            of a global variable; `startMilliseconds`; `memoryBytes`, `cpuSeconds`, `logBytes` and `outputBytes`. The
            parts are a JSON object with `scripts`, by name, and `allowed`, for `prune.js`; the function; the event; and
            JSON objects of key value pairs.
        context: Creates an engine.

    Returns:
        A line of JSON, then the function's output if it has one, both ASCII. The line contains `state`, a `State`;
        `text`, the error of the event, the code, the output or the function; `line`, the line of a syntax error, or 0;
        `logs`; and `cpuSeconds`, the CPU time of the run.
    """
    line, output = _handle(request, context)
    line["text"] = _printable(line["text"])[:MAX_TEXT_CHARACTERS]
    return json.dumps(line).encode("ascii") + b"\n" + output.encode("ascii")


def _handle(request: bytes, context: Callable[[], Any]) -> tuple[dict[str, Any], str]:
    """Returns the line of the response, and the output."""
    first, _, rest = request.partition(b"\n")
    head = json.loads(first)
    parts, position = [], 0
    for size in head["sizes"]:
        parts.append(rest[position : position + size])
        position += size
    static, code, event_json, *pairs = parts
    line: dict[str, Any] = {"state": State.INVALID_CODE, "text": "", "line": 0, "logs": [], "cpuSeconds": 0}
    try:
        event = parse_event(event_json)
        script = to_script(code.decode("utf-8"), head["runtime"], head["moduleName"])
    except EventError as error:
        return line | {"state": State.INVALID_EVENT, "text": str(error)}, ""
    except UnicodeDecodeError:
        return line | {"text": "SyntaxError: the code is not UTF-8"}, ""
    except UnsupportedSyntaxError as error:
        return line | {"text": f"SyntaxError: {error}"}, ""
    key_values: dict[str, str] = {}
    for part in pairs:
        key_values |= json.loads(part)
    config = {
        "isAsync": head["runtime"] == RUNTIME_2,
        "eventType": event["context"]["eventType"],
        "maxLogCharacters": head["logBytes"],
        "startMilliseconds": head["startMilliseconds"],
        "cloudfrontName": head["moduleName"] if script.imports_cloudfront else None,
        "store": head["store"] if head["hasStore"] else None,
    }
    engine = context()
    host = _load_scripts(engine, json.loads(static), config)
    line = _execute(engine, host, head, script, json.dumps(event), key_values)
    line["logs"] = _truncate(line["logs"], head["logBytes"])
    if line["state"] != State.COMPLETED:
        return line, ""
    returned = line["text"]
    line["text"] = ""
    if len(returned.encode()) > head["outputBytes"]:
        return line | {"state": State.OUTPUT_EXCEEDED}, ""
    try:
        return line, format_output(returned, event)
    except InvalidOutputError as error:
        return line | {"state": State.INVALID_OUTPUT, "text": str(error)}, ""


def _execute(
    engine: Any,
    host: Any,
    head: Mapping[str, Any],
    script: Script,
    event: str,
    key_values: Mapping[str, str],
) -> dict[str, Any]:
    """Returns the line of the response; if the state is COMPLETED, `text` is the returned value as JSON."""
    memory = engine.memory()["malloc_size"] + head["memoryBytes"]
    engine.set_memory_limit(memory)
    clock = Clock(engine, head["cpuSeconds"])
    state = text = ""
    try:
        clock.run(host, "start", json.dumps(script.text), event)
        _settle(engine, host, clock, key_values)
    # Only two errors, which JavaScript cannot catch, are raised here: no time left, and no memory left in host.js.
    except Exception as error:  # noqa: BLE001
        text = str(error).partition("\n")[0]
        # The engine's clock may be slightly ahead of `clock`.
        state = State.CPU_TIME_EXCEEDED if clock.is_over or text == _INTERRUPTED else State.MEMORY_EXCEEDED
    spent, is_over = clock.spent, clock.is_over
    is_full = memory - engine.memory()["malloc_size"] < _FULL_BYTES
    engine.set_memory_limit(memory + EPILOGUE_BYTES)
    engine.set_time_limit(EPILOGUE_SECONDS)
    line: dict[str, Any] = {"state": state, "text": text, "line": 0, "cpuSeconds": spent}
    if not state:
        state, text = host("state"), json.loads(host("text"))
        # If the function could have thrown null, only full memory proves that the engine did.
        is_out_of_memory = (
            is_full if state == State.PENDING else state == State.THREW_NULL and (is_full or not script.may_throw_null)
        )
        if is_over:
            state = State.CPU_TIME_EXCEEDED
        elif is_out_of_memory or (state != State.COMPLETED and text == _OUT_OF_MEMORY):
            state = State.MEMORY_EXCEEDED
        line |= {"state": state, "text": text, "line": _syntax_error_line(text, json.loads(host("stack")))}
    line["logs"] = [json.loads(entry) for entry in _split_lines(json.loads(host("logs")))]
    return line


def _load_scripts(engine: Any, static: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
    scripts = static["scripts"]
    run = engine.eval(
        """(function (host, bytes, buffer, numbers, runtime, crypto, querystring, prune, cloudfront, config, allowed) {
          config = JSON.parse(config);
          const call = host(config);
          const tools = runtime(config, bytes, buffer, numbers);
          const modules = Object.assign(Object.create(null), tools.modules);
          modules.crypto = crypto(bytes, tools.bytesOf, tools.wrap);
          modules.querystring = querystring;
          prune(JSON.parse(allowed));
          cloudfront(config, modules);
          return call;
        })"""
    )
    names = ("host", "bytes", "buffer", "buffer_numbers", "runtime", "crypto", "querystring", "prune", "cloudfront")
    return run(*(engine.eval(scripts[name]) for name in names), json.dumps(config), json.dumps(static["allowed"]))


def _settle(engine: Any, host: Any, clock: Clock, key_values: Mapping[str, str]) -> None:
    """Runs the function's pending jobs and resolves its requests to the key value store, until none are left."""
    while True:
        while clock.run(engine.execute_pending_job):
            pass
        requests = _split_lines(json.loads(clock.run(host, "takeRequests")))
        if not requests:
            return
        for request in requests:
            number, kind, key = request.split(" ", 2)
            value = len(key_values) if kind == "count" else key_values.get(json.loads(key))
            clock.run(host, "resolveRequest", int(number), json.dumps(value))


def _split_lines(text: str) -> list[str]:
    """Splits text at newlines only, because the JSON in a line may contain other line separators."""
    return text.split("\n")[:-1]


def _syntax_error_line(text: str, stack: str) -> int:
    """Returns the line of a syntax error, which the engine puts first in the stack; 0 for other errors."""
    name = _ERROR_NAME.match(text)
    if not name or name[0] != "SyntaxError":
        return 0
    line = re.search(r":(\d+)(?::\d+)?\)?\s*$", stack.split("\n", 1)[0])
    return int(line[1]) if line else 0


def _truncate(lines: list[str], limit: int) -> list[str]:
    """Returns the first lines, up to `limit` bytes, line breaks included."""
    kept = []
    for line in lines:
        if limit <= 0:
            break
        content = _printable(line).encode()
        kept.append(content[:limit].decode(errors="ignore"))
        limit -= len(content) + 1
    return kept


def _printable(text: str) -> str:
    """Replaces unpaired surrogates, which UTF-8 cannot encode."""
    return _SURROGATE.sub("\ufffd", text)


def _read() -> bytes:
    """Returns the whole standard input. Not `sys.stdin`, which needs more system calls than are allowed."""
    chunks = []
    while chunk := os.read(0, _CHUNK_BYTES):
        chunks.append(chunk)
    return b"".join(chunks)


def _write(message: bytes) -> None:
    unsent = memoryview(message)
    while unsent:
        unsent = unsent[os.write(1, unsent) :]


def main() -> int:
    """Reads the request, runs the function, and writes the response.

    Returns:
        The exit code.
    """
    sys.path.append(sys.argv[2])
    try:
        import _quickjs
    except ImportError as error:
        _write(json.dumps({"failure": str(error)}).encode("ascii") + b"\n")
        return 1
    missing = confine()
    _write(json.dumps({"ready": True, "missing": missing}).encode("ascii") + b"\n")
    if request := _read():
        _write(handle(request, _quickjs.Context))
    return 0
