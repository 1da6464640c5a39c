"""A short run of the fuzzer; `make fuzz` makes a long one."""

from __future__ import annotations

import os
import secrets

import pytest

from fuzz.run import fuzz
from fuzz.target import FORBIDDEN

SECONDS = 8.0
MAX_GROWTH = 40.0
"""MiB; the run is too short for a slope."""


def test_malformed_requests_and_frames_do_no_harm() -> None:
    seed = os.environ.get("FUZZ_SEED") or secrets.token_hex(4)
    print(f"seed: {seed}")
    result = fuzz(SECONDS, seed)
    print(f"sent: {result.sent}, statuses: {result.statuses}")
    assert {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "UNIMPLEMENTED"} <= result.statuses.keys()
    assert result.growth < MAX_GROWTH


@pytest.mark.parametrize(
    "shown", [b"DecodeError: bad", b"a ValueError", b"Traceback (most", b"google.protobuf.message", b"in decoder.py"]
)
def test_name_of_a_class_or_a_file_is_found(shown: bytes) -> None:
    assert FORBIDDEN.search(shown)


def test_details_of_errors_are_allowed() -> None:
    assert not FORBIDDEN.search(b"type.googleapis.com/google.rpc.BadRequest NoSuchFunctionExists")
