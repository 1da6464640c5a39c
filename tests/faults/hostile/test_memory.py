"""No caller can fill the server's memory, or delay the health checks of others by trying."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cloudfront_facade.v1.function_service_pb2 import ListFunctionsRequest
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from faults.probing import HEALTH, MAX_GROWTH, probe
from support.facade import open_channel
from support.http2 import RawConnection, attackers, send_messages, send_unfinished_messages
from support.process import EMBEDDED, FacadeProcess

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux has /proc/self/statm")

DATA = "/cloudfront_facade.v1.KeyValueStoreDataService"
CREATE = "/cloudfront_facade.v1.FunctionService/CreateFunction"

MAX_MESSAGE = 4 * 1024 * 1024
EMPTY_CHANGES = b"\x12\x00" * (MAX_MESSAGE // 2 - 8)
"""Two million empty changes: 100 MB if they were decoded."""
NESTED_PUTS = b"\x12\xfc\xff\xff\x01" + b"\x0a\x00" * (MAX_MESSAGE // 2 - 8)
"""A change whose `put` is repeated two million times."""


@pytest.mark.parametrize(
    ("attack", "arguments"),
    [
        (send_unfinished_messages, (f"{DATA}/UpdateKeys", 100, MAX_MESSAGE)),
        (send_unfinished_messages, (f"{DATA}/ImportKeys", 100, MAX_MESSAGE)),
        (send_unfinished_messages, (CREATE, 100, MAX_MESSAGE)),
        (send_unfinished_messages, (HEALTH, 100, MAX_MESSAGE)),
        (send_unfinished_messages, ("/unknown.Service/Method", 100, MAX_MESSAGE)),
        (send_messages, (f"{DATA}/UpdateKeys", 20, EMPTY_CHANGES)),
        (send_messages, (f"{DATA}/ImportKeys", 20, NESTED_PUTS)),
        (send_messages, (CREATE, 100, bytes(MAX_MESSAGE))),
    ],
    ids=[
        "unfinished updates",
        "unfinished imports",
        "unfinished creates",
        "unfinished health checks",
        "unfinished unknown calls",
        "empty changes",
        "repeated submessages",
        "large creates",
    ],
)
def test_flood_takes_neither_memory_nor_time_from_others(
    attack: Callable[..., None], arguments: tuple[Any, ...]
) -> None:
    with FacadeProcess(*EMBEDDED, "--shutdown-grace-period", "2") as process, open_channel(process.address) as channel:
        FunctionServiceStub(channel).ListFunctions(ListFunctionsRequest())
        idle = process.memory()
        with attackers(attack, process.address, *arguments, count=3):
            time.sleep(0.7)
            peaks, medians, failures = zip(*(probe(process, channel) for _ in range(3)), strict=True)
    assert max(peaks) - idle < MAX_GROWTH
    # The best of three, because the machine may be busy.
    assert min(medians) < 0.1, medians
    assert min(failures) <= 0.02, failures
    assert not [line for line in process.lines if "text" in line or line["level"] == "error"]


def test_calls_of_others_succeed_while_all_places_for_messages_are_taken() -> None:
    with FacadeProcess(*EMBEDDED, "--max-request-memory", str(8 * MAX_MESSAGE)) as process, ExitStack() as stack:
        for _ in range(2):
            silent = stack.enter_context(RawConnection(process.address))
            for _ in range(4):
                silent.open(f"{DATA}/ImportKeys")
        time.sleep(0.5)
        channel = stack.enter_context(open_channel(process.address, use_local_subchannel_pool=1))
        for _ in range(20):
            assert channel.unary_unary(HEALTH)(b"", timeout=1)
