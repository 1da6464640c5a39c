"""The runner and its processes."""

import json
import sys
import threading
import time
from pathlib import Path

import pytest

from cloudfront_facade_server.function_runtime import Limits, Runner, RunnerError, process, runner
from function_runtime.events import request_event
from function_runtime.running import COULD_NOT_RUN, UNCHANGED, run

CODE = UNCHANGED.encode()
EVENT = json.dumps(request_event()).encode()


def test_code_that_is_not_utf_8_is_an_error_of_the_function() -> None:
    assert Runner().run(b"\xff", "cloudfront-js-2.0", EVENT, None).error_message == (
        COULD_NOT_RUN + "SyntaxError: the code is not UTF-8"
    )


def test_an_unknown_runtime_is_an_error_of_the_caller() -> None:
    with pytest.raises(
        RunnerError,
        match=r'^Unknown runtime "cloudfront-js-3\.0"; allowed: cloudfront-js-1\.0 and cloudfront-js-2\.0\.$',
    ):
        Runner().run(CODE, "cloudfront-js-3.0", EVENT, None)


def test_a_missing_engine_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "ENGINE", "no_such_engine")
    with pytest.raises(RunnerError, match=r"^The JavaScript engine is not installed; install quickjs-ng\.$"):
        Runner().run(CODE, "cloudfront-js-2.0", EVENT, None)


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (["/missing/python"], "could not be started: No such file or directory"),
        ([sys.executable, "-c", "raise SystemExit(3)"], "ended before it was ready (exit code 3)"),
        ([sys.executable, "-c", "import time; time.sleep(9)"], "was not ready within 0.5 s"),
        ([*runner._command()[:-1], "/nowhere"], "could not be loaded: No module named"),
    ],
)
def test_a_process_that_fails_to_start_is_an_error_of_the_runner(
    command: list[str], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_command", lambda: command)
    with pytest.raises(RunnerError) as failed:
        Runner(Limits(wall_seconds=0.5)).run(CODE, "cloudfront-js-2.0", EVENT, None)
    assert text in str(failed.value)
    assert "\n" not in str(failed.value)


READY = "import sys; print('{\"ready\": true}', flush=True); sys.stdin.buffer.read(); "


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("import os; os.abort()", "Error: the function crashed its process"),
        ("print('[' * 100_000)", "Error: the function crashed its process"),
        (
            'print(\'{"state": "result", "x": "\' + \'x\' * 200_000 + \'"}\')',
            "Error: the function crashed its process",
        ),
        ("print('[]')", "Error: the function crashed its process"),
        ("print('x' * 10_000_000)", "Error: the function exceeded the allowed output, 256 KiB as JSON"),
        ("import time; time.sleep(9)", "Error: the function exceeded the allowed time, 1 s of wall-clock time"),
    ],
)
def test_a_process_that_fails_after_its_start_is_an_error_of_the_function(
    statement: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_command", lambda: [sys.executable, "-c", READY + statement])
    result = Runner(Limits(wall_seconds=1)).run(CODE, "cloudfront-js-2.0", EVENT, None)
    assert result.error_message is not None
    assert result.error_message.startswith(COULD_NOT_RUN + text)


def test_child_processes_are_killed_with_the_process(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    # The child holds the pipe open, so reading ends only at the time limit.
    later = f"import time, pathlib; time.sleep(1.5); pathlib.Path({str(alive)!r}).touch()"
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {later!r}]); import time; time.sleep(9)"
    assert process.run([sys.executable, "-c", code], b"", seconds=0.7, max_output_bytes=10).timed_out
    time.sleep(1.5)
    assert not alive.exists()


def test_a_process_may_ignore_its_input() -> None:
    completed = process.run([sys.executable, "-c", "print('x')"], b"x" * 1_000_000, seconds=5, max_output_bytes=10)
    assert (completed.output, completed.exit_code) == (b"x\n", 0)


def test_a_process_has_an_empty_environment_and_the_root_as_its_folder() -> None:
    code = "import os; print(len(set(os.environ) - {'LC_CTYPE'}), os.getcwd())"
    completed = process.run([sys.executable, "-I", "-c", code], b"", seconds=5, max_output_bytes=100)
    assert completed.output == b"0 /\n"


def test_a_large_store_is_read() -> None:
    pairs = {f"key{number}": "v" * 1000 for number in range(5000)}
    code = """import cf from 'cloudfront';
    async function handler(event) {
      event.request.uri = '/' + (await cf.kvs().count()) + (await cf.kvs().get('key4999')).length;
      return event.request;
    }"""
    result = run(code, key_values=pairs, runner=Runner())
    assert result.error_message is None
    assert '"uri":"/50001000"' in (result.output or "")


def test_many_threads_run_functions_concurrently() -> None:
    shared = Runner()
    outputs: list[str | None] = []

    def run_one(number: int) -> None:
        code = f"function handler(event) {{ event.request.uri = '/{number}'; return event.request; }}"
        outputs.append(run(code, runner=shared).output)

    threads = [threading.Thread(target=run_one, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(json.loads(output or "")["request"]["uri"] for output in outputs) == [f"/{n}" for n in range(6)]


def test_limits_can_be_configured() -> None:
    code = "function handler(event) { var a = new Uint8Array(5000000); return event.request; }"
    assert run(code, runner=Runner()).output is None
    assert run(code, runner=Runner(Limits(memory_bytes=8_000_000))).output is not None
