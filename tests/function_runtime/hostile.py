"""Runs hostile functions, each in a separate process."""

from __future__ import annotations

import time
from collections.abc import Mapping

from cloudfront_facade_server.function_runtime import Run, Runner
from cloudfront_facade_server.function_runtime.sandbox import RUNTIME_2
from function_runtime.running import error_in, run

MAX_SECONDS = 2.0
"""Maximum duration of any function, whatever it does."""


def run_alone(code: str, runtime: str = RUNTIME_2, key_values: Mapping[str, str] | None = None) -> Run:
    """Runs a function in a separate process, and checks that it ends in time."""
    start = time.monotonic()
    result = run(code, runtime=runtime, key_values=key_values, runner=Runner())
    assert time.monotonic() - start < MAX_SECONDS
    return result


def error(code: str) -> str:
    """Returns the error that a function ends with."""
    return error_in(run_alone(code))
