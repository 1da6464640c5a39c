"""Load generators: one client that waits for each response, and many concurrent clients (h2load).

h2load uses far less CPU than the servers.
"""

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

from .process import CLIENT_CORES, cpu_seconds, pinned_to
from .servers import Server, Target

MANY_CLIENTS: Final = 32
"""The number of concurrent clients. For gRPC they share CONNECTIONS; for HTTP/1.1 each has its own connection."""

CONNECTIONS: Final = 4

_CALL_TIMEOUT_SECONDS: Final = 30.0
_GRPC: Final = ("-H", "content-type: application/grpc")
_JSON: Final = ("-H", "content-type: application/json")


class UnexpectedResponseError(Exception):
    """A server returned something other than the expected response, so its measurements are meaningless."""


@dataclass(frozen=True)
class Measurement:
    """A series of calls of one server.

    Attributes:
        calls: The number of calls.
        seconds: From the start of the first call to the end of the last one.
        cpu: CPU seconds of the server's process.
        client_cpu: CPU seconds of the clients; 0 if the measured process is the client.
        upstream_cpu: CPU seconds of nginx.
        latency: The median latency of a call at the client, in seconds.
    """

    calls: int
    seconds: float
    cpu: float
    client_cpu: float
    upstream_cpu: float
    latency: float

    @property
    def per_second(self) -> float:
        """Calls per second."""
        return self.calls / self.seconds

    @property
    def cpu_per_call(self) -> float:
        """CPU seconds of the server's process per call."""
        return self.cpu / self.calls


@contextmanager
def open_connection(target: Target) -> Iterator[Callable[[], bytes]]:
    """Yields a function that makes one call over a persistent connection and returns the response."""
    if target.grpc:
        with grpc.insecure_channel(target.address) as channel:
            method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(target.path)
            yield lambda: method(target.body, timeout=_CALL_TIMEOUT_SECONDS)
        return
    connection = http.client.HTTPConnection(target.address, timeout=_CALL_TIMEOUT_SECONDS)

    def post() -> bytes:
        connection.request("POST", target.path, target.body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        body = response.read()
        if response.status != http.client.CREATED:
            raise UnexpectedResponseError(f"{target.path}: {response.status} {body[:200]!r}")
        return body

    yield post
    connection.close()


def measure_one_client(server: Server, call: Callable[[], bytes], calls: int, upstream: int) -> Measurement:
    """Measures one client that waits for each response. It is a Python client, so the latency includes its own time."""
    latencies = []
    cpu, upstream_cpu = cpu_seconds(server.process.pid), cpu_seconds(upstream)
    client_cpu, start = time.process_time(), time.perf_counter()
    for _ in range(calls):
        sent = time.perf_counter()
        call()
        latencies.append(time.perf_counter() - sent)
    return Measurement(
        calls=calls,
        seconds=time.perf_counter() - start,
        cpu=cpu_seconds(server.process.pid) - cpu,
        client_cpu=time.process_time() - client_cpu,
        upstream_cpu=cpu_seconds(upstream) - upstream_cpu,
        latency=statistics.median(latencies),
    )


def measure_many_clients(
    server: Server, target: Target, calls: int, response_bytes: int, folder: Path, upstream: int
) -> Measurement:
    """Measures MANY_CLIENTS concurrent clients with h2load.

    Args:
        server: The server.
        target: The call to make.
        calls: The number of calls of all clients together.
        response_bytes: The expected body size of each response, because h2load does not check the content. 0 for an
            error response.
        folder: The folder for h2load's files.
        upstream: The pid of nginx.

    Returns:
        The measurement.

    Raises:
        UnexpectedResponseError: A call has no response, or the responses have another size.
    """
    command, log = _h2load(target, calls, folder)
    cpu, upstream_cpu = cpu_seconds(server.process.pid), cpu_seconds(upstream)
    client_cpu = children_cpu_seconds()
    with pinned_to(CLIENT_CORES):
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    cpu, upstream_cpu = cpu_seconds(server.process.pid) - cpu, cpu_seconds(upstream) - upstream_cpu
    client_cpu = children_cpu_seconds() - client_cpu
    succeeded, received = _number(r"(\d+) succeeded", output), _number(r"\((\d+)\) data", output)
    if succeeded != calls or received != calls * response_bytes:
        raise UnexpectedResponseError(
            f"{server.name}: expected {calls} responses of {response_bytes} bytes; h2load printed:\n{output}"
        )
    rows = [[int(column) for column in line.split("\t")] for line in log.read_text().splitlines()]
    return Measurement(
        calls=calls,
        seconds=(max(sent + latency for sent, _, latency in rows) - min(sent for sent, _, _ in rows)) / 1e6,
        cpu=cpu,
        client_cpu=client_cpu,
        upstream_cpu=upstream_cpu,
        latency=statistics.median(latency for _, _, latency in rows) / 1e6,
    )


def _h2load(target: Target, calls: int, folder: Path) -> tuple[list[str], Path]:
    """Returns the command, and the log file with one row per call: start time, status and latency, in µs."""
    body, log = folder / "request.bin", folder / "times.tsv"
    body.write_bytes(_grpc_frame(target.body) if target.grpc else target.body)
    log.unlink(missing_ok=True)
    command = ["h2load", "-n", str(calls), "-d", str(body), f"--log-file={log}"]
    grpc_clients = ["-c", str(CONNECTIONS), "-m", str(MANY_CLIENTS // CONNECTIONS), "-H", "te: trailers"]
    command += [*grpc_clients, *_GRPC] if target.grpc else ["--h1", "-c", str(MANY_CLIENTS), *_JSON]
    return [*command, f"http://{target.address}{target.path}"], log


def body_size(target: Target, response: bytes) -> int:
    """Returns the size of a response's body on the wire, in bytes."""
    return len(_grpc_frame(response)) if target.grpc else len(response)


def _grpc_frame(message: bytes) -> bytes:
    """Adds gRPC's five-byte prefix to a message: the compression flag (off) and the length."""
    return struct.pack(">BI", 0, len(message)) + message


def _number(pattern: str, output: str) -> int:
    match = re.search(pattern, output)
    return int(match[1]) if match else -1


def children_cpu_seconds() -> float:
    """Returns the CPU seconds of all child processes of this process that have exited."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
