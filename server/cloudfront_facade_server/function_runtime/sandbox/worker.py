"""Runs one function in a process of its own, and ends. Loaded with only the standard library and the engine.

Standard input: the request, as `answer` reads it. Standard output: a line that says that the engine is there, then the
answer. The arguments are the folders of this package and of the engine's module.
The function has no object of Python's in its reach: it is asked for what it wants, and told the answer.
"""

from __future__ import annotations

import json
import re
import sys
import time

from . import RUNTIME_2
from . import event as events
from . import output as outputs
from .syntax import Prepared, UnsupportedSyntaxError, prepared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

STACK_BYTES = 256 * 1024
"""The JavaScript stack, well below the C stack of any platform."""

EPILOGUE_BYTES = 8 * 1024 * 1024
"""Added to the memory limit once the function is over, for carrying out what it left."""

EPILOGUE_SECONDS = 0.2

PROCESS_BYTES = 512 * 1024 * 1024
"""Address space of the whole process. The engine's own limit is far below; this is for faults of the engine."""

PROCESS_CPU_SECONDS = 2

MAX_TEXT_CHARACTERS = 1000
"""Of an error."""

_OUT_OF_MEMORY = "InternalError: out of memory"
_INTERRUPTED = "InternalError: interrupted"
_FULL_BYTES = 4 * 1024
"""With less left than this, not even an error can be made."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_NAME = re.compile(r"[A-Za-z]\w*Error")


def limit_process() -> None:
    """Takes from this process what running a function needs not, as far as the platform can."""
    try:
        import resource
    except ImportError:
        return
    for name, value in (
        ("RLIMIT_AS", PROCESS_BYTES),
        ("RLIMIT_CPU", PROCESS_CPU_SECONDS),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_NPROC", 0),
        # Those that are open stay usable.
        ("RLIMIT_NOFILE", 3),
    ):
        # Not with contextlib, which takes long to load.
        try:
            resource.setrlimit(getattr(resource, name), (value, value))
        except (AttributeError, OSError, ValueError):
            continue


class Clock:
    """The function's CPU time, which begins now.

    Args:
        engine: what the function runs in.
        allowed: seconds.
    """

    def __init__(self, engine: Any, allowed: float) -> None:
        self._engine = engine
        self._allowed = allowed
        self._start = time.process_time()

    @property
    def spent(self) -> float:
        """Seconds; one difference of all, for the clock of some platforms is coarse."""
        return time.process_time() - self._start

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self.spent >= self._allowed

    def run(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Calls into the engine, on the function's time.

        Raises:
            TimeoutError: nothing is left.
        """
        left = self._allowed - self.spent
        if left <= 0:
            raise TimeoutError
        # The engine counts each call anew.
        self._engine.set_time_limit(left)
        return call(*arguments)


def answer(given: bytes, context: Callable[[], Any]) -> bytes:
    """Checks what is given, runs the function once, and checks what it returned.

    Args:
        given: a line of JSON, then parts of the sizes that it names, one after the other. The line: `sizes`; `runtime`;
            `isStoreOpen` and `store`, which `kvs()` and `meta()` tell of; `moduleName`, of a global that the function
            cannot guess; `startMilliseconds`; `memoryBytes`, `cpuSeconds`, `logBytes`, `outputBytes`. The parts: JSON
            of `scripts`, by name, and of `allowed`, for `prune.js`; the function; the event; then JSON of key value
            pairs.
        context: makes an engine.

    Returns:
        A line of JSON, then the function's output where there is one, both ASCII. The line: `state`: `done`; `event`,
        `refused`, `invalid`, `unloadable` or `failed`, then `text` is what is wrong with the event, the language, the
        output, or what was thrown, and `line` that of a syntax error or 0; `null`, when that was thrown, or the memory
        ended; `pending`, when the function's promise cannot settle; `time`, `memory` or `output`, when a limit ended
        it. `logs`: lines; `cpuSeconds`: what it took.
    """
    result, output = _judged(given, context)
    result["text"] = _printable(result["text"])[:MAX_TEXT_CHARACTERS]
    return json.dumps(result).encode("ascii") + b"\n" + output.encode("ascii")


def _judged(given: bytes, context: Callable[[], Any]) -> tuple[dict[str, Any], str]:
    """The answer's line, and the output."""
    head, _, rest = given.partition(b"\n")
    request = json.loads(head)
    parts, position = [], 0
    for size in request["sizes"]:
        parts.append(rest[position : position + size])
        position += size
    static, code, event_text, *pairs = parts
    result: dict[str, Any] = {"state": "refused", "text": "", "line": 0, "logs": [], "cpuSeconds": 0}
    try:
        event = events.read(event_text)
        function = prepared(code.decode("utf-8"), request["runtime"], request["moduleName"])
    except events.EventError as invalid:
        return result | {"state": "event", "text": str(invalid)}, ""
    except UnicodeDecodeError:
        return result | {"text": "SyntaxError: the code is not UTF-8"}, ""
    except UnsupportedSyntaxError as refused:
        return result | {"text": f"SyntaxError: {refused}"}, ""
    key_values: dict[str, str] = {}
    for part in pairs:
        key_values |= json.loads(part)
    config = {
        "isAsync": request["runtime"] == RUNTIME_2,
        "eventType": event["context"]["eventType"],
        "maxLogCharacters": request["logBytes"],
        "startMilliseconds": request["startMilliseconds"],
        "cloudfrontName": request["moduleName"] if function.has_module else None,
        "store": request["store"] if request["isStoreOpen"] else None,
    }
    engine = context()
    host = _prepare(engine, json.loads(static), config)
    result = _executed(engine, host, request, function, json.dumps(event), key_values)
    result["logs"] = _capped(result["logs"], request["logBytes"])
    if result["state"] != "done":
        return result, ""
    returned = result["text"]
    result["text"] = ""
    if len(returned.encode()) > request["outputBytes"]:
        return result | {"state": "output"}, ""
    try:
        return result, outputs.read(returned, event)
    except outputs.InvalidOutputError as invalid:
        return result | {"state": "invalid", "text": str(invalid)}, ""


def _executed(
    engine: Any,
    host: Any,
    request: Mapping[str, Any],
    function: Prepared,
    event: str,
    key_values: Mapping[str, str],
) -> dict[str, Any]:
    """The answer's line, as `answer` tells it; when the state is `done`, `text` is what was returned, as JSON."""
    memory = engine.memory()["malloc_size"] + request["memoryBytes"]
    engine.set_memory_limit(memory)
    clock = Clock(engine, request["cpuSeconds"])
    state = text = ""
    try:
        clock.run(host, "start", json.dumps(function.script), event)
        _settle(engine, host, clock, key_values)
    # Only what JavaScript cannot catch comes here: the end of the time, and memory that ran out in the host's own code.
    except Exception as error:  # noqa: BLE001
        text = str(error).partition("\n")[0]
        # The engine's clock may be a little ahead of the one here.
        state = "time" if clock.is_over or text == _INTERRUPTED else "memory"
    spent, is_over = clock.spent, clock.is_over
    is_full = memory - engine.memory()["malloc_size"] < _FULL_BYTES
    engine.set_memory_limit(memory + EPILOGUE_BYTES)
    engine.set_time_limit(EPILOGUE_SECONDS)
    result: dict[str, Any] = {"state": state, "text": text, "line": 0, "cpuSeconds": spent}
    if not state:
        state, text = host("state"), json.loads(host("text"))
        # No more can be said of null where the function has a word to throw it.
        is_memory = is_full if state == "pending" else state == "null" and (is_full or not function.can_throw)
        if is_over:
            state = "time"
        elif is_memory or (state != "done" and text == _OUT_OF_MEMORY):
            state = "memory"
        result |= {"state": state, "text": text, "line": _line(text, json.loads(host("stack")))}
    result["logs"] = [json.loads(line) for line in _lines(json.loads(host("logs")))]
    return result


def _prepare(engine: Any, static: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
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
    """Lets the function's promises settle, and answers its questions to the key value store."""
    while True:
        while clock.run(engine.execute_pending_job):
            pass
        questions = _lines(json.loads(clock.run(host, "questions")))
        if not questions:
            return
        for question in questions:
            number, kind, key = question.split(" ", 2)
            answer = len(key_values) if kind == "count" else key_values.get(json.loads(key))
            clock.run(host, "answer", int(number), json.dumps(answer))


def _lines(text: str) -> list[str]:
    """Lines of JSON, which may hold other line separators."""
    return text.split("\n")[:-1]


def _line(text: str, stack: str) -> int:
    """The line of a syntax error, which the engine puts first in the stack."""
    name = _NAME.match(text)
    found = re.search(r":(\d+)(?::\d+)?\)?\s*$", stack.split("\n", 1)[0]) if name and name[0] == "SyntaxError" else None
    return int(found[1]) if found else 0


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
    return _SURROGATE.sub("\ufffd", text)


def _say(message: bytes) -> None:
    sys.stdout.buffer.write(message)
    sys.stdout.buffer.flush()


def main() -> int:
    """Reads the request, runs it, writes the answer."""
    sys.path.append(sys.argv[2])
    try:
        import _quickjs
    except ImportError as error:
        _say(json.dumps({"failure": str(error)}).encode("ascii") + b"\n")
        return 1
    limit_process()
    _say(b'{"ready": true}\n')
    _say(answer(sys.stdin.buffer.read(), _quickjs.Context))
    return 0
