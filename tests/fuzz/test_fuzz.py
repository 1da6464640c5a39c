"""A short run of the fuzzer; `make fuzz` makes a long one."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.target import FORBIDDEN
from support.process import unmeasured_environment

SECONDS = 8.0
MAX_GROWTH = 40.0
"""MiB; the run is too short for a slope."""


def test_malformed_requests_and_frames_do_no_harm() -> None:
    seed = os.environ.get("FUZZ_SEED") or secrets.token_hex(4)
    # In a separate process that coverage does not measure: its tracer can loop forever if threads end (Python 3.11).
    fuzzed = subprocess.run(
        [sys.executable, "-m", "fuzz", "--seconds", str(SECONDS), "--seed", seed],
        env=unmeasured_environment() | {"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert fuzzed.returncode == 0, fuzzed.stdout + fuzzed.stderr
    for status in ("OK", "INVALID_ARGUMENT", "NOT_FOUND", "UNIMPLEMENTED"):
        assert f"'{status}'" in fuzzed.stdout, fuzzed.stdout
    growth = re.search(r"^memory: ([+-][0-9.]+) MiB", fuzzed.stdout, re.MULTILINE)
    assert growth
    assert float(growth[1]) < MAX_GROWTH


@pytest.mark.parametrize(
    "shown", [b"DecodeError: bad", b"a ValueError", b"Traceback (most", b"google.protobuf.message", b"in decoder.py"]
)
def test_name_of_a_class_or_a_file_is_found(shown: bytes) -> None:
    assert FORBIDDEN.search(shown)


def test_details_of_errors_are_allowed() -> None:
    assert not FORBIDDEN.search(b"type.googleapis.com/google.rpc.BadRequest NoSuchFunctionExists")
