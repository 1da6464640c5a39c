"""Floods of calls that cost their sender almost nothing: they take little memory, and do not stop the server."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from faults.probing import HEALTH, MAX_GROWTH, probe
from support.facade import open_channel
from support.http2 import attackers, message_prefix, send_unfinished_messages
from support.http2_frames import open_calls, reset_calls
from support.process import EMBEDDED, FacadeProcess

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux has /proc/self/statm")

DATA = "/cloudfront_facade.v1.KeyValueStoreDataService"
MAX_METADATA = 8 * 1024
MAX_MESSAGE = 4 * 1024 * 1024
EMPTY_MESSAGE = message_prefix(0)
BEGUN_MESSAGE = message_prefix(100_000) + bytes(16_000)
"""As much of a message as gRPC accepts before it is read."""


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (f"{DATA}/GetKey", b""),
        ("/unknown.Service/Method", b""),
        (HEALTH, EMPTY_MESSAGE),
    ],
    ids=["calls", "unknown calls", "health checks"],
)
def test_calls_that_are_reset_at_once_take_neither_memory_nor_time_from_others(path: str, content: bytes) -> None:
    with FacadeProcess(*EMBEDDED, "--shutdown-grace-period", "2") as process, open_channel(process.address) as channel:
        probe(process, channel)
        idle = process.memory()
        with attackers(reset_calls, process.address, path, content, count=1):
            time.sleep(0.7)
            peaks, medians, failures = zip(*(probe(process, channel) for _ in range(5)), strict=True)
    assert max(peaks) - idle < MAX_GROWTH
    assert min(medians) < 0.1, medians  # the best of five, because the machine may be busy
    assert min(failures) <= 0.02, failures


def test_thousands_of_calls_with_the_largest_metadata_and_others_with_large_messages_take_little_memory() -> None:
    with (
        FacadeProcess(*EMBEDDED, "--shutdown-grace-period", "2") as process,
        open_channel(process.address) as channel,
        ExitStack() as stack,
    ):
        probe(process, channel)
        idle = process.memory()
        for content in (b"", BEGUN_MESSAGE):
            flood = (process.address, f"{DATA}/GetKey", 60, MAX_METADATA, content)
            stack.enter_context(attackers(open_calls, *flood, count=1))
        large = (process.address, f"{DATA}/UpdateKeys", 100, MAX_MESSAGE)
        stack.enter_context(attackers(send_unfinished_messages, *large, count=1))
        peaks, _, failures = zip(*(probe(process, channel) for _ in range(4)), strict=True)
    assert max(peaks) - idle < MAX_GROWTH
    assert min(failures) <= 0.02, failures
