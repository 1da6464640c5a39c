"""Runs one function in a process of its own, and ends. Started by path, with only the standard library and the engine.

Standard input: the request, one JSON object (`execute` says what is in it). Standard output: a line that says that the
engine is there, then one line with the result, both JSON. The first argument is the folder of the engine's module.
The function has no object of Python's in its reach: it is asked for what it wants, and told the answer.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
import time
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
        with contextlib.suppress(AttributeError, OSError, ValueError):
            resource.setrlimit(getattr(resource, name), (value, value))


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


def execute(request: Mapping[str, Any], context: Callable[[], Any]) -> dict[str, Any]:
    """Runs a function once.

    Args:
        request: `scripts`, JavaScript by name; `config`, for `host.js`; `allowed`, for `prune.js`; `code` and `event`,
            text; `keyValues`; `memoryBytes`; `cpuSeconds`.
        context: makes an engine.

    Returns:
        `state`: `done`, then `text` is what the handler returned, as JSON; `unloadable` or `failed`, then `text` is the
        error, and `line` that of a syntax error or 0; `pending`, when the function's promise cannot settle; `time` or
        `memory`, when a limit ended it. `logs`: lines; `cpuSeconds`: what it took.
    """
    engine = context()
    engine.set_max_stack_size(STACK_BYTES)
    host = _prepare(engine, request)
    memory = engine.memory()["malloc_size"] + request["memoryBytes"]
    engine.set_memory_limit(memory)
    clock = Clock(engine, request["cpuSeconds"])
    state = text = ""
    try:
        clock.run(host, "start", json.dumps(request["code"]), request["event"])
        _settle(engine, host, clock, request["keyValues"] or {})
    # Only what JavaScript cannot catch comes here: the end of the time, and memory that ran out in the host's own code.
    except Exception as error:  # noqa: BLE001
        state, text = ("time" if clock.is_over else "memory"), str(error).partition("\n")[0]
    spent, is_over = clock.spent, clock.is_over
    engine.set_memory_limit(memory + EPILOGUE_BYTES)
    engine.set_time_limit(EPILOGUE_SECONDS)
    result: dict[str, Any] = {"state": state, "text": text, "line": 0, "cpuSeconds": spent}
    if not state:
        result["state"] = "time" if is_over else host("state")
        result["text"] = json.loads(host("text"))
        result["line"] = _line(result["text"], json.loads(host("stack")))
    result["logs"] = [json.loads(line) for line in _lines(json.loads(host("logs")))]
    return result


def _prepare(engine: Any, request: Mapping[str, Any]) -> Any:
    scripts, config = request["scripts"], request["config"]
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
    return run(*(engine.eval(scripts[name]) for name in names), json.dumps(config), json.dumps(request["allowed"]))


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


def _say(message: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Reads the request, runs it, writes the result."""
    sys.path.append(sys.argv[1])
    try:
        import _quickjs
    except ImportError as error:
        _say({"failure": str(error)})
        return 1
    limit_process()
    _say({"ready": True})
    request = json.loads(sys.stdin.buffer.read())
    _say(execute(request, _quickjs.Context))
    return 0


if __name__ == "__main__":
    sys.exit(main())
