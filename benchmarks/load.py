"""Callers: one that waits for each answer, and many at once by h2load, which costs far less than the servers."""

from __future__ import annotations

import http.client
import re
import resource
import statistics
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc

from .process import CALLERS_CORES, cpu_seconds, on_cores
from .servers import Server, Target

MANY: Final = 32
"""Callers at once. Of a gRPC server they share CONNECTIONS; HTTP/1.1 wants one for each."""

CONNECTIONS: Final = 4

_CALL_SECONDS: Final = 30.0
_GRPC: Final = ("-H", "content-type: application/grpc")
_JSON: Final = ("-H", "content-type: application/json")


class WrongAnswerError(Exception):
    """A side did not answer as it should, so its time means nothing."""


@dataclass(frozen=True)
class Measurement:
    """What calls of one side took.

    Attributes:
        calls: how many there were.
        seconds: from the first to the last.
        cpu: CPU seconds of the side's process.
        callers_cpu: CPU seconds of the callers; 0 where the side is the caller.
        upstream_cpu: CPU seconds of nginx.
        latency: the median time of a call as its caller sees it, in seconds.
    """

    calls: int
    seconds: float
    cpu: float
    callers_cpu: float
    upstream_cpu: float
    latency: float

    @property
    def per_second(self) -> float:
        """Calls per second."""
        return self.calls / self.seconds

    @property
    def cpu_per_call(self) -> float:
        """CPU seconds of the side's process for each call."""
        return self.cpu / self.calls


@contextmanager
def caller(target: Target) -> Iterator[Callable[[], bytes]]:
    """Gives a function that makes one call and waits for the answer, over a connection that stays."""
    if target.grpc:
        with grpc.insecure_channel(target.address) as channel:
            method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(target.path)
            yield lambda: method(target.body, timeout=_CALL_SECONDS)
        return
    connection = http.client.HTTPConnection(target.address, timeout=_CALL_SECONDS)

    def post() -> bytes:
        connection.request("POST", target.path, target.body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        if response.status != http.client.CREATED:
            raise WrongAnswerError(f"{target.path}: {response.status} {answer[:200]!r}")
        return answer

    yield post
    connection.close()


def one_caller(server: Server, call: Callable[[], bytes], calls: int, upstream: int) -> Measurement:
    """Measures a caller that waits for each answer; it is Python's own client, so its time is part of the latency."""
    latencies = []
    cpu, upstream_cpu = cpu_seconds(server.process.pid), cpu_seconds(upstream)
    own, began = time.process_time(), time.perf_counter()
    for _ in range(calls):
        sent = time.perf_counter()
        call()
        latencies.append(time.perf_counter() - sent)
    return Measurement(
        calls=calls,
        seconds=time.perf_counter() - began,
        cpu=cpu_seconds(server.process.pid) - cpu,
        callers_cpu=time.process_time() - own,
        upstream_cpu=cpu_seconds(upstream) - upstream_cpu,
        latency=statistics.median(latencies),
    )


def many_callers(
    server: Server, target: Target, calls: int, answer_bytes: int, folder: Path, upstream: int
) -> Measurement:
    """Measures MANY callers by h2load.

    Args:
        server: the side.
        target: what to call of it.
        calls: how many calls, all callers together.
        answer_bytes: bytes of content that each answer must have, for h2load does not look into them; 0 for a refusal.
        folder: for h2load's files.
        upstream: the process of nginx.

    Raises:
        WrongAnswerError: not every call was answered, or the answers weigh otherwise.
    """
    command, times = _h2load(target, calls, folder)
    cpu, upstream_cpu = cpu_seconds(server.process.pid), cpu_seconds(upstream)
    own = children_cpu()
    with on_cores(CALLERS_CORES):
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    cpu, upstream_cpu = cpu_seconds(server.process.pid) - cpu, cpu_seconds(upstream) - upstream_cpu
    own = children_cpu() - own
    succeeded, content = _number(r"(\d+) succeeded", output), _number(r"\((\d+)\) data", output)
    if succeeded != calls or content != calls * answer_bytes:
        raise WrongAnswerError(
            f"{server.name}: {calls} answers of {answer_bytes} bytes were expected, not so:\n{output}"
        )
    rows = [[int(column) for column in line.split("\t")] for line in times.read_text().splitlines()]
    return Measurement(
        calls=calls,
        seconds=(max(sent + took for sent, _, took in rows) - min(sent for sent, _, _ in rows)) / 1e6,
        cpu=cpu,
        callers_cpu=own,
        upstream_cpu=upstream_cpu,
        latency=statistics.median(took for _, _, took in rows) / 1e6,
    )


def _h2load(target: Target, calls: int, folder: Path) -> tuple[list[str], Path]:
    """Gives the command, and the file with a row for each call: when it was sent, status, how long it took, in µs."""
    body, times = folder / "request.bin", folder / "times.tsv"
    body.write_bytes(_framed(target.body) if target.grpc else target.body)
    times.unlink(missing_ok=True)
    command = ["h2load", "-n", str(calls), "-d", str(body), f"--log-file={times}"]
    grpc_callers = ["-c", str(CONNECTIONS), "-m", str(MANY // CONNECTIONS), "-H", "te: trailers"]
    command += [*grpc_callers, *_GRPC] if target.grpc else ["--h1", "-c", str(MANY), *_JSON]
    return [*command, f"http://{target.address}{target.path}"], times


def weight(target: Target, answer: bytes) -> int:
    """Gives the bytes of content that an answer has on the wire."""
    return len(_framed(answer)) if target.grpc else len(answer)


def _framed(message: bytes) -> bytes:
    """Puts gRPC's five bytes before a message: not compressed, and its length."""
    return struct.pack(">BI", 0, len(message)) + message


def _number(pattern: str, output: str) -> int:
    match = re.search(pattern, output)
    return int(match[1]) if match else -1


def children_cpu() -> float:
    """Gives the CPU seconds of all processes that were started here and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
